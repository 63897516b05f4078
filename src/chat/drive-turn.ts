// An accepted turn from its place in line to its last event.
import { MochiError } from '../contract/errors.ts';
import type { TurnEvent } from '../contract/turn-event.ts';
import { tellLineMoved } from '../store/shared-line.ts';
import { changeTurn, TurnLost } from '../store/tenure.ts';
import { finishTurn, noteLastEvent, type QueuedMessage } from '../store/turns.ts';
import type { CallDeps } from './call-in-line.ts';
import { keepMessage } from './keep-message.ts';
import type { Place } from './line/place.ts';
import { closeLeftTurn } from './recover-turns.ts';
import { doneEvent, isLoss, runTurn, stateAfter, type TurnPlan, toTurnFailure } from './run-turn.ts';
import { TurnSuspended } from './step/await-decision.ts';
import type { RunningTurn } from './step/turn-progress.ts';
import { interrupted } from './stop-reasons.ts';
import type { TurnDeps } from './turn-deps.ts';
import type { LiveTurn } from './watch/live-turn.ts';

export interface DrivenTurn {
  readonly live: LiveTurn;
  /** Null: it has none, or it is on the path already. */
  readonly message: QueuedMessage | null;
  readonly place: Place;
  /** Resolves when it may run; rejects with why it cannot. What led to it is not held while it runs. */
  readonly begun: Promise<{ readonly turn: RunningTurn; readonly plan: TurnPlan }>;
}

/** Runs the turn to its end, whoever watches; never throws. */
export async function driveTurn(deps: CallDeps, driven: DrivenTurn): Promise<void> {
  const { live, message, place } = driven;
  let isMessageOpen = false;
  try {
    const { turn, plan } = await driven.begun;
    await runTurn(deps, turn, plan);
  } catch (error) {
    if (isLoss(live, error)) {
      live.lose();
      place.leave();
      deps.lineBell.ring();
      return;
    }
    if (error instanceof TurnSuspended) {
      // Its place stays taken: nothing of its session may go on before it does.
      place.suspend();
      live.suspend(farewell(live));
      return;
    }
    isMessageOpen = await closeUnbegun(deps, driven, error);
  }
  live.finish();
  if (isMessageOpen && message !== null) {
    place.retire();
    await keepMessage(deps, place, { sessionId: live.sessionId, turnId: live.turnId, message });
  }
  place.leave();
  deps.lineBell.ring();
  void tellLineMoved(deps.db, live.sessionId).catch(() => undefined);
}

/** The turn goes on when the server is back: this is about the connection alone. */
function farewell(live: LiveTurn): TurnEvent[] {
  const { sessionId, turnId } = live;
  const text =
    'The server is stopping. The turn waits for an approval and goes on when the server is back: watch it then.';
  const details = { session_id: sessionId, turn_id: turnId, resumes: true };
  return [
    { event: 'error', data: { code: 'turn_interrupted', message: text, details } },
    { event: 'done', data: { session_id: sessionId, turn_id: turnId, state: 'waiting' } },
  ];
}

/**
 * Resolves when it may run. A cancelled turn ends at once; a stopping server still puts the message on the path, unless
 * the turn ahead outlives it.
 * @throws the reason of the stop
 */
export async function untilPlace(live: LiveTurn, place: Place): Promise<void> {
  const blocked = place.blocked.then(() => {
    throw interrupted();
  });
  await Promise.race([place.ready, blocked, rejectOnCancel(live)]);
}

function rejectOnCancel(live: LiveTurn): Promise<never> {
  const { signal } = live;
  return new Promise((_resolve, reject) => {
    const onAbort = () => {
      const reason: unknown = signal.reason;
      const isCancelled = reason instanceof MochiError && reason.kind === 'turn_cancelled';
      if (isCancelled || live.isLost) reject(reason);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
}

/**
 * The end of a turn that never ran. The session of one that ended in line is still another turn's, and none of its
 * messages may be touched.
 * @returns whether the message of the turn is to be put on the path when its place has come
 */
async function closeUnbegun(deps: TurnDeps, driven: DrivenTurn, error: unknown): Promise<boolean> {
  const { live, message, place } = driven;
  const { turnId, sessionId } = live;
  const failure = toTurnFailure(deps, live, error);
  const state = stateAfter(failure);
  const isCancelled = state === 'cancelled';
  const isInLine = isCancelled || place.isForPerson || place.isAside;
  const { code, message: text, details } = failure.toBody();
  const told = { code, message: text, details: { ...details, session_id: sessionId, turn_id: turnId } };
  const lastEventId = live.lastEventId + 2;
  await changeTurn(deps.db, live, async (db) => {
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
    const left = { id: turnId, sessionId, request: message, messageId: null, lastEventId };
    await closeLeftTurn({ ...deps, db }, left, { state, failure });
    await noteLastEvent(db, turnId, lastEventId);
  }).catch((fault: unknown) => {
    if (fault instanceof TurnLost) return live.lose();
    deps.log.error({ err: fault, turn_id: turnId }, 'the end of a turn could not be stored');
  });
  // Whoever asked for a turn that could not be kept was told so, and nobody watches it.
  await live.opened.catch(() => undefined);
  live.append([{ event: 'error', data: told }, doneEvent(live, state)]);
  // Of one that stands behind a turn that outlives this process, the next start takes care.
  return isCancelled;
}
