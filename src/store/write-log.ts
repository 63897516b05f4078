// The write-ahead log: how much is in it, and moving that into the database. Left to itself SQLite does so inside of a
// commit, with two syncs that hold the event loop. https://sqlite.org/wal.html#ckpt
import { closeSync, openSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import SqliteDriver from 'better-sqlite3';
import type { Db } from './database.ts';
import { filesOf } from './database-files.ts';
import type { LogSync } from './log-sync.ts';

/** SQLite's own measure. https://sqlite.org/pragma.html#pragma_wal_autocheckpoint */
const AUTO_PAGES = 1000;
/** How long a log that is to begin anew waits for those who read from it, and how often it looks. */
const READERS_MS = 100;
const LOOK_MS = 5;

export interface LogFill {
  readonly pages: number;
  /** Of them, how many are in the database as well. Once all are, and nobody reads from it, the next commit begins the log anew. */
  readonly moved: number;
}

export interface WriteLogOptions {
  /** The connection that writes. */
  readonly driver: SqliteDriver.Database;
  /** The same, as kysely has it, whose commits wait for nobody. */
  readonly bare: Db;
  /** Of the database. It is open, and has a log. */
  readonly file: string;
  readonly logSync: LogSync;
}

/** Has a lifetime: that of the connection that writes. */
export class WriteLog {
  readonly #options: WriteLogOptions;
  /** Copies, and leaves the syncs to us. */
  readonly #copier: SqliteDriver.Database;
  /** While it reads, the log does not begin anew, and what was committed after its first row is not copied. */
  readonly #reader: SqliteDriver.Database;
  readonly #database: number;

  constructor(options: WriteLogOptions) {
    const { file } = options;
    this.#options = options;
    this.#copier = new SqliteDriver(file, { fileMustExist: true, timeout: 0 });
    this.#copier.pragma('wal_autocheckpoint = 0');
    this.#copier.pragma('synchronous = OFF');
    // Before it has read something it does not know that there is a log.
    readOne(this.#copier);
    this.#reader = new SqliteDriver(file, { readonly: true, fileMustExist: true, timeout: 0 });
    this.#database = openSync(filesOf(file).main, 'r+');
  }

  /** Costs some microseconds, and touches no disk. */
  look(): LogFill {
    return this.#checkpoint('noop').fill;
  }

  /** @param isAuto whether SQLite moves it, in a commit */
  setAuto(isAuto: boolean): void {
    this.#options.driver.pragma(`wal_autocheckpoint = ${isAuto ? AUTO_PAGES : 0}`);
  }

  /**
   * Moves what is committed now, while others read and write. In this order: the log is on the disk before its pages go
   * into the database, and they are on the disk before the log can begin anew. A power cut at any moment leaves a log
   * from which the next start makes the database whole.
   * @throws MochiError session_save_error: the disk did not keep one of the two, and nothing is written any more
   * @throws SqliteError the disk is full, or broken
   */
  async move(): Promise<LogFill> {
    const { logSync } = this.#options;
    this.#reader.exec('begin');
    try {
      readOne(this.#reader);
      await logSync.synced();
      const { fill } = this.#checkpoint('passive');
      await logSync.fileSynced(this.#database);
      return fill;
    } finally {
      // What the disk did not keep is in the log alone: that stays as it is.
      if (logSync.state !== 'failed') this.#reader.exec('rollback');
    }
  }

  /**
   * As `move`, of a log to which nothing is added: what somebody still reads from it is waited for, but not for long.
   * @returns whether the next commit begins it anew
   */
  async moveWhole(): Promise<boolean> {
    const until = performance.now() + READERS_MS;
    for (;;) {
      const { pages, moved } = await this.move();
      if (moved >= pages && this.#isUnread()) return true;
      if (performance.now() > until) return false;
      await setTimeout(LOOK_MS);
    }
  }

  /** Nothing is written meanwhile through this connection, and nothing is read. */
  async whileStill(action: () => Promise<void>): Promise<void> {
    await this.#options.bare.connection().execute(action);
  }

  /** Before the connection that writes is closed: the last one moves the log, and these would not sync it. */
  closeConnections(): void {
    this.#reader.close();
    this.#copier.close();
  }

  /** After that was closed: to close a file of the database takes away the locks that SQLite has on it. */
  closeFile(): void {
    closeSync(this.#database);
  }

  #isUnread(): boolean {
    // Another process may have added something since: that is moved with all syncs.
    this.#copier.pragma('synchronous = NORMAL');
    try {
      return !this.#checkpoint('restart').isBusy;
    } finally {
      this.#copier.pragma('synchronous = OFF');
    }
  }

  #checkpoint(way: 'noop' | 'passive' | 'restart'): { readonly isBusy: boolean; readonly fill: LogFill } {
    const [told] = this.#copier.pragma(`wal_checkpoint(${way})`) as Record<string, number>[];
    return {
      isBusy: told?.['busy'] !== 0,
      fill: { pages: told?.['log'] ?? 0, moved: told?.['checkpointed'] ?? 0 },
    };
  }
}

function readOne(driver: SqliteDriver.Database): void {
  driver.prepare('select count(*) from sqlite_schema').get();
}
