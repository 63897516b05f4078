// Opens the data folder: one lock, one database, its schema brought up to date.
import { Kysely, SqliteAdapter, SqliteDialect, type SqliteDialectConfig } from 'kysely';
import { Migrator } from 'kysely/migration';
import { makePrivateFile, makePrivateFolder } from '../kit/private-files.ts';
import { type ChangeNotes, createChangeNotes } from './change-notes.ts';
import { DataFolderInUseError, type DataFolderLock, lockDataFolder } from './data-folder-lock.ts';
import type { Database, Db } from './database.ts';
import { databaseFile } from './database-files.ts';
import { DatabaseGuard } from './database-guard.ts';
import { examineDatabase } from './examine-database.ts';
import { MIGRATIONS } from './migrations/migrations.ts';
import { keepLog } from './open-untouched.ts';
import { PatientSqliteDriver } from './patient-driver.ts';
import { rescueDatabase } from './rescue-database.ts';
import { openSqlite } from './sqlite.ts';
import { explain, requireRights } from './store-open-error.ts';

export interface Store {
  readonly db: Db;
  readonly file: string;
  /** For how long this process has written nothing. */
  quietMs(): number;
  /** Tells which sessions and turns are changed. */
  readonly onChange: ChangeNotes['onChange'];
  lookForOthers(): void;
  /** @param listener called whenever a statement has to wait for somebody else's */
  onWait(listener: () => void): void;
  /** Whether the file is still there. While it is not, nothing is written. */
  readonly guard: DatabaseGuard;
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
}

/** @throws StoreOpenError; the files are then as they were */
export async function openStore(options: OpenStoreOptions): Promise<Store> {
  const { dataDir, exclusive, newDatabase = false } = options;
  const file = databaseFile(dataDir);
  let lock: DataFolderLock | null = null;
  let db: Db | undefined;
  let guard: DatabaseGuard | null = null;
  let writtenAt = performance.now();
  let notes: ChangeNotes | null = null;
  let onWait: () => void = () => undefined;
  const leave = async () => {
    if (db !== undefined) {
      const letGo = keepLog(file);
      await db.destroy();
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
        guard?.refuseLoss();
      },
      committed: () => notes?.committed(),
    });
    notes = createChangeNotes(database.driver);
    db = new Kysely<Database>({ dialect: new AtomicSqliteDialect({ database }, () => onWait()) });
    const startedAt = performance.now();
    await migrate(db);
    const migrationMs = performance.now() - startedAt;
    if (exclusive) lock?.noteDatabase();
    else lock?.release();
    const opened = db;
    const close = async () => {
      await opened.destroy();
      if (exclusive) lock?.release();
    };
    const { onChange, lookForOthers } = notes;
    const itsGuard = new DatabaseGuard(file);
    guard = itsGuard;
    const rescue = () => rescueDatabase(dataDir, database.driver);
    return {
      db,
      file,
      guard,
      migrationMs,
      quietMs: () => performance.now() - writtenAt,
      onChange,
      lookForOthers: () => lookForOthers(itsGuard.rewrites),
      onWait: (listener) => {
        onWait = listener;
      },
      rescue,
      close,
      leave,
    };
  } catch (error) {
    await leave();
    throw explain(error, dataDir, file);
  }
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
  readonly #config: SqliteDialectConfig;
  readonly #onWait: () => void;

  constructor(config: SqliteDialectConfig, onWait: () => void) {
    super(config);
    this.#config = config;
    this.#onWait = onWait;
  }

  override createAdapter(): SqliteAdapter {
    return new AtomicSqliteAdapter();
  }

  override createDriver(): PatientSqliteDriver {
    return new PatientSqliteDriver(this.#config, this.#onWait);
  }
}

class AtomicSqliteAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

async function migrate(db: Db): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => ({ ...MIGRATIONS }) } });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw error;
}
