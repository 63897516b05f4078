// Another process may be writing: an import beside the server, or somebody's own tool. SQLite would wait for it and
// hold the loop meanwhile. Here the loop goes on, and the statement is tried again. And however many wait for the
// connection, the loop turns in between.
import { setTimeout } from 'node:timers/promises';
import {
  type CompiledQuery,
  type DatabaseConnection,
  type QueryResult,
  type SqliteDialectConfig,
  SqliteDriver,
} from 'kysely';
import { MochiError } from '../contract/errors.ts';
import { LoopTurns } from '../kit/loop-turns.ts';

/** How long a statement is tried. */
const PATIENCE_MS = 5000;
/** Between two tries, at most; whoever writes in slices rests for about as long as it works. */
const PAUSE_MS = 10;

/** Transactions begin as writers, so that only their first statement ever waits. */
export class PatientSqliteDriver extends SqliteDriver {
  readonly #turns = new LoopTurns();
  readonly #onWait: () => void;
  #connection: DatabaseConnection | null = null;

  /** @param onWait called whenever a statement has to wait */
  constructor(config: SqliteDialectConfig, onWait: () => void) {
    super(config);
    this.#onWait = onWait;
  }

  /** Whoever is next in line for the one connection. */
  override async acquireConnection(): Promise<DatabaseConnection> {
    await this.#turns.ready();
    this.#connection ??= new PatientConnection(await super.acquireConnection(), this.#onWait);
    return this.#connection;
  }
}

class PatientConnection implements DatabaseConnection {
  readonly #connection: DatabaseConnection;
  readonly #onWait: () => void;

  constructor(connection: DatabaseConnection, onWait: () => void) {
    this.#connection = connection;
    this.#onWait = onWait;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    let waitedMs = 0;
    for (;;) {
      try {
        return await this.#connection.executeQuery<R>(query);
      } catch (error) {
        if (!(error instanceof MochiError && error.kind === 'database_busy') || waitedMs > PATIENCE_MS) {
          throw error;
        }
      }
      this.#onWait();
      const startedAt = performance.now();
      await setTimeout(1 + Math.random() * PAUSE_MS);
      waitedMs += performance.now() - startedAt;
    }
  }

  streamQuery<R>(query: CompiledQuery, chunkSize: number): AsyncIterableIterator<QueryResult<R>> {
    return this.#connection.streamQuery<R>(query, chunkSize);
  }
}
