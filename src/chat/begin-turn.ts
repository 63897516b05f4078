// Where a turn begins: what it answers, and the user message put on the path. Runs inside a transaction.
import { MochiError } from '../contract/errors.ts';
import { requireSession } from '../sessions/require.ts';
import type { Db } from '../store/database.ts';
import { findMessage, findUserMessage, type PathMessage } from '../store/messages.ts';
import type { PathPlace } from '../store/path-place.ts';
import type { StoredSession } from '../store/sessions.ts';
import type { QueuedMessage } from '../store/turns.ts';
import { answerHandedCalls } from './client-results.ts';
import { placeMessage } from './place-message.ts';
import { findReplaced, placeBefore, questionOf, showBranchOf } from './replaced-message.ts';
import type { TurnDeps } from './turn-deps.ts';
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
  readonly request: Pick<TurnRequest, 'message' | 'mode' | 'images' | 'replaces' | 'toolResults'>;
  /** The message of the request with its id. */
  readonly message: QueuedMessage | null;
  /** It waited in line: its message has been promised an id. */
  readonly isPromised: boolean;
}

type BeginDeps = Pick<TurnDeps, 'db' | 'newId' | 'now'>;

/** @throws MochiError session_not_found, empty_history, message_not_found, validation_error */
export async function beginTurn(deps: BeginDeps, turn: StartingTurn): Promise<Beginning> {
  const { db, now } = deps;
  const { sessionId, turnId, message, request } = turn;
  const found = await requireSession(db, sessionId);
  const old = await findReplaced(db, sessionId, request);
  if (message === null && old !== null) {
    const tip = questionOf(sessionId, old);
    await showBranchOf(db, sessionId, { message: old, updatedAt: now() });
    return { session: found, headBefore: headOf(found), tip, userMessageId: null };
  }
  // What is open on the branch that is left stays open there.
  const end = old === null ? await goOnFrom(deps, turn, found) : headOf(found);
  const session = end?.id === found.headId ? found : await requireSession(db, sessionId);
  const began = { session, headBefore: end };
  if (message === null) {
    if (end === null) throw emptyHistory(sessionId);
    return { ...began, tip: end, userMessageId: null };
  }
  const head = await findHead(db, session);
  const isThere = head !== null && isSame(head, message) && (old === null || isBeside(head, old));
  if (isThere && !turn.isPromised) return { ...began, tip: toPlace(head), userMessageId: head.message_id };
  const tip = await placeMessage(db, { sessionId, turnId, message, old, head: began.headBefore });
  return { ...began, tip, userMessageId: message.messageId };
}

/** Behind which message the turn goes on: every call there that was left to the client has its result then. */
async function goOnFrom(
  deps: BeginDeps,
  { sessionId, turnId, request }: StartingTurn,
  session: StoredSession,
): Promise<PathPlace | null> {
  const { message, mode, toolResults: results } = request;
  const isAnswer = message === null && results.length === 0;
  const tip = isAnswer ? await findTip(deps.db, session, mode) : headOf(session);
  return answerHandedCalls(deps, { sessionId, turnId, tip, results });
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
  throw emptyHistory(session.session_id);
}

/** What results of calls are put behind. */
export function headOf({ headId, headDepth }: StoredSession): PathPlace | null {
  return headId === null ? null : { id: headId, depth: headDepth };
}

function emptyHistory(sessionId: string): MochiError {
  return new MochiError('empty_history', 'There is nothing to answer: send a message first.', {
    session_id: sessionId,
  });
}

function toPlace(message: PathMessage): PathPlace {
  return { id: message.message_id, depth: message.depth };
}
