// The connections under kysely: what was changed is noted, U+0000 is kept, errors are in our own words.
import { setTimeout } from 'node:timers/promises';
import {
  CompiledQuery,
  type DatabaseConnection,
  type PostgresDialectConfig,
  PostgresDriver,
  type QueryResult,
  type TransactionSettings,
} from 'kysely';
import type { StoreChange } from '../../change-notes.ts';
import { hasNoPlace, isLost, outcomeUnknown, toAway, toMochiError } from './errors.ts';
import { notedWrite } from './noted-writes.ts';
import { CONNECT_MS } from './pool.ts';
import type { Reach } from './reach.ts';
import { rowFromStored, toStored } from './stored-text.ts';

export interface DriverDoors {
  /** What is changed is told once it is committed. */
  readonly tell: (changes: readonly StoreChange[]) => void;
  /** Null: nobody looks after it, and whoever needs it waits for it. */
  readonly reach: Reach | null;
}

/** The number of the transaction is known from the start: after a commit without an answer it says what became of it. */
const BEGIN = CompiledQuery.raw('begin; select pg_current_xact_id()::text as number');

/** Until it is tried again whether the database lets another connection in. */
const NO_PLACE_PAUSE_MS = 20;

export class StoreDriver extends PostgresDriver {
  readonly #doors: DriverDoors;

  constructor(config: PostgresDialectConfig, doors: DriverDoors) {
    super(config);
    this.#doors = doors;
  }

  override async acquireConnection(
    ...options: Parameters<PostgresDriver['acquireConnection']>
  ): Promise<StoreConnection> {
    const { reach } = this.#doors;
    reach?.refuseTrouble();
    try {
      return new StoreConnection(await this.#takeConnection(...options), this.#doors);
    } catch (error) {
      if (toAway(error) !== null) reach?.suspect();
      throw toMochiError(error);
    }
  }

  /** Where the database lets no other connection in, one of the pool is free in a moment, mostly. */
  async #takeConnection(
    ...options: Parameters<PostgresDriver['acquireConnection']>
  ): Promise<DatabaseConnection> {
    const giveUpAt = performance.now() + CONNECT_MS;
    for (;;) {
      try {
        return await super.acquireConnection(...options);
      } catch (error) {
        if (!hasNoPlace(error) || performance.now() > giveUpAt) throw error;
        await setTimeout(NO_PLACE_PAUSE_MS);
      }
    }
  }

  override async beginTransaction(
    connection: DatabaseConnection,
    settings: TransactionSettings,
  ): Promise<void> {
    const isPlain = settings.isolationLevel === undefined && settings.accessMode === undefined;
    if (!(connection instanceof StoreConnection) || !isPlain)
      return super.beginTransaction(connection, settings);
    const { rows } = await connection.executeQuery<{ number: string }>(BEGIN);
    connection.begin(rows[0]?.number ?? null);
  }

  override async commitTransaction(connection: DatabaseConnection): Promise<void> {
    try {
      await super.commitTransaction(connection);
    } catch (error) {
      if (!(await this.#isCommitted(connection, error))) throw error;
    }
    if (connection instanceof StoreConnection) connection.end();
  }

  /** The commit was sent, and no answer came. */
  async #isCommitted(connection: DatabaseConnection, error: unknown): Promise<boolean> {
    const { reach } = this.#doors;
    if (!(connection instanceof StoreConnection) || toAway(error) === null) return false;
    const { number, isPatient } = connection;
    if (reach === null || number === null) throw outcomeUnknown();
    return reach.hasCommitted(number, isPatient);
  }

  /** Where it cannot be said any more, the end of the connection says it; and who asked is told what went wrong before. */
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await super.rollbackTransaction(innerOf(connection)).catch(() => undefined);
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

/** What is repeated for somebody patient changes the same rows once more; what is added would be added twice. */
function mayDouble({ query }: CompiledQuery, isPatient: boolean): boolean {
  if (isPatient) return query.kind === 'InsertQueryNode';
  return /^(Insert|Update|Delete)QueryNode$/.test(query.kind);
}

/** Lives as long as it is taken from the pool. */
export class StoreConnection implements DatabaseConnection {
  readonly inner: DatabaseConnection;
  /** Of the transaction; null: there is none, or it cannot change anything. */
  number: string | null = null;
  /** Whoever has it can wait for the database to be back. */
  isPatient = false;
  readonly #doors: DriverDoors;
  /** Of the transaction; null: there is none. */
  #noted: Map<string, StoreChange> | null = null;

  constructor(inner: DatabaseConnection, doors: DriverDoors) {
    this.inner = inner;
    this.#doors = doors;
  }

  begin(number: string | null): void {
    this.number = number;
    this.#noted = new Map();
  }

  /** It is committed. */
  end(): void {
    const noted = this.#noted;
    this.#noted = null;
    if (noted !== null && noted.size > 0) this.#doors.tell([...noted.values()]);
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
      const known = this.#known(error);
      // A statement alone is a transaction, whose commit nobody can look up.
      if (this.#noted === null && isLost(known) && mayDouble(query, this.isPatient)) throw outcomeUnknown();
      throw known;
    }
  }

  #known(error: unknown): unknown {
    if (toAway(error) !== null) this.#doors.reach?.suspect();
    return toMochiError(error);
  }

  #note(changes: readonly StoreChange[]): void {
    if (this.#noted === null) {
      if (changes.length > 0) this.#doors.tell(changes);
      return;
    }
    for (const change of changes) this.#noted.set(`${change.kind} ${change.id}`, change);
  }

  async *streamQuery<R>(query: CompiledQuery, chunkSize: number): AsyncIterableIterator<QueryResult<R>> {
    const stored = { ...query, parameters: query.parameters.map(toStored) };
    try {
      for await (const result of this.inner.streamQuery<R>(stored, chunkSize)) {
        for (const row of result.rows as Record<string, unknown>[]) rowFromStored(row);
        yield result;
      }
    } catch (error) {
      throw this.#known(error);
    }
  }
}
