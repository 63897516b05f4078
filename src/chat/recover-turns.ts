// After a crash or a kill: turns that were under way are closed, and what they left is made whole again.
import { MochiError } from '../contract/errors.ts';
import type { FinalTurnState } from '../contract/turn.ts';
import { appendToPath } from '../store/active-path.ts';
import type { Db } from '../store/database.ts';
import { findAnswerOfTurn, markStreamingPartial } from '../store/messages.ts';
import type { PathPlace } from '../store/path-place.ts';
import {
  dropRequest,
  finishTurn,
  listOpenMessages,
  listUnfinishedTurns,
  type QueuedMessage,
  type UnfinishedTurn,
} from '../store/turns.ts';
import { answerOpenCalls } from './step/answer-open-calls.ts';
import type { TurnDeps } from './turn-deps.ts';

/**
 * Watchers may have seen events after the last checkpoint: the closing ones get numbers beyond any of those,
 * so that whoever reconnects is told the end, once.
 */
const EVENT_GAP = 1_000_000;

type RecoverDeps = Pick<TurnDeps, 'db' | 'newId' | 'now'>;

/** Before the server serves. @returns how many turns were closed */
export async function recoverTurns(deps: RecoverDeps): Promise<number> {
  const turns = await listUnfinishedTurns(deps.db);
  const failure = new MochiError(
    'turn_interrupted',
    'The server stopped while the turn was running. Send message: null to try again.',
  );
  for (const turn of turns) {
    await deps.db
      .transaction()
      .execute((db) => closeLeftTurn({ ...deps, db }, turn, { state: 'interrupted', failure }));
  }
  await deps.db.transaction().execute((db) => placeOpenMessages({ ...deps, db }));
  return turns.length;
}

/** What turns were asked that were cancelled in line, and had not come to their place: of one session, or of all. */
async function placeOpenMessages(deps: RecoverDeps, sessionId?: string): Promise<void> {
  for (const open of await listOpenMessages(deps.db, sessionId)) {
    const head = await answerOpenCalls(deps, open.sessionId);
    await placeMessage(deps.db, head, open);
    await dropRequest(deps.db, open.turnId);
  }
}

/** A message that waited in line, on the path. */
async function placeMessage(
  db: Db,
  head: PathPlace | null,
  open: { readonly turnId: string; readonly sessionId: string; readonly message: QueuedMessage },
): Promise<void> {
  const { turnId, sessionId, message } = open;
  await appendToPath(db, head, {
    sessionId,
    id: message.messageId,
    role: 'user',
    content: message.content,
    timestamp: message.timestamp,
    status: 'complete',
    turnId,
    images: message.images,
  });
}

/**
 * Turns of a session whose end could not be stored, as on a full disk: nothing runs in them any more.
 * Inside the caller's transaction.
 */
export async function closeLeftTurns(
  deps: RecoverDeps,
  sessionId: string,
  living: readonly string[],
): Promise<void> {
  const failure = new MochiError(
    'session_save_error',
    'The end of the turn could not be stored when it came. Send message: null to try again.',
  );
  for (const turn of await listUnfinishedTurns(deps.db, sessionId)) {
    if (living.includes(turn.id)) continue;
    await closeLeftTurn(deps, turn, { state: 'failed', failure });
  }
}

/**
 * A session that was exported while a turn ran: nothing runs in it here. Inside the caller's transaction.
 */
export async function closeImportedTurns(deps: RecoverDeps, sessionId: string): Promise<void> {
  const failure = new MochiError('turn_interrupted', 'The session was exported while the turn was running.');
  for (const turn of await listUnfinishedTurns(deps.db, sessionId)) {
    await closeLeftTurn(deps, turn, { state: 'interrupted', failure });
  }
  await placeOpenMessages(deps, sessionId);
  // What no turn owns up to: lines can say anything.
  await markStreamingPartial(deps.db, sessionId);
  await answerOpenCalls(deps, sessionId);
}

/** Makes whole what a turn left and closes it: parts, calls without a result, a message that waited in line. */
export async function closeLeftTurn(
  deps: RecoverDeps,
  turn: UnfinishedTurn,
  end: { readonly state: FinalTurnState; readonly failure: MochiError },
): Promise<void> {
  const { db, now } = deps;
  const { sessionId, request } = turn;
  await markStreamingPartial(db, sessionId);
  const head = await answerOpenCalls(deps, sessionId);
  if (request !== null) await placeMessage(db, head, { turnId: turn.id, sessionId, message: request });
  const { code, message, details } = end.failure.toBody();
  await finishTurn(db, turn.id, {
    state: end.state,
    finishedAt: now(),
    error: { code, message, details: { ...details, session_id: sessionId, turn_id: turn.id } },
    messageId: await findAnswerOfTurn(db, sessionId, turn.id),
    usage: null,
    lastEventId: turn.lastEventId + EVENT_GAP,
  });
}
