// One server per data folder. The lock is SQLite's own on a file of its own: the system frees it when the
// process ends, however it ends, so that there is no stale lock to clean up.
import { join } from 'node:path';
import SqliteDriver from 'better-sqlite3';

/** Another process holds the data folder. */
export class DataFolderInUseError extends Error {
  override readonly name = 'DataFolderInUseError';
}

/**
 * @returns what frees the lock
 * @throws DataFolderInUseError
 */
export function lockDataFolder(dataDir: string): () => void {
  const driver = new SqliteDriver(join(dataDir, 'mochi.lock'), { timeout: 0 });
  try {
    driver.exec('begin exclusive');
  } catch (error) {
    driver.close();
    if (error instanceof SqliteDriver.SqliteError && error.code.startsWith('SQLITE_BUSY')) {
      throw new DataFolderInUseError('Another mochi-server is using this data folder.');
    }
    throw error;
  }
  return () => {
    driver.close();
  };
}
