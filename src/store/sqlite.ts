// The SQLite connection under kysely: cached statements, immediate transactions, errors in our own words.
import SqliteDriver from 'better-sqlite3';
import type { SqliteDatabase, SqliteStatement } from 'kysely';
import { MochiError } from '../contract/errors.ts';
import { indexedWords } from '../kit/words.ts';
import { keepLog, type ReadDatabase } from './open-untouched.ts';

/** Kysely asks for few distinct texts; the bound only guards against one that is built from data. */
const MAX_CACHED_STATEMENTS = 500;

/** Who looks on when something is written. */
export interface WriteWatch {
  readonly refuseLoss: () => void;
  readonly committed: () => void;
}

const NOBODY: WriteWatch = { refuseLoss: () => undefined, committed: () => undefined };

export interface OpenedDatabase extends SqliteDatabase {
  /** For what kysely cannot do. */
  readonly driver: SqliteDriver.Database;
}

/**
 * Opens the file and sets it up for one writer that must not lose an acknowledged row:
 * WAL, and a sync at every commit (`synchronous=FULL`), so that a power cut keeps it too; who shares syncs lowers it.
 * @param watch.refuseLoss throws where the file is no longer what was opened: before each write, and before what was
 *   written counts
 * @param watch.committed called when what was written counts
 * @throws SqliteError for a file that is no database or cannot be opened
 */
export function openSqlite(file: string, watch: WriteWatch = NOBODY): OpenedDatabase {
  const driver = new SqliteDriver(file, { timeout: 5000 });
  try {
    driver.pragma('journal_mode = WAL');
    driver.pragma('synchronous = FULL');
    driver.pragma('foreign_keys = ON');
    // What is deleted is overwritten where it lies.
    driver.pragma('secure_delete = ON');
    driver.pragma('journal_size_limit = 67108864');
    driver.pragma('cache_size = -16000');
    // From here on nothing waits inside of SQLite, where it would hold the loop.
    driver.pragma('busy_timeout = 0');
    // The triggers of the search index call it.
    driver.function('search_words', { deterministic: true }, (text) => indexedWords(String(text)));
  } catch (error) {
    const letGo = keepLog(file);
    driver.close();
    letGo();
    throw error;
  }
  return { ...wrap(driver, watch), driver };
}

/**
 * As it is at this moment: what others write meanwhile is not seen, and nobody waits.
 */
export function snapshotOf({ driver, close }: ReadDatabase): SqliteDatabase {
  driver.exec('begin');
  // The first read is what fixes the moment.
  driver.prepare('select count(*) from sqlite_schema').get();
  return { ...wrap(driver, NOBODY), close };
}

/** Above this a full check would delay the start; SQLite still reports what it meets. 64 MiB. */
const MAX_CHECKED_BYTES = 64 * 1024 * 1024;

/** @throws DamagedDatabaseError */
export function refuseDamaged(driver: SqliteDriver.Database): void {
  const pages = Number(driver.pragma('page_count', { simple: true }));
  const pageSize = Number(driver.pragma('page_size', { simple: true }));
  if (pages * pageSize > MAX_CHECKED_BYTES) return;
  const verdict = driver.pragma('quick_check(1)', { simple: true });
  if (verdict !== 'ok') throw new DamagedDatabaseError(String(verdict));
}

/** The integrity check found damage. */
export class DamagedDatabaseError extends Error {
  override readonly name = 'DamagedDatabaseError';
}

function wrap(driver: SqliteDriver.Database, watch: WriteWatch): SqliteDatabase {
  const statements = new Map<string, SqliteStatement>();
  const translated = <T>(action: () => T): T => {
    try {
      return action();
    } catch (error) {
      throw toMochiError(error);
    }
  };
  return {
    close: () => driver.close(),
    prepare(sql) {
      const cached = statements.get(sql);
      if (cached !== undefined) return cached;
      const statement = guarded(driver, sql, prepare(driver, sql, translated), watch);
      if (statements.size >= MAX_CACHED_STATEMENTS) statements.clear();
      statements.set(sql, statement);
      return statement;
    },
  };
}

/** A transaction is looked after at its begin and its commit, a single write before and after it. */
function guarded(
  driver: SqliteDriver.Database,
  sql: string,
  statement: PreparedStatement,
  watch: WriteWatch,
): SqliteStatement {
  const { isWrite, ...own } = statement;
  if (sql === 'rollback' || !(isWrite || sql === 'begin' || sql === 'commit')) return own;
  const watched = <T>(action: () => T): T => {
    if (!driver.inTransaction) watch.refuseLoss();
    const result = action();
    if (!driver.inTransaction) {
      watch.refuseLoss();
      watch.committed();
    }
    return result;
  };
  return {
    ...own,
    all: (parameters) => watched(() => own.all(parameters)),
    run: (parameters) => watched(() => own.run(parameters)),
  };
}

interface PreparedStatement extends SqliteStatement {
  readonly isWrite: boolean;
}

type Translated = <T>(action: () => T) => T;

function prepare(driver: SqliteDriver.Database, sql: string, translated: Translated): PreparedStatement {
  // Deferred transactions that read first can fail with SQLITE_BUSY at their first write, without any waiting.
  const statement = translated(() => driver.prepare(sql === 'begin' ? 'begin immediate' : sql));
  return {
    reader: statement.reader,
    isWrite: !statement.readonly,
    all: (parameters) => translated(() => statement.all(...parameters)),
    run: (parameters) => {
      // SQLite rolls back by itself on a full disk; the rollback that follows would hide the cause.
      if (sql === 'rollback' && !driver.inTransaction) return { changes: 0, lastInsertRowid: 0 };
      return translated(() => statement.run(...parameters));
    },
    // A statement of its own: a shared one is busy until its last row was read.
    iterate: (parameters) => translated(() => driver.prepare(sql).iterate(...parameters)),
  };
}

/** Faults of the disk and the file become errors that a client may see; the rest stays internal. */
export function toMochiError(error: unknown): unknown {
  if (!(error instanceof SqliteDriver.SqliteError)) return error;
  if (/^SQLITE_(BUSY|LOCKED)/.test(error.code)) {
    return new MochiError(
      'database_busy',
      'Another program is writing to the database, such as an import. Nothing of this request was stored: try again.',
      { reason: error.code.toLowerCase() },
    );
  }
  if (/^SQLITE_(FULL|READONLY|IOERR(?!_(READ|SHORT_READ|CORRUPTFS))|CANTOPEN)/.test(error.code)) {
    return new MochiError(
      'session_save_error',
      'The data could not be written: the disk is full or read-only. Nothing of this request was stored.',
      { reason: error.code.toLowerCase() },
    );
  }
  if (/^SQLITE_(CORRUPT|NOTADB|IOERR)/.test(error.code)) {
    return new MochiError(
      'session_load_error',
      'The stored data could not be read. Check the disk; the log has the reason.',
      {
        reason: error.code.toLowerCase(),
      },
    );
  }
  return error;
}
