// Where a turn begins: what it answers, and the user message put on the path. Runs inside a transaction.
import { MochiError } from '../contract/errors.ts';
import { requireSession } from '../sessions/require.ts';
import type { Db } from '../store/database.ts';
import { findMessage, findUserMessage, type PathMessage } from '../store/messages.ts';
import type { PathPlace } from '../store/path-place.ts';
import type { StoredSession } from '../store/sessions.ts';
import type { QueuedMessage } from '../store/turns.ts';
import { placeMessage } from './place-message.ts';
import { findReplaced, placeBefore, questionOf, showBranchOf } from './replaced-message.ts';
import type { TurnRequest } from './turn-request.ts';

export interface Beginning {
  readonly session: StoredSession;
  /** The message to answer. */
  readonly tip: PathPlace;
  /** The user message of this turn, new or retried; null when an older one is answered. */
  readonly userMessageId: string | null;
  /** Where the path ended before this turn; null: it was empty. */
  readonly headBefore: PathPlace | null;
}

interface StartingTurn {
  readonly sessionId: string;
  readonly turnId: string;
  readonly request: Pick<TurnRequest, 'message' | 'mode' | 'images' | 'replaces'>;
  /** The message of the request with its id. */
  readonly message: QueuedMessage | null;
  /** It waited in line: its message has been promised an id. */
  readonly isPromised: boolean;
  readonly now: () => string;
}

/** @throws MochiError session_not_found, empty_history, message_not_found, validation_error */
export async function beginTurn(db: Db, turn: StartingTurn): Promise<Beginning> {
  const { sessionId, turnId, message, request } = turn;
  const session = await requireSession(db, sessionId);
  const head = await findHead(db, session);
  const began = { session, headBefore: head && toPlace(head) };
  const old = await findReplaced(db, sessionId, request);
  if (message === null) {
    if (old === null) return { ...began, tip: await findTip(db, session, request.mode), userMessageId: null };
    const tip = questionOf(sessionId, old);
    await showBranchOf(db, sessionId, { message: old, updatedAt: turn.now() });
    return { ...began, tip, userMessageId: null };
  }
  const isThere = head !== null && isSame(head, message) && (old === null || isBeside(head, old));
  if (isThere && !turn.isPromised) return { ...began, tip: toPlace(head), userMessageId: head.message_id };
  const tip = await placeMessage(db, { sessionId, turnId, message, old, head: began.headBefore });
  return { ...began, tip, userMessageId: message.messageId };
}

/** A client that sends the same text again while nobody has answered it wants the answer, not a twin. */
function isSame(head: PathMessage, message: QueuedMessage): boolean {
  return (
    head.role === 'user' &&
    head.content === message.content &&
    JSON.stringify(head.images ?? []) === JSON.stringify(message.images)
  );
}

function isBeside(message: PathMessage, other: PathMessage): boolean {
  return placeBefore(message)?.id === placeBefore(other)?.id;
}

async function findHead(db: Db, session: StoredSession): Promise<PathMessage | null> {
  return session.headId === null ? null : findMessage(db, session.session_id, session.headId);
}

/** What a request without a message answers. @throws MochiError empty_history */
export async function findTip(db: Db, session: StoredSession, mode: TurnRequest['mode']): Promise<PathPlace> {
  const head = await findHead(db, session);
  const answersHead = head !== null && (head.role === 'user' || head.role === 'tool' || mode === 'continue');
  if (answersHead && head.role !== 'system') return toPlace(head);
  const question = head === null ? null : await findUserMessage(db, session.session_id, 'last');
  if (question !== null) return toPlace(question);
  throw new MochiError('empty_history', 'There is nothing to answer: send a message first.', {
    session_id: session.session_id,
  });
}

function toPlace(message: PathMessage): PathPlace {
  return { id: message.message_id, depth: message.depth };
}
