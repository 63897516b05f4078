// A session that is answering takes no change that must not meet a turn.
import { MochiError } from '../contract/errors.ts';
import type { Db } from './database.ts';
import { changeSession } from './lock-session.ts';
import { readSharedLine } from './shared-line.ts';

export function sessionBusy(sessionId: string, turnId: string, isWaiting: boolean): MochiError {
  const what = isWaiting
    ? 'waits for an approval. Decide it, or cancel the turn, then try again.'
    : 'is answering. Wait for its turn to end, or cancel it, then try again.';
  return new MochiError('session_busy', `Session ${sessionId} ${what}`, {
    session_id: sessionId,
    turn_id: turnId,
  });
}

/**
 * A transaction that changes a session in which no other server has a turn: one that begins there waits for it. What
 * this server has is for the caller to look after.
 * @throws MochiError session_busy
 */
export function changeIdleSession<T>(
  db: Db,
  sessionId: string,
  change: (transaction: Db) => Promise<T>,
): Promise<T> {
  return changeSession(db, sessionId, async (transaction) => {
    const line = await readSharedLine(transaction, sessionId);
    const other = line?.find(({ isMine }) => !isMine);
    if (other !== undefined) throw sessionBusy(sessionId, other.id, other.state === 'waiting');
    return change(transaction);
  });
}
