// Opens a database of PostgreSQL: its pool, its schema brought up to date, and what is told of its changes.

import type { Driver } from 'kysely';
import { type ConnectionProvider, Kysely, PostgresDialect, type PostgresDialectConfig, sql } from 'kysely';
import { loadPgCursor } from '../../../kit/late-packages.ts';
import type { Log } from '../../../kit/log.ts';
import type { ChangeListener, StoreChange } from '../../change-notes.ts';
import type { Database, Db } from '../../database.ts';
import { readDatabaseClock } from '../../database-clock.ts';
import { setCommitWays } from '../../durable.ts';
import { migrate } from '../../migrations/migrate.ts';
import type { Snapshot } from '../../open-snapshot.ts';
import { StoreQueryCompiler } from './compiler.ts';
import { type DriverDoors, StoreConnection, StoreDriver } from './driver.ts';
import { isPassing, isToBeRepeated } from './errors.ts';
import { examineServer } from './examine-server.ts';
import { explainOpen } from './open-error.ts';
import { openClient, openLookingPool, openPatientPool, openServingPool } from './pool.ts';
import type { PostgresOptions } from './postgres-options.ts';
import { type Notice, Reach } from './reach.ts';
import { shownUrl } from './shown-url.ts';
import { type PlanningPool, toStorePool } from './store-pool.ts';

export interface PostgresStore {
  /** Whatever is written through it resolves once it is durable. */
  readonly db: Db;
  readonly migrationMs: number;
  onChange(listener: ChangeListener): void;
  /** As it is at this moment, for readers that take their time. */
  openSnapshot(): Promise<Snapshot>;
  /** @throws MochiError database_busy: it does not answer, or cannot be written to */
  refuseTrouble(): Promise<void>;
  /** See `Reach`: a connection that stays open. */
  keep(statements: readonly string[], heard: (notice: Notice | null) => void): Promise<void>;
  /** Says when the database goes, and when it is back. */
  watch(log: Log): void;
  /** Nobody waits any more for a database that is away. */
  hurry(): void;
  close(): Promise<void>;
}

/** @throws StoreOpenError */
export async function openPostgres({ url, pool: max }: PostgresOptions): Promise<PostgresStore> {
  let listener: ChangeListener | null = null;
  const tell = (changes: readonly StoreChange[]) => listener?.changed(changes);
  const migrationMs = await bringUpToDate(url);
  const { pool, cut } = openServingPool(url, max);
  const reach = new Reach({ connect: () => openClient(url), cut });
  const dialect = new StoreDialect({ pool, cursor: loadPgCursor() }, { tell, reach });
  const bare = new Kysely<Database>({ dialect });
  const db = persistent(bare, { dialect, reach, isPatient: false });
  const patient = persistent(bare, { dialect, reach, isPatient: true });
  setCommitWays(db, { unsynced: (action) => withoutSync(db, action), patient });
  setCommitWays(patient, { unsynced: (action) => withoutSync(patient, action), patient });
  return {
    db,
    migrationMs,
    onChange(heard) {
      listener = heard;
    },
    openSnapshot: () => openSnapshot(db),
    refuseTrouble: () => reach.check(),
    keep: (statements, heard) => reach.keep(statements, heard),
    watch: (log) => reach.watch(log),
    hurry: () => reach.hurry(),
    async close() {
      await reach.close();
      await bare.destroy();
    },
  };
}

/** A crash of this process loses nothing, one of the database a moment. */
function withoutSync<T>(db: Db, action: (transaction: Db) => Promise<T>): Promise<T> {
  return db.transaction().execute(async (transaction) => {
    await sql`set local synchronous_commit = off`.execute(transaction);
    return action(transaction);
  });
}

/** @returns how long the schema took. @throws StoreOpenError */
async function bringUpToDate(url: string): Promise<number> {
  const name = shownUrl(url);
  try {
    await examine(url, name);
    const { pool } = openPatientPool(url);
    const doors = { tell: () => undefined, reach: null };
    const db = new Kysely<Database>({ dialect: new StoreDialect({ pool }, doors) });
    try {
      const startedAt = performance.now();
      await migrate(db);
      await readDatabaseClock(db);
      return performance.now() - startedAt;
    } finally {
      await pool.end();
    }
  } catch (error) {
    throw explainOpen(error, name);
  }
}

async function examine(url: string, name: string): Promise<void> {
  const { pool } = openLookingPool(url);
  try {
    await examineServer(pool, name);
  } finally {
    await pool.end();
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

interface StoreDialectConfig extends PostgresDialectConfig {
  readonly pool: PlanningPool;
}

class StoreDialect extends PostgresDialect {
  readonly driver: StoreDriver;

  constructor(config: StoreDialectConfig, doors: DriverDoors) {
    const own = { ...config, pool: toStorePool(config.pool) };
    super(own);
    this.driver = new StoreDriver(own, doors);
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

interface Persistence {
  readonly dialect: StoreDialect;
  readonly reach: Reach;
  /** What cannot be done while the database is away is done when it is back. */
  readonly isPatient: boolean;
}

/** The same database, in which what had to give way to others is begun again. */
function persistent(bare: Db, { dialect, reach, isPatient }: Persistence): Db {
  const own = bare.getExecutor();
  const connections: ConnectionProvider = {
    async provideConnection(consumer, options) {
      let repeats = 0;
      let tries = 0;
      for (;;) {
        try {
          return await own.provideConnection((connection) => {
            if (connection instanceof StoreConnection) connection.isPatient = isPatient;
            return consumer(connection);
          }, options);
        } catch (error) {
          if (isToBeRepeated(error) && repeats < REPEATS) repeats += 1;
          else if (isPatient && isPassing(error)) await reach.wait(error, tries++);
          else throw error;
        }
      }
    },
  };
  const executor = own.withConnectionProvider(connections);
  return new Kysely<Database>({ config: { dialect }, dialect, driver: dialect.driver, executor });
}
