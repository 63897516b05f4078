// Writes a session that is there whole or not at all: a small one in one transaction, a large one in slices that
// nobody sees before the last.

import { instantNow } from '../kit/clock.ts';
import { clearSession, restAfter } from './clear-session.ts';
import type { Db } from './database.ts';
import { commitUnsynced } from './durable.ts';
import {
  condemnSession,
  hideSession,
  IncomingLostError,
  renewIncoming,
  revealSession,
} from './hidden-sessions.ts';

/** A bounded piece of work inside one transaction. */
export type Slice = (db: Db) => Promise<void>;

export interface IncomingSession {
  /** Inserts the session's row. @returns its id */
  begin(db: Db): Promise<string>;
  /** Everything else that is large. */
  slices(sessionId: string): Iterable<Slice>;
  /** With the last slice; the session can be seen now. What it throws undoes everything. */
  finish(db: Db, sessionId: string): Promise<void>;
}

/** @returns the id of the session, which is there now */
export async function receiveSession(db: Db, incoming: IncomingSession): Promise<string> {
  let mark = instantNow();
  let startedAt = performance.now();
  const { sessionId, slices, second } = await db.transaction().execute(async (transaction) => {
    const sessionId = await incoming.begin(transaction);
    const slices = incoming.slices(sessionId)[Symbol.iterator]();
    const first = slices.next();
    if (!first.done) await first.value(transaction);
    const second = first.done ? first : slices.next();
    if (second.done) await incoming.finish(transaction, sessionId);
    else await hideSession(transaction, sessionId, 'incoming', mark);
    return { sessionId, slices, second };
  });
  const renew = async (transaction: Db) => {
    const now = instantNow();
    await renewIncoming(transaction, sessionId, { from: mark, to: now });
    return now;
  };
  try {
    for (let next = second; !next.done; next = slices.next()) {
      const slice = next.value;
      await restAfter(startedAt);
      startedAt = performance.now();
      mark = await commitUnsynced(db, async (transaction) => {
        const renewed = await renew(transaction);
        await slice(transaction);
        return renewed;
      });
    }
    if (!second.done) {
      await restAfter(startedAt);
      await db.transaction().execute(async (transaction) => {
        await renew(transaction);
        await revealSession(transaction, sessionId);
        await incoming.finish(transaction, sessionId);
      });
    }
  } catch (error) {
    // Lost: whatever has its id now is somebody else's.
    if (!(error instanceof IncomingLostError)) await discard(db, sessionId).catch(() => undefined);
    throw error;
  }
  return sessionId;
}

/** What cannot be cleared now is cleared when its mark is old. */
async function discard(db: Db, sessionId: string): Promise<void> {
  if (await condemnSession(db, sessionId, Number.MAX_SAFE_INTEGER)) await clearSession(db, sessionId);
}
