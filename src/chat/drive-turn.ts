// An accepted turn from its place in line to its last event.
import type { EngineModel } from '../contract/engine.ts';
import { MochiError } from '../contract/errors.ts';
import { unlessAborted } from '../kit/unless-aborted.ts';
import {
  dropRequest,
  finishTurn,
  markTurnRunning,
  noteLastEvent,
  type QueuedMessage,
} from '../store/turns.ts';
import { type Beginning, beginTurn } from './begin-turn.ts';
import type { CallDeps } from './call-in-line.ts';
import { recallModel } from './check-request.ts';
import type { Place } from './line/turn-lines.ts';
import { closeLeftTurn } from './recover-turns.ts';
import { doneEvent, runTurn, stateAfter, toTurnFailure } from './run-turn.ts';
import type { TurnDeps } from './turn-deps.ts';
import type { TurnRequest } from './turn-request.ts';
import type { LiveTurn } from './watch/live-turn.ts';

export interface DrivenTurn {
  readonly live: LiveTurn;
  readonly request: TurnRequest;
  readonly message: QueuedMessage | null;
  readonly place: Place;
  readonly model: EngineModel | null;
  /** Null for a turn that waits in line. */
  readonly beginning: Beginning | null;
}

/** Runs the turn to its end, whoever watches; never throws. */
export async function driveTurn(deps: CallDeps, turn: DrivenTurn): Promise<void> {
  const { live, request, message, place } = turn;
  let isMessageOpen = false;
  try {
    const { session, tip } = turn.beginning ?? (await beginQueued(deps, turn));
    // The model may have been changed while the turn was in line.
    const model = turn.beginning ? turn.model : await recallUnlessAborted(deps, session.model, live.signal);
    const ownsTip = tip.id === message?.messageId;
    const running = runTurn(deps, { live, session, model, request, tip, ownsTip });
    for await (const events of running) live.append(events);
  } catch (error) {
    isMessageOpen = await closeUnbegun(deps, turn, error);
  } finally {
    live.finish();
    if (isMessageOpen) await keepMessage(deps, turn);
    place.leave();
  }
}

/** A turn that is stopped meanwhile ends where it would have asked the model. */
function recallUnlessAborted(deps: TurnDeps, name: string, signal: AbortSignal): Promise<EngineModel | null> {
  return unlessAborted(recallModel(deps, name), signal).catch(() => null);
}

/** A turn that was cancelled in line has ended; what it was asked is put on the path in its place, unanswered. */
async function keepMessage(deps: TurnDeps, { live, request, message, place }: DrivenTurn): Promise<void> {
  const { turnId, sessionId } = live;
  place.retire();
  await place.ready;
  try {
    await deps.db.transaction().execute(async (db) => {
      await beginTurn(db, { sessionId, turnId, mode: request.mode, message, isPromised: true });
      await dropRequest(db, turnId);
    });
  } catch (error) {
    // The row still has it: the next start puts it on the path.
    deps.log.error(
      { err: error, turn_id: turnId },
      'the message of a cancelled turn could not be put on the path',
    );
  }
}

/**
 * The wait in line, and what a turn that did not wait has done already. A cancelled turn ends at once; a stopping
 * server still puts the message on the path.
 */
async function beginQueued(
  deps: TurnDeps,
  { live, request, message, place }: DrivenTurn,
): Promise<Beginning> {
  await Promise.race([place.ready, rejectOnCancel(live.signal)]);
  const { turnId, sessionId } = live;
  return deps.db.transaction().execute(async (transaction) => {
    const beginning = await beginTurn(transaction, {
      sessionId,
      turnId,
      mode: request.mode,
      message,
      isPromised: true,
    });
    await markTurnRunning(transaction, turnId, beginning.userMessageId);
    return beginning;
  });
}

function rejectOnCancel(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const onAbort = () => {
      const reason: unknown = signal.reason;
      if (reason instanceof MochiError && reason.kind === 'turn_cancelled') reject(reason);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
}

/**
 * The end of a turn that never ran. The session of one that was cancelled in line is still another turn's, and none
 * of its messages may be touched.
 * @returns whether the message of the turn is still to be put on the path
 */
async function closeUnbegun(deps: TurnDeps, turn: DrivenTurn, error: unknown): Promise<boolean> {
  const { live, message } = turn;
  const { turnId, sessionId } = live;
  const failure = toTurnFailure(deps, live, error);
  const state = stateAfter(failure);
  const isInLine = state === 'cancelled';
  const { code, message: text, details } = failure.toBody();
  const told = { code, message: text, details: { ...details, session_id: sessionId, turn_id: turnId } };
  const lastEventId = live.lastEventId + 2;
  await deps.db
    .transaction()
    .execute(async (db) => {
      if (isInLine) {
        await finishTurn(db, turnId, {
          state,
          finishedAt: deps.now(),
          error: told,
          messageId: null,
          usage: null,
          context: null,
          lastEventId,
          isMessageOpen: message !== null,
        });
        return;
      }
      await closeLeftTurn(
        { ...deps, db },
        { id: turnId, sessionId, request: message, lastEventId },
        { state, failure },
      );
      await noteLastEvent(db, turnId, lastEventId);
    })
    .catch((fault: unknown) => {
      deps.log.error({ err: fault, turn_id: turnId }, 'the end of a turn could not be stored');
    });
  live.append([{ event: 'error', data: told }, doneEvent(live, state)]);
  return isInLine && message !== null;
}
