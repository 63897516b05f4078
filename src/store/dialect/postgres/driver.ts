// The connections under kysely: what was changed is noted, U+0000 is kept, errors are in our own words.
import {
  type CompiledQuery,
  type DatabaseConnection,
  type PostgresDialectConfig,
  PostgresDriver,
  type QueryResult,
  type TransactionSettings,
} from 'kysely';
import type { StoreChange } from '../../change-notes.ts';
import { toMochiError } from './errors.ts';
import { notedWrite } from './noted-writes.ts';
import { rowFromStored, toStored } from './stored-text.ts';

type Tell = (changes: readonly StoreChange[]) => void;

/** What is changed is told once it is committed. */
export class StoreDriver extends PostgresDriver {
  readonly #tell: Tell;

  constructor(config: PostgresDialectConfig, tell: Tell) {
    super(config);
    this.#tell = tell;
  }

  override async acquireConnection(
    ...options: Parameters<PostgresDriver['acquireConnection']>
  ): Promise<DatabaseConnection> {
    try {
      return new StoreConnection(await super.acquireConnection(...options), this.#tell);
    } catch (error) {
      throw toMochiError(error);
    }
  }

  override async beginTransaction(
    connection: DatabaseConnection,
    settings: TransactionSettings,
  ): Promise<void> {
    await super.beginTransaction(connection, settings);
    if (connection instanceof StoreConnection) connection.begin();
  }

  override async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await super.commitTransaction(connection);
    if (connection instanceof StoreConnection) connection.end();
  }

  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await super.rollbackTransaction(innerOf(connection));
  }

  override async releaseConnection(connection: DatabaseConnection): Promise<void> {
    await super.releaseConnection(innerOf(connection));
  }
}

type PoolConnection = Parameters<PostgresDriver['releaseConnection']>[0];

/** As the driver knows it. */
function innerOf(connection: DatabaseConnection): PoolConnection {
  return (connection instanceof StoreConnection ? connection.inner : connection) as PoolConnection;
}

/** Lives as long as it is taken from the pool. */
class StoreConnection implements DatabaseConnection {
  readonly inner: DatabaseConnection;
  readonly #tell: Tell;
  /** Of the transaction; null: there is none. */
  #noted: Map<string, StoreChange> | null = null;

  constructor(inner: DatabaseConnection, tell: Tell) {
    this.inner = inner;
    this.#tell = tell;
  }

  begin(): void {
    this.#noted = new Map();
  }

  /** It is committed. */
  end(): void {
    const noted = this.#noted;
    this.#noted = null;
    if (noted !== null && noted.size > 0) this.#tell([...noted.values()]);
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const noted = notedWrite(query);
    const { returning = null } = noted ?? {};
    const result = await this.#execute<R>(
      returning === null ? query : { ...query, sql: `${query.sql} ${returning}` },
    );
    const rows = result.rows as Record<string, unknown>[];
    for (const row of rows) rowFromStored(row);
    if (noted === null) return result;
    this.#note(rows.flatMap((row) => noted.changesOf(row)));
    return returning === null ? result : { ...result, rows: [] };
  }

  async #execute<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    try {
      return await this.inner.executeQuery<R>({ ...query, parameters: query.parameters.map(toStored) });
    } catch (error) {
      throw toMochiError(error);
    }
  }

  #note(changes: readonly StoreChange[]): void {
    if (this.#noted === null) {
      if (changes.length > 0) this.#tell(changes);
      return;
    }
    for (const change of changes) this.#noted.set(`${change.kind} ${change.id}`, change);
  }

  async *streamQuery<R>(query: CompiledQuery, chunkSize: number): AsyncIterableIterator<QueryResult<R>> {
    const stored = { ...query, parameters: query.parameters.map(toStored) };
    for await (const result of this.inner.streamQuery<R>(stored, chunkSize)) {
      for (const row of result.rows as Record<string, unknown>[]) rowFromStored(row);
      yield result;
    }
  }
}
