// After a crash or a kill: turns that were under way are closed, and what they left is made whole again.
import { MochiError } from '../contract/errors.ts';
import { appendToPath, type PathPlace } from '../store/active-path.ts';
import { findAnswerOfTurn, markStreamingPartial } from '../store/messages.ts';
import { findSession } from '../store/sessions.ts';
import { answerToolCall, listOpenToolCalls } from '../store/tool-calls.ts';
import { finishTurn, listUnfinishedTurns, type UnfinishedTurn } from '../store/turns.ts';
import type { TurnDeps } from './turn-deps.ts';

/**
 * Watchers may have seen events after the last checkpoint: the closing ones get numbers beyond any of those,
 * so that whoever reconnects is told the end, once.
 */
const EVENT_GAP = 10_000;

type RecoverDeps = Pick<TurnDeps, 'db' | 'newId' | 'now'>;

/** Before the server serves. @returns how many turns were closed */
export async function recoverTurns(deps: RecoverDeps): Promise<number> {
  const turns = await listUnfinishedTurns(deps.db);
  for (const turn of turns) {
    await deps.db.transaction().execute((transaction) => recoverTurn({ ...deps, db: transaction }, turn));
  }
  return turns.length;
}

async function recoverTurn(deps: RecoverDeps, turn: UnfinishedTurn): Promise<void> {
  const { db, now } = deps;
  const { sessionId, request } = turn;
  const session = await findSession(db, sessionId);
  let head: PathPlace | null =
    session === null || session.headId === null ? null : { id: session.headId, depth: session.headDepth };
  await markStreamingPartial(db, sessionId);
  head = await answerOpenCalls(deps, sessionId, head);
  if (request !== null) {
    await appendToPath(db, head, {
      sessionId,
      id: request.messageId,
      role: 'user',
      content: request.content,
      timestamp: request.timestamp,
      status: 'complete',
      turnId: turn.id,
      images: request.images,
    });
  }
  const error = new MochiError('turn_interrupted', 'The server stopped while the turn was running.');
  await finishTurn(db, turn.id, {
    state: 'interrupted',
    finishedAt: now(),
    error: error.toBody(),
    messageId: await findAnswerOfTurn(db, sessionId, turn.id),
    usage: null,
    context: null,
    lastEventId: turn.lastEventId + EVENT_GAP,
  });
}

/** Strict engines refuse a history in which a call has no answer. */
async function answerOpenCalls(
  { db, newId, now }: RecoverDeps,
  sessionId: string,
  head: PathPlace | null,
): Promise<PathPlace | null> {
  let place = head;
  for (const { messageId, callIndex, call } of await listOpenToolCalls(db, sessionId)) {
    const id = newId(10);
    place = await appendToPath(db, place, {
      sessionId,
      id,
      role: 'tool',
      content: 'Error: the server stopped before the tool had answered.',
      timestamp: now(),
      status: 'complete',
      toolName: call.name,
      toolCallId: call.id,
    });
    await answerToolCall(db, { sessionId, messageId, callIndex }, { messageId: id, success: false });
  }
  return place;
}
