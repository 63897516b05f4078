// Opens a database of PostgreSQL: its pool, its schema brought up to date, and what is told of its changes.

import type { Driver } from 'kysely';
import { type ConnectionProvider, Kysely, PostgresDialect, type PostgresDialectConfig, sql } from 'kysely';
import { loadPg, loadPgCursor } from '../../../kit/late-packages.ts';
import type { ChangeListener, StoreChange } from '../../change-notes.ts';
import type { Database, Db } from '../../database.ts';
import { commitUnsyncedBy } from '../../durable.ts';
import { migrate } from '../../migrations/migrate.ts';
import type { Snapshot } from '../../open-snapshot.ts';
import { StoreQueryCompiler } from './compiler.ts';
import { StoreDriver } from './driver.ts';
import { isToBeRepeated } from './errors.ts';
import type { PostgresOptions } from './postgres-options.ts';

export interface PostgresStore {
  /** Whatever is written through it resolves once it is durable. */
  readonly db: Db;
  readonly migrationMs: number;
  onChange(listener: ChangeListener): void;
  /** As it is at this moment, for readers that take their time. */
  openSnapshot(): Promise<Snapshot>;
  close(): Promise<void>;
}

/** How long is waited for a connection, new or of the pool. */
const CONNECT_MS = 5000;
const STATEMENT_MS = 30_000;
const IDLE_IN_TRANSACTION_MS = 10_000;

/** Of 64-bit and arbitrary numbers, which the driver gives as text: ours are counts, sums, places and milliseconds. */
const NUMBERS = new Set([20, 1700]);

/** @throws what the driver says when it cannot be reached, or refuses */
export async function openPostgres({ url, pool: max }: PostgresOptions): Promise<PostgresStore> {
  const { Pool, types } = loadPg();
  let listener: ChangeListener | null = null;
  const tell = (changes: readonly StoreChange[]) => listener?.changed(changes);
  const pool = new Pool({
    connectionString: url,
    max,
    application_name: 'mochi-server',
    connectionTimeoutMillis: CONNECT_MS,
    statement_timeout: STATEMENT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    types: {
      getTypeParser: (oid: number, format?: 'text' | 'binary') =>
        NUMBERS.has(oid) ? Number : types.getTypeParser(oid, format),
    },
  });
  // A connection that rests in the pool was cut: the next one is made anew, and whoever needs it hears of it.
  pool.on('error', () => undefined);
  const dialect = new StoreDialect({ pool, cursor: loadPgCursor() }, tell);
  const bare = new Kysely<Database>({ dialect });
  try {
    const startedAt = performance.now();
    await migrate(bare);
    const migrationMs = performance.now() - startedAt;
    const db = repeating(bare, dialect);
    commitUnsyncedBy(db, (action) =>
      db.transaction().execute(async (transaction) => {
        // A crash of this process loses nothing, one of the database a moment.
        await sql`set local synchronous_commit = off`.execute(transaction);
        return action(transaction);
      }),
    );
    return {
      db,
      migrationMs,
      onChange(heard) {
        listener = heard;
      },
      openSnapshot: () => openSnapshot(db),
      close: () => bare.destroy(),
    };
  } catch (error) {
    await bare.destroy();
    throw error;
  }
}

async function openSnapshot(db: Db): Promise<Snapshot> {
  const snapshot = await db
    .startTransaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute();
  // Its reader may be slow.
  await sql`set local idle_in_transaction_session_timeout = 0`.execute(snapshot);
  return {
    db: snapshot,
    close: async () => {
      await snapshot.rollback().execute();
    },
  };
}

class StoreDialect extends PostgresDialect {
  readonly driver: StoreDriver;

  constructor(config: PostgresDialectConfig, tell: (changes: readonly StoreChange[]) => void) {
    super(config);
    this.driver = new StoreDriver(config, tell);
  }

  override createDriver(): Driver {
    return this.driver;
  }

  override createQueryCompiler(): StoreQueryCompiler {
    return new StoreQueryCompiler();
  }
}

/** How often a transaction is begun again that had to give way to others. */
const REPEATS = 3;

/** The same database, in which what had to give way to others is begun again. */
function repeating(bare: Db, dialect: StoreDialect): Db {
  const own = bare.getExecutor();
  const connections: ConnectionProvider = {
    async provideConnection(consumer, options) {
      for (let repeats = 0; ; repeats += 1) {
        try {
          return await own.provideConnection(consumer, options);
        } catch (error) {
          if (repeats >= REPEATS || !isToBeRepeated(error)) throw error;
        }
      }
    },
  };
  const executor = own.withConnectionProvider(connections);
  return new Kysely<Database>({ config: { dialect }, dialect, driver: dialect.driver, executor });
}
