// One at a time, in the order in which they ask: whoever changes a session goes on from what the one before has left.
// SQLite has one connection, so that it is so there anyway.
import { sql } from 'kysely';
import type { Db } from './database.ts';
import { dialectOf } from './dialect/dialect-of.ts';
import { commitEarly } from './durable.ts';

/** Of each database the sessions that are being changed by this process, each with the end of the last who asked. */
const linesOf = new WeakMap<Db, Map<string, Promise<void>>>();

/** Those of this process in their order, and no connection is taken by who waits. */
function inLineOfSession<T>(db: Db, sessionId: string, work: () => Promise<T>): Promise<T> {
  if (dialectOf(db).name === 'sqlite') return work();
  const lines = linesOf.get(db) ?? new Map<string, Promise<void>>();
  linesOf.set(db, lines);
  const result = (lines.get(sessionId) ?? Promise.resolve()).then(work);
  const end = result.then(
    () => undefined,
    () => undefined,
  );
  lines.set(sessionId, end);
  void end.then(() => {
    if (lines.get(sessionId) === end) lines.delete(sessionId);
  });
  return result;
}

/** First in a transaction that changes a session: other processes wait here until it is committed. */
async function lockSession(db: Db, sessionId: string): Promise<void> {
  if (dialectOf(db).name === 'sqlite') return;
  // Rows that name the session may be added meanwhile.
  await sql`select 1 from session_rows where id = ${sessionId} for no key update`.execute(db);
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
