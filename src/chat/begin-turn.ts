// Where a turn begins: what it answers, and the user message put on the path. Runs inside a transaction.
import { MochiError } from '../contract/errors.ts';
import { requireSession } from '../sessions/require.ts';
import { appendToPath } from '../store/active-path.ts';
import type { Db } from '../store/database.ts';
import { findMessage, findUserMessage, type PathMessage } from '../store/messages.ts';
import type { PathPlace } from '../store/path-place.ts';
import type { StoredSession } from '../store/sessions.ts';
import type { QueuedMessage } from '../store/turns.ts';
import type { TurnRequest } from './turn-request.ts';

export interface Beginning {
  readonly session: StoredSession;
  /** The message to answer. */
  readonly tip: PathPlace;
  /** The user message of this turn, new or retried; null when an older one is answered. */
  readonly userMessageId: string | null;
}

/**
 * @param message the new user message with its id; null: answer what is there
 * @throws MochiError session_not_found, empty_history
 */
export async function beginTurn(
  db: Db,
  turn: {
    readonly sessionId: string;
    readonly turnId: string;
    readonly mode: TurnRequest['mode'];
    readonly message: QueuedMessage | null;
    /** It waited in line: its message has been promised an id. */
    readonly isPromised: boolean;
  },
): Promise<Beginning> {
  const { sessionId, turnId, message } = turn;
  const session = await requireSession(db, sessionId);
  if (message === null) return { session, tip: await findTip(db, session, turn.mode), userMessageId: null };
  const head = await findHead(db, session);
  if (head !== null && !turn.isPromised && isSame(head, message)) {
    return { session, tip: toPlace(head), userMessageId: head.message_id };
  }
  const tip = await appendToPath(db, head && toPlace(head), {
    sessionId,
    id: message.messageId,
    role: 'user',
    content: message.content,
    timestamp: message.timestamp,
    status: 'complete',
    turnId,
    images: message.images,
  });
  return { session, tip, userMessageId: message.messageId };
}

/** A client that sends the same text again while nobody has answered it wants the answer, not a twin. */
function isSame(head: PathMessage, message: QueuedMessage): boolean {
  return (
    head.role === 'user' &&
    head.content === message.content &&
    JSON.stringify(head.images ?? []) === JSON.stringify(message.images)
  );
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
