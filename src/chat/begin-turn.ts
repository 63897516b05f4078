// Where a turn begins: what it answers, and the user message put on the path. Runs inside a transaction.
import { requireHeadedSession, requireSession } from '../sessions/require.ts';
import type { Db } from '../store/database.ts';
import { findMessage, findUserMessage, type PathMessage } from '../store/messages.ts';
import type { PathPlace } from '../store/path-place.ts';
import type { HeadedSession, SessionHead } from '../store/session-head.ts';
import { listSession, type StoredSession } from '../store/sessions.ts';
import type { QueuedMessage } from '../store/turns.ts';
import { answerHandedCalls } from './client-results.ts';
import { emptyHistory } from './empty-history.ts';
import { placeHistory } from './place-history.ts';
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
  readonly request: Pick<TurnRequest, 'message' | 'mode' | 'images' | 'replaces' | 'toolResults' | 'placed'>;
  /** The message of the request with its id. */
  readonly message: QueuedMessage | null;
  /** It waited in line: its message has been promised an id. */
  readonly isPromised: boolean;
}

type BeginDeps = Pick<TurnDeps, 'db' | 'newId' | 'now'>;

/**
 * @param known the session as it is now, where it was read in the same transaction
 * @throws MochiError session_not_found, empty_history, message_not_found, validation_error; what `placeHistory` throws
 */
export async function beginTurn(
  deps: BeginDeps,
  turn: StartingTurn,
  known: HeadedSession | null = null,
): Promise<Beginning> {
  const { db, now } = deps;
  const { sessionId, turnId, message, request } = turn;
  const found = known ?? (await requireHeadedSession(db, sessionId));
  const before = headOf(found.session);
  if (request.placed !== undefined) {
    const placed = await placeHistory(deps, { sessionId, turnId }, request.placed);
    return { session: await requireSession(db, sessionId), headBefore: before, ...placed };
  }
  // Somebody goes on with it by name.
  if (!found.session.isListed) await listSession(db, sessionId);
  const old = await findReplaced(db, sessionId, request);
  if (message === null && old !== null) {
    const tip = questionOf(sessionId, old);
    await showBranchOf(db, sessionId, { message: old, updatedAt: now() });
    return { session: found.session, headBefore: before, tip, userMessageId: null };
  }
  // What is open on the branch that is left stays open there.
  const end = old === null ? await goOnFrom(deps, turn, found) : before;
  const isAsFound = end?.id === before?.id;
  const session = isAsFound ? found.session : await requireSession(db, sessionId);
  const began = { session, headBefore: end };
  if (message === null) {
    if (end === null) throw emptyHistory(sessionId);
    return { ...began, tip: end, userMessageId: null };
  }
  const head = isAsFound ? found.head : null;
  const isThere = head !== null && isSame(head, message) && (old === null || isBeside(head, old));
  if (isThere && !turn.isPromised) return { ...began, tip: head.place, userMessageId: head.place.id };
  const behind = head?.place ?? end;
  const tip = await placeMessage(db, { sessionId, turnId, message, old, head: behind });
  return { ...began, tip, userMessageId: message.messageId };
}

/** Behind which message the turn goes on: every call there that was left to the client has its result then. */
async function goOnFrom(
  deps: BeginDeps,
  { sessionId, turnId, request }: StartingTurn,
  { session, head }: HeadedSession,
): Promise<PathPlace | null> {
  const { message, mode, toolResults: results } = request;
  const isAnswer = message === null && results.length === 0;
  const tip = isAnswer ? await findTip(deps.db, session, mode) : (head?.place ?? null);
  // Calls are open at the end of a path alone.
  if (results.length === 0 && head?.mayHaveCalls !== true) return tip;
  return answerHandedCalls(deps, { sessionId, turnId, tip, results });
}

/** A client that sends the same text again while nobody has answered it wants the answer, not a twin. */
function isSame({ asked }: SessionHead, message: QueuedMessage): boolean {
  return (
    asked !== null &&
    asked.content === message.content &&
    JSON.stringify(asked.images) === JSON.stringify(message.images)
  );
}

function isBeside({ place, parentId }: SessionHead, other: PathMessage): boolean {
  return (place.depth === 0 ? null : parentId) === (placeBefore(other)?.id ?? null);
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

function toPlace(message: PathMessage): PathPlace {
  return { id: message.message_id, depth: message.depth, at: message.timestamp };
}
