// A database read without a trace: no file is made or changed, not even by closing it.
import { rmSync, writeFileSync } from 'node:fs';
import SqliteDriver from 'better-sqlite3';
import { filesOf, lookAt, sizeOf } from './database-files.ts';
import { databaseUri } from './sqlite-uris.ts';

export interface ReadDatabase {
  readonly driver: SqliteDriver.Database;
  close(): void;
}

/**
 * For a database that nobody writes to meanwhile. What is in its log is read, too, and stays there.
 * @throws SqliteError for a file that is no database
 */
export function openUntouched(database: string): ReadDatabase {
  const { main, log, index } = filesOf(database);
  const hasIndex = lookAt(index) !== null;
  const isAllInFile = lookAt(log) === null || (!hasIndex && sizeOf(log) === 0);
  if (isAllInFile) return read(main, 'immutable=1', () => undefined);
  // An index that may only be read is made anew in memory, however empty it is.
  if (!hasIndex) writeFileSync(index, '');
  return read(main, 'readonly_shm=1', () => {
    if (!hasIndex) rmSync(index, { force: true });
  });
}

function read(main: string, how: string, cleanUp: () => void): ReadDatabase {
  let driver: SqliteDriver.Database;
  try {
    driver = openReadonly(main, how);
  } catch (error) {
    cleanUp();
    throw error;
  }
  return {
    driver,
    close: () => {
      driver.close();
      cleanUp();
    },
  };
}

function openReadonly(main: string, how: string): SqliteDriver.Database {
  const options = { readonly: true, timeout: 5000 };
  try {
    return new SqliteDriver(databaseUri(main, how), options);
  } catch (error) {
    // The program around us has opened a database before, and without URIs: that leaves an index without data.
    if (error instanceof SqliteDriver.SqliteError && error.code.startsWith('SQLITE_CANTOPEN'))
      return new SqliteDriver(main, options);
    throw error;
  }
}

/**
 * Keeps the log where it is: the last connection that is closed moves it into the database, unless it may only read.
 * @returns what lets go, to be called after the others were closed
 */
export function keepLog(database: string): () => void {
  try {
    const driver = new SqliteDriver(database, { readonly: true, fileMustExist: true, timeout: 5000 });
    try {
      driver.prepare('select count(*) from sqlite_schema').get();
    } catch {
      // It is damaged, and stays open all the same.
    }
    return () => {
      driver.close();
    };
  } catch {
    return () => undefined;
  }
}
