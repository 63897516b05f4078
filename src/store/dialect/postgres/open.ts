// Opens a database of PostgreSQL: its pool, its schema brought up to date, and what is told of its changes.

import type { Driver } from 'kysely';
import { type ConnectionProvider, Kysely, PostgresDialect, type PostgresDialectConfig, sql } from 'kysely';
import { loadPgCursor } from '../../../kit/late-packages.ts';
import type { ChangeListener, StoreChange } from '../../change-notes.ts';
import type { Database, Db } from '../../database.ts';
import { commitUnsyncedBy } from '../../durable.ts';
import { migrate } from '../../migrations/migrate.ts';
import type { Snapshot } from '../../open-snapshot.ts';
import { StoreQueryCompiler } from './compiler.ts';
import { StoreDriver } from './driver.ts';
import { isToBeRepeated } from './errors.ts';
import { examineServer } from './examine-server.ts';
import { explainOpen } from './open-error.ts';
import { openPatientPool, openServingPool } from './pool.ts';
import type { PostgresOptions } from './postgres-options.ts';
import { shownUrl } from './shown-url.ts';

export interface PostgresStore {
  /** Whatever is written through it resolves once it is durable. */
  readonly db: Db;
  readonly migrationMs: number;
  onChange(listener: ChangeListener): void;
  /** As it is at this moment, for readers that take their time. */
  openSnapshot(): Promise<Snapshot>;
  close(): Promise<void>;
}

/** @throws StoreOpenError */
export async function openPostgres({ url, pool: max }: PostgresOptions): Promise<PostgresStore> {
  let listener: ChangeListener | null = null;
  const tell = (changes: readonly StoreChange[]) => listener?.changed(changes);
  const migrationMs = await bringUpToDate(url);
  const dialect = new StoreDialect({ pool: openServingPool(url, max), cursor: loadPgCursor() }, tell);
  const bare = new Kysely<Database>({ dialect });
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
}

/** @returns how long the schema took. @throws StoreOpenError */
async function bringUpToDate(url: string): Promise<number> {
  const name = shownUrl(url);
  try {
    const pool = openPatientPool(url);
    const db = new Kysely<Database>({ dialect: new StoreDialect({ pool }, () => undefined) });
    try {
      await examineServer(pool, name);
      const startedAt = performance.now();
      await migrate(db);
      return performance.now() - startedAt;
    } finally {
      await pool.end();
    }
  } catch (error) {
    throw explainOpen(error, name);
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
