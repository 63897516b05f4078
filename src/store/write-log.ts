// The write-ahead log of the connection that writes: how much is in it, and who moves that into the database. Left to
// itself SQLite does it inside of a commit, with two syncs that hold the event loop.
import type SqliteDriver from 'better-sqlite3';
import type { Db } from './database.ts';

/** SQLite's own measure. https://sqlite.org/pragma.html#pragma_wal_autocheckpoint */
const AUTO_PAGES = 1000;

export interface LogFill {
  readonly pages: number;
  /** Of them, how many are in the database as well. Once all are, the next commit begins the log anew. */
  readonly moved: number;
}

/** Has a lifetime: that of the connection. */
export class WriteLog {
  readonly #driver: SqliteDriver.Database;
  readonly #bare: Db;

  /** @param bare the database of the connection, whose commits wait for nobody */
  constructor(driver: SqliteDriver.Database, bare: Db) {
    this.#driver = driver;
    this.#bare = bare;
  }

  /** Costs some microseconds, and touches no disk. @returns null while the connection is in a transaction */
  look(): LogFill | null {
    if (this.#driver.inTransaction) return null;
    try {
      return readFill(this.#driver, 'noop');
    } catch {
      // A row of a long answer is being read.
      return null;
    }
  }

  /** @param isAuto whether SQLite moves it, in a commit */
  setAuto(isAuto: boolean): void {
    this.#driver.pragma(`wal_autocheckpoint = ${isAuto ? AUTO_PAGES : 0}`);
  }

  /** Nothing is written meanwhile, and nothing is read. */
  async whileStill(action: () => Promise<void>): Promise<void> {
    await this.#bare.connection().execute(action);
  }
}

/**
 * @param way `noop` only looks; `passive` moves what it can without making anybody wait; `restart` waits for those who
 *   write and read, so that the next commit begins the log anew. What moves syncs both files
 */
export function readFill(driver: SqliteDriver.Database, way: 'noop' | 'passive' | 'restart'): LogFill {
  const [told] = driver.pragma(`wal_checkpoint(${way})`) as { log: number; checkpointed: number }[];
  return { pages: told?.log ?? 0, moved: told?.checkpointed ?? 0 };
}
