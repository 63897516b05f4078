// A copy of the database, made while others write, and checked.
import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import SqliteDriver from 'better-sqlite3';
import { makePrivateFile } from '../kit/private-files.ts';
import { databaseFile } from './database-files.ts';
import { openReadable } from './open-readable.ts';
import type { ReadDatabase } from './open-untouched.ts';
import { explain, StoreOpenError } from './store-open-error.ts';

/** The copy is not what it should be; `message` says why. */
export class BackupError extends Error {
  override readonly name = 'BackupError';
}

/** Rows that the copy has. */
export interface BackupCounts {
  readonly sessions: number;
  readonly messages: number;
}

const TABLES = ['sessions', 'messages', 'turns', 'tool_calls', 'meta'] as const;
type Counts = Readonly<Record<(typeof TABLES)[number], number>>;

/** More pages than a database can have: the whole copy is one step, so that no writer makes it begin again. */
const ALL_PAGES = 2 ** 31 - 1;

/**
 * Copies the database as it is at one moment into a new file, checks the copy against it and waits for the disk.
 * @throws StoreOpenError when there is no database to read, BackupError for a copy that is not sound
 */
export async function copyDatabase(dataDir: string, target: string): Promise<BackupCounts> {
  const source = openSource(dataDir);
  try {
    await copyTo(target, source);
    const counts = eraseTraces(target);
    await syncFile(target);
    return counts;
  } catch (error) {
    throw toBackupError(error, dataDir);
  }
}

function openSource(dataDir: string): ReadDatabase {
  const file = databaseFile(dataDir);
  if (!existsSync(file)) throw new StoreOpenError(`There is no database in ${dataDir} (--data-dir).`);
  try {
    return openReadable(file);
  } catch (error) {
    throw explain(error, dataDir, file);
  }
}

/** Closes the source. @throws BackupError for a copy that is not sound, SqliteError */
export async function copyTo(target: string, source: ReadDatabase): Promise<BackupCounts> {
  try {
    // The moment is fixed here, and the copy is of it.
    source.driver.exec('begin');
    return await copyUnchanged(target, source.driver);
  } finally {
    source.close();
  }
}

/** Of a connection that sees no change meanwhile. @throws BackupError, SqliteError */
export async function copyUnchanged(target: string, driver: SqliteDriver.Database): Promise<BackupCounts> {
  const expected = countRows(driver);
  makePrivateFile(target);
  await driver.backup(target, { progress: () => ALL_PAGES });
  checkCopy(target, expected);
  await syncFile(target);
  return expected;
}

function toBackupError(error: unknown, dataDir: string): unknown {
  if (!(error instanceof SqliteDriver.SqliteError)) return error;
  if (/CORRUPT|NOTADB|^SQLITE_ERROR/.test(error.code)) return explain(error, dataDir, databaseFile(dataDir));
  return new BackupError(`The copy could not be written (${error.code.toLowerCase()}): nothing was kept.`);
}

function checkCopy(target: string, expected: Counts): void {
  const copy = new SqliteDriver(target, { fileMustExist: true });
  try {
    // One file without a log beside it, which can be read from anywhere. A server turns the log on again.
    copy.pragma('journal_mode = DELETE');
    requireSound(copy);
    const found = countRows(copy);
    const short = TABLES.filter((table) => found[table] !== expected[table]);
    if (short.length > 0)
      throw new BackupError(`The copy lacks rows (${short.join(', ')}): nothing was kept.`);
  } finally {
    copy.close();
  }
}

/** Of what was deleted: a backup is kept for long, and goes to other places. @returns what it holds then */
function eraseTraces(target: string): BackupCounts {
  const copy = new SqliteDriver(target, { fileMustExist: true });
  try {
    const tables = copy.prepare("select name from sqlite_schema where type = 'table'").pluck().all();
    // Sessions that are deleted and still being cleared.
    if (tables.includes('session_rows')) copy.exec("delete from session_rows where hidden = 'deleted'");
    if (tables.includes('search_index'))
      copy.exec("insert into search_index (search_index) values ('optimize')");
    copy.exec("delete from meta where key = 'erase_due'; vacuum");
    requireSound(copy);
    return countRows(copy);
  } finally {
    copy.close();
  }
}

function requireSound(copy: SqliteDriver.Database): void {
  const verdict = copy.pragma('integrity_check(1)', { simple: true });
  if (verdict !== 'ok')
    throw new BackupError(`The copy is not sound (${String(verdict)}): nothing was kept.`);
}

function countRows(driver: SqliteDriver.Database): Counts {
  const count = (table: string) => Number(driver.prepare(`select count(*) from ${table}`).pluck().get());
  return {
    sessions: count('sessions'),
    messages: count('messages'),
    turns: count('turns'),
    tool_calls: count('tool_calls'),
    meta: count('meta'),
  };
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
