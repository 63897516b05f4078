// Opens the data folder: one lock, one database, its schema brought up to date.
import { dirname } from 'node:path';
import type SqliteDriver from 'better-sqlite3';
import { Kysely, SqliteAdapter, SqliteDialect, type SqliteDialectConfig } from 'kysely';
import { syncFolder } from '../kit/atomic-file.ts';
import { makePrivateFile, makePrivateFolder } from '../kit/private-files.ts';
import { type ChangeNotes, createChangeNotes } from './change-notes.ts';
import { DataFolderInUseError, type DataFolderLock, lockDataFolder } from './data-folder-lock.ts';
import type { Database, Db } from './database.ts';
import { databaseFile, filesOf } from './database-files.ts';
import { DatabaseGuard } from './database-guard.ts';
import { PreparedOnceCompiler } from './dialect/sqlite/compiler.ts';
import { finishCommits } from './durable.ts';
import { examineDatabase } from './examine-database.ts';
import { type Disk, type DiskState, LogSync } from './log-sync.ts';
import { migrate } from './migrations/migrate.ts';
import { keepLog } from './open-untouched.ts';
import { PatientSqliteDriver } from './patient-driver.ts';
import { rescueDatabase } from './rescue-database.ts';
import { openSqlite } from './sqlite.ts';
import { explain, requireRights } from './store-open-error.ts';
import { WriteLog } from './write-log.ts';

export interface Store {
  /** Whatever is written through it resolves once it is durable. */
  readonly db: Db;
  readonly file: string;
  /** How the disk has kept what was written so far. After `failed` nothing is written any more. */
  diskState(): DiskState;
  /** @throws MochiError storage_lost, database_busy: what is written now would not be stored, or not soon */
  refuseTrouble(): void;
  /** For how long this process has written nothing. */
  quietMs(): number;
  /** Tells which sessions and turns are changed. */
  readonly onChange: ChangeNotes['onChange'];
  lookForOthers(): void;
  /** @param listener called whenever a statement has to wait for somebody else's */
  onWait(listener: () => void): void;
  /** Whether the file is still there. While it is not, nothing is written. */
  readonly guard: DatabaseGuard;
  /** Null where each commit syncs: there SQLite moves the log itself, as well. */
  readonly writeLog: WriteLog | null;
  /** What it took to bring the schema up to date. */
  readonly migrationMs: number;
  /** Saves what a lost database holds beside its place, as a backup. @returns where */
  rescue(): Promise<string>;
  close(): Promise<void>;
  /** Closes it and leaves the files as they are, without moving the log into the database: after a fault. */
  leave(): Promise<void>;
}

export interface OpenStoreOptions {
  /** Made when it is missing. */
  readonly dataDir: string;
  /** false: another process may be the server of this folder (commands that only add). */
  readonly exclusive: boolean;
  /** Make a database even where one was that is gone. */
  readonly newDatabase?: boolean;
  /** Default: `shared` for a server. */
  readonly sync?: SyncWay;
  /** What keeps the log where syncs are shared; missing: what the system has. */
  readonly disk?: Disk | undefined;
}

/** `commit`: SQLite syncs in each commit. `shared`: one sync, off the event loop, for all that was committed before it. */
export type SyncWay = 'commit' | 'shared';

/** @throws StoreOpenError; the files are then as they were */
export async function openStore(options: OpenStoreOptions): Promise<Store> {
  const { dataDir, exclusive, newDatabase = false } = options;
  const file = databaseFile(dataDir);
  let lock: DataFolderLock | null = null;
  let bare: Db | undefined;
  let guard: DatabaseGuard | null = null;
  let logSync: LogSync | null = null;
  let writeLog: WriteLog | null = null;
  let writtenAt = performance.now();
  let commits = 0;
  let onWait: () => void = () => undefined;
  const leave = async () => {
    await logSync?.close();
    if (bare !== undefined) {
      const letGo = keepLog(file);
      await closeDatabase(bare, writeLog);
      letGo();
    }
    lock?.release();
  };
  try {
    makePrivateFolder(dataDir);
    requireRights(dataDir, file);
    lock = exclusive ? lockDataFolder(dataDir) : lockUnlessServed(dataDir);
    if (lock !== null) examineDatabase(file, { lock, exclusive, newDatabase });
    makePrivateFile(file);
    const database = openSqlite(file, {
      refuseLoss: () => {
        writtenAt = performance.now();
        logSync?.refuseFailure();
        guard?.refuseLoss();
      },
      committed: () => {
        commits += 1;
      },
    });
    const notes = createChangeNotes(database.driver);
    const dialect = new AtomicSqliteDialect({ database }, () => onWait());
    const opened = new Kysely<Database>({ dialect });
    bare = opened;
    const migrationMs = await bringUpToDate(opened, database.driver);
    if (exclusive) lock?.noteDatabase();
    else lock?.release();
    logSync = await openLogSync(database.driver, file, options);
    writeLog = logSync && new WriteLog({ driver: database.driver, bare: opened, file, logSync });
    const log = { logSync, notes, commits: () => commits };
    const { onChange, lookForOthers } = notes;
    const itsGuard = new DatabaseGuard(file);
    guard = itsGuard;
    return {
      db: finishCommits({ bare: opened, dialect, driver: dialect.driver }, log),
      file,
      guard,
      writeLog,
      migrationMs,
      quietMs: () => performance.now() - writtenAt,
      diskState: () => logSync?.state ?? 'fine',
      refuseTrouble() {
        logSync?.refuseTrouble();
        itsGuard.refuseLoss();
      },
      onChange,
      lookForOthers: () => lookForOthers(itsGuard.rewrites),
      onWait: (listener) => {
        onWait = listener;
      },
      rescue: () => rescueDatabase(dataDir, database.driver),
      async close() {
        // What the disk did not keep is not moved into the database: the next start sees in the log how far it is whole.
        if (logSync?.state === 'failed') return leave();
        await logSync?.close();
        await closeDatabase(opened, writeLog);
        if (exclusive) lock?.release();
      },
      leave,
    };
  } catch (error) {
    await leave();
    throw explain(error, dataDir, file);
  }
}

async function closeDatabase(bare: Db, writeLog: WriteLog | null): Promise<void> {
  writeLog?.closeConnections();
  await bare.destroy();
  writeLog?.closeFile();
}

/** @returns how long it took, in milliseconds */
async function bringUpToDate(db: Db, driver: SqliteDriver.Database): Promise<number> {
  const startedAt = performance.now();
  // A migration may change the text of the schema.
  driver.unsafeMode(true);
  await migrate(db);
  driver.unsafeMode(false);
  return performance.now() - startedAt;
}

/** Null where each commit syncs. On macOS only SQLite's own sync reaches the disk (`PRAGMA fullfsync`). */
async function openLogSync(
  driver: SqliteDriver.Database,
  file: string,
  { exclusive, sync = exclusive ? 'shared' : 'commit', disk }: OpenStoreOptions,
): Promise<LogSync | null> {
  if (sync === 'commit' || process.platform === 'darwin') return null;
  const { log } = filesOf(file);
  // SQLite may have made it just now: its name is to be on the disk as well.
  await syncFolder(dirname(log));
  const logSync = new LogSync(log, disk);
  driver.pragma('synchronous = NORMAL');
  return logSync;
}

/** Null where a server has the folder: it has examined the database. */
function lockUnlessServed(dataDir: string): DataFolderLock | null {
  try {
    return lockDataFolder(dataDir);
  } catch (error) {
    if (error instanceof DataFolderInUseError) return null;
    throw error;
  }
}

/** SQLite can roll a change of the schema back; kysely does not count on it. A kill then leaves no half of one. */
class AtomicSqliteDialect extends SqliteDialect {
  readonly driver: PatientSqliteDriver;

  constructor(config: SqliteDialectConfig, onWait: () => void) {
    super(config);
    this.driver = new PatientSqliteDriver(config, onWait);
  }

  override createAdapter(): SqliteAdapter {
    return new AtomicSqliteAdapter();
  }

  override createDriver(): PatientSqliteDriver {
    return this.driver;
  }

  override createQueryCompiler(): PreparedOnceCompiler {
    return new PreparedOnceCompiler();
  }
}

class AtomicSqliteAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}
