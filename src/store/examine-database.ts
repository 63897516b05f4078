// What stands in the way of using the files of a data folder, found before anything is written to them.
import SqliteDriver from 'better-sqlite3';
import { nameStamp } from '../kit/clock.ts';
import type { DataFolderLock } from './data-folder-lock.ts';
import { type DatabaseFiles, databaseFile, filesOf, lookAt, setAside, sizeOf } from './database-files.ts';
import { readHeader } from './database-header.ts';
import { MIGRATIONS } from './migrations/migrations.ts';
import { isTooOld, MIN_VERSION_KEY } from './min-version.ts';
import { openUntouched } from './open-untouched.ts';
import { DamagedDatabaseError, refuseDamaged } from './sqlite.ts';
import { explain, StoreOpenError, writtenByNewer } from './store-open-error.ts';

interface Examination {
  readonly lock: DataFolderLock;
  /** Nobody else may use the database. */
  readonly exclusive: boolean;
  /** Make one even where one was that is gone. */
  readonly newDatabase: boolean;
}

/**
 * To be called by who holds the lock of the folder.
 * @throws StoreOpenError, SqliteError, DamagedDatabaseError; every file is then as it was
 */
export function examineDatabase(file: string, { lock, exclusive, newDatabase }: Examination): void {
  const files = filesOf(file);
  refuseStrangeFile(file, files);
  if (sizeOf(files.main) === 0) {
    if (lock.knowsDatabase || sizeOf(files.log) > 0) missDatabase(file, files, newDatabase);
    return;
  }
  refuseUnusable(file, files);
  if (exclusive && !lock.knowsDatabase) refuseOtherUsers(file);
}

/** Only looks, also beside a running server. @throws what `examineDatabase` throws */
export function checkDatabase(dataDir: string): void {
  const file = databaseFile(dataDir);
  try {
    const files = filesOf(file);
    refuseStrangeFile(file, files);
    if (sizeOf(files.main) > 0) refuseUnusable(file, files);
  } catch (error) {
    throw explain(error, dataDir, file);
  }
}

function refuseUnusable(file: string, files: DatabaseFiles): void {
  // A transaction was cut off: SQLite has to take it back before the file can be read.
  if (sizeOf(files.journal) > 0) return;
  const header = readHeader(files.main);
  // Its log alone could look like a sound database.
  if (header === null) throw new DamagedDatabaseError('file is not a database');
  if (!header.hasLog) refuseForeignLog(file, files);
  refuseForeignContent(file);
}

function missDatabase(file: string, { main, log, index }: DatabaseFiles, newDatabase: boolean): void {
  if (newDatabase) {
    setAside([log, index], `before-${nameStamp()}`);
    return;
  }
  const state = lookAt(main) === null ? 'gone' : 'empty';
  const left = sizeOf(log) > 0 ? `; ${log}, with its last changes, is still there` : '';
  throw new StoreOpenError(
    `${file} is ${state}, but there was a database${left}. Put it back, or a backup in its place ` +
      '(mochi-server restore FILE), or begin anew with --new-database.',
  );
}

function refuseStrangeFile(file: string, { main }: DatabaseFiles): void {
  const found = lookAt(main);
  if (found === null) return;
  if (!found.isFile())
    throw new StoreOpenError(`${file} is no file. Move it away, or choose another folder with --data-dir.`);
  // Under each name SQLite would keep another log, and then each would write over the other.
  if (found.nlink < 2) return;
  throw new StoreOpenError(
    `${file} has a second name (a hard link) somewhere, and a database must have one only. It was left as it is: ` +
      'remove the other name, or copy the file and put the copy in its place.',
  );
}

/** A database without a log of its own, such as a backup: SQLite would play whatever log lies beside it into it. */
function refuseForeignLog(file: string, { log, index }: DatabaseFiles): void {
  if (sizeOf(log) === 0) return;
  throw new StoreOpenError(
    `${file} is a backup or a copy, but ${log} belongs to the database that was there before, and would destroy it. ` +
      `Both were left as they are: move ${log} and ${index} away and start again, ` +
      'or put the former database back and use mochi-server restore FILE.',
  );
}

function refuseForeignContent(file: string): void {
  const fault = contentFault(file);
  if (fault !== null && fault !== 'foreign') throw writtenByNewer(file, fault.needs);
  if (fault === null) return;
  throw new StoreOpenError(
    `${file} is a database of another program. It was left as it is: choose another folder with --data-dir.`,
  );
}

/** With the version that it needs; null: that is not known. */
interface WrittenByNewer {
  readonly needs: string | null;
}

/** Of a database that nobody writes to. @throws DamagedDatabaseError, SqliteError */
export function contentFault(file: string): 'foreign' | WrittenByNewer | null {
  const { driver, close } = openUntouched(file);
  try {
    refuseDamaged(driver);
    const tables = driver.prepare("select name from sqlite_schema where type = 'table'").pluck().all();
    if (tables.length === 0) return null;
    if (!tables.includes('kysely_migration')) return 'foreign';
    const done = driver.prepare('select name from kysely_migration').pluck().all().map(String);
    const known = Object.keys(MIGRATIONS);
    // Others keep their migrations like that, too.
    if (done.length > 0 && !done.includes(known[0] ?? '')) return 'foreign';
    const needs = tables.includes('meta')
      ? driver.prepare<[string], string>('select value from meta where key = ?').pluck().get(MIN_VERSION_KEY)
      : undefined;
    if (needs !== undefined && isTooOld(needs)) return { needs };
    return done.every((name) => known.includes(name)) ? null : { needs: null };
  } finally {
    close();
  }
}

/** Without the lock file that it was used under, only the database itself can tell. */
function refuseOtherUsers(file: string): void {
  const driver = new SqliteDriver(file, { fileMustExist: true, timeout: 2000 });
  try {
    driver.pragma('locking_mode = EXCLUSIVE');
    driver.exec('begin exclusive; rollback');
  } catch (error) {
    if (!(error instanceof SqliteDriver.SqliteError && error.code.startsWith('SQLITE_BUSY'))) throw error;
    throw new StoreOpenError(
      `${file} is in use by another process, maybe a mochi-server whose mochi.lock was deleted. Stop it first.`,
    );
  } finally {
    driver.close();
  }
}
