// A database opened for reading beside whoever writes to it, also where nothing may be written.
import SqliteDriver from 'better-sqlite3';
import { filesOf, sizeOf } from './database-files.ts';
import { openUntouched, type ReadDatabase } from './open-untouched.ts';
import { StoreOpenError } from './store-open-error.ts';

/** @throws StoreOpenError, SqliteError for a file that is not there, is no database or cannot be opened */
export function openReadable(file: string): ReadDatabase {
  const driver = new SqliteDriver(file, { readonly: true, fileMustExist: true, timeout: 5000 });
  try {
    // Only the first read opens the log, and makes its index.
    driver.prepare('select count(*) from sqlite_schema').get();
    return { driver, close: () => driver.close() };
  } catch (error) {
    driver.close();
    if (!(error instanceof SqliteDriver.SqliteError && /^SQLITE_(CANTOPEN|READONLY)/.test(error.code)))
      throw error;
    return openUnwritable(file, error);
  }
}

/** In a folder where no index of the log can be made. Without an index nobody has the database open. */
function openUnwritable(file: string, cause: Error): ReadDatabase {
  const { log, index } = filesOf(file);
  try {
    return openUntouched(file);
  } catch (error) {
    if (sizeOf(log) === 0) throw cause;
    throw new StoreOpenError(
      `${file} cannot be read where it is: its last changes are in ${log}, and its folder is read-only, so that ${index} cannot be made. ` +
        'Copy both files to a folder that may be written, and use that with --data-dir.',
      { cause: error },
    );
  }
}
