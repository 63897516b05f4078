// The usual turn, where each statement is a round trip: a new message behind the end of the path as it was just read.
import { acceptAtOnce } from '../store/accept-at-once.ts';
import type { Db } from '../store/database.ts';
import { dialectOf } from '../store/dialect/dialect-of.ts';
import { isSessionChanging } from '../store/lock-session.ts';
import type { HeadedSession } from '../store/session-head.ts';
import type { NewTurn, QueuedMessage } from '../store/turns.ts';
import type { Beginning } from './begin-turn.ts';
import type { TurnRequest } from './turn-request.ts';

/**
 * Durable when it resolves. @param seen the session as it was read for this turn, in which nothing runs
 * @returns null, and nothing is stored: it is another turn than that, or the session is another by now
 */
export async function acceptUnchanged(
  db: Db,
  turn: {
    readonly seen: HeadedSession | null;
    readonly request: TurnRequest;
    readonly message: QueuedMessage | null;
    readonly row: Omit<NewTurn, 'state' | 'request' | 'userMessageId'>;
  },
): Promise<Beginning | null> {
  const { seen, request, message, row } = turn;
  const { sessionId, id: turnId } = row;
  if (seen === null || message === null || dialectOf(db).name === 'sqlite') return null;
  if (!isUsual(request, message) || !isAtRest(seen, message) || isSessionChanging(db, sessionId)) return null;
  const { session, head } = seen;
  const { messageId: id, content, timestamp, images } = message;
  const place = head?.place ?? null;
  const said = {
    sessionId,
    id,
    role: 'user',
    content,
    timestamp,
    status: 'complete',
    turnId,
    images,
  } as const;
  const running = { ...row, state: 'running', request: null, userMessageId: id } as const;
  const accepted = { head: place, seenAt: session.updated_at, message: said, turn: running };
  const tip = await acceptAtOnce(db, accepted);
  return tip && { session, tip, userMessageId: id, headBefore: place };
}

function isUsual({ replaces, placed, toolResults }: TurnRequest, message: QueuedMessage): boolean {
  const isOther = replaces !== null || placed !== undefined || toolResults.length > 0;
  return !isOther && message.replaces === undefined && message.placed === undefined;
}

/** Nothing is open in it, and the message is not the question that stands there unanswered. */
function isAtRest({ session, head }: HeadedSession, message: QueuedMessage): boolean {
  const isPathKnown = (session.headId === null) === (head === null);
  const isOpen = session.active_turn !== null || head?.mayHaveCalls === true || !session.isListed;
  return isPathKnown && !isOpen && head?.asked?.content !== message.content;
}
