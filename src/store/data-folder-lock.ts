// One server per data folder. The lock is SQLite's own on a file of its own: the system frees it when the
// process ends, however it ends, so that there is no stale lock to clean up.
import { join } from 'node:path';
import SqliteDriver from 'better-sqlite3';
import { makePrivateFile } from '../kit/private-files.ts';
import { databaseFile, filesOf } from './database-files.ts';

/** Another process holds the data folder. */
export class DataFolderInUseError extends Error {
  override readonly name = 'DataFolderInUseError';
}

export interface DataFolderLock {
  /** Whether a database was made, or found to be used by nobody else, under this very lock file. */
  readonly knowsDatabase: boolean;
  /** From now on a database that is not there is missed. */
  noteDatabase(): void;
  release(): void;
}

/** Of the folder, and of the database where that is a link: two folders may link to one. @throws DataFolderInUseError */
export function lockDataFolder(dataDir: string): DataFolderLock {
  const own = join(dataDir, 'mochi.lock');
  const beside = filesOf(databaseFile(dataDir)).main.replace(/(\.db)?$/, '.lock');
  const locks = [lockFile(own)];
  try {
    if (filesOf(beside).main !== filesOf(own).main) locks.push(lockFile(beside));
  } catch (error) {
    locks[0]?.release();
    throw error;
  }
  return {
    knowsDatabase: locks.every((lock) => lock.knowsDatabase),
    noteDatabase: () => {
      for (const lock of locks) lock.noteDatabase();
    },
    release: () => {
      for (const lock of locks) lock.release();
    },
  };
}

function lockFile(path: string): DataFolderLock {
  makePrivateFile(path);
  const driver = new SqliteDriver(path, { timeout: 0 });
  let knowsDatabase: boolean;
  try {
    // The lock stays when a transaction ends.
    driver.pragma('locking_mode = EXCLUSIVE');
    driver.pragma('journal_mode = MEMORY');
    driver.exec('begin exclusive');
    knowsDatabase = driver.pragma('user_version', { simple: true }) === 1;
  } catch (error) {
    driver.close();
    if (error instanceof SqliteDriver.SqliteError && error.code.startsWith('SQLITE_BUSY')) {
      throw new DataFolderInUseError('Another mochi-server is using this data folder.');
    }
    throw error;
  }
  return {
    knowsDatabase,
    noteDatabase: () => {
      if (!knowsDatabase) driver.exec('pragma user_version = 1; commit');
    },
    release: () => {
      driver.close();
    },
  };
}
