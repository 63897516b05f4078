// One at a time, in the order in which they ask: whoever changes a session goes on from what the one before has left.
// SQLite has one connection, so that it is so there anyway.
import { setTimeout } from 'node:timers/promises';
import { type DialectAdapter, sql } from 'kysely';
import { MochiError } from '../contract/errors.ts';
import type { Db } from './database.ts';
import { dialectOf } from './dialect/dialect-of.ts';
import { commitEarly, isPatientDb } from './durable.ts';

/** The sessions that are being changed by this process, each with the end of the last who asked. */
type Lines = Map<string, Promise<void>>;

/** By what all that goes to a database shares. */
const linesOf = new WeakMap<DialectAdapter, Lines>();

/** How long somebody waits in line who can be asked to try again. */
const IN_LINE_MS = 5000;

/**
 * Those of this process in their order, and no connection is taken by who waits.
 * @throws MochiError database_busy when it takes too long, as while the one before waits for a database that is away
 */
function inLineOfSession<T>(db: Db, sessionId: string, work: () => Promise<T>): Promise<T> {
  if (dialectOf(db).name === 'sqlite') return work();
  const { adapter } = db.getExecutor();
  const lines: Lines = linesOf.get(adapter) ?? new Map();
  linesOf.set(adapter, lines);
  const before = lines.get(sessionId);
  const result =
    before === undefined ? work() : isPatientDb(db) ? before.then(work) : afterwards(before, work);
  const done = result.then(
    () => undefined,
    () => undefined,
  );
  // Whoever has given up does not let others pass.
  const end = before === undefined ? done : before.then(() => done);
  lines.set(sessionId, end);
  void end.then(() => {
    if (lines.get(sessionId) === end) lines.delete(sessionId);
  });
  return result;
}

async function afterwards<T>(before: Promise<void>, work: () => Promise<T>): Promise<T> {
  const inTime = new AbortController();
  const late = setTimeout(IN_LINE_MS, 'late' as const, { signal: inTime.signal }).catch(() => undefined);
  const isLate = (await Promise.race([before, late])) === 'late';
  inTime.abort();
  if (!isLate) return work();
  throw new MochiError(
    'database_busy',
    'Another change of the session has not ended. Nothing of this request was stored: try again.',
  );
}

/** Somebody of this process has asked to change it, and has not done. */
export function isSessionChanging(db: Db, sessionId: string): boolean {
  return linesOf.get(db.getExecutor().adapter)?.has(sessionId) === true;
}

/** First in a transaction that changes a session: other processes wait here until it is committed. */
async function lockSession(db: Db, sessionId: string): Promise<void> {
  if (dialectOf(db).name === 'sqlite') return;
  // Rows that name the session may be added meanwhile.
  await sql`select 1 from session_rows where id = ${sessionId} for no key update`.execute(db);
}

/** A key of an advisory lock. */
const IMPORTING = 0x6d6f_6369;

/** First in a transaction that looks which ids are free and takes them: other imports wait here until it is committed. */
export async function lockImports(db: Db): Promise<void> {
  if (dialectOf(db).name === 'sqlite') return;
  await sql`select pg_advisory_xact_lock(${sql.lit(IMPORTING)})`.execute(db);
}

/** The same that resolves when it is committed, and says when it is durable. */
export function changeSessionEarly<T>(
  db: Db,
  sessionId: string,
  change: (transaction: Db) => Promise<T>,
): ReturnType<typeof commitEarly<T>> {
  return inLineOfSession(db, sessionId, () =>
    commitEarly(db, async (transaction) => {
      await lockSession(transaction, sessionId);
      return change(transaction);
    }),
  );
}

/** A transaction that changes a session. */
export function changeSession<T>(
  db: Db,
  sessionId: string,
  change: (transaction: Db) => Promise<T>,
): Promise<T> {
  return inLineOfSession(db, sessionId, () =>
    db.transaction().execute(async (transaction) => {
      await lockSession(transaction, sessionId);
      return change(transaction);
    }),
  );
}
