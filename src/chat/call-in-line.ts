// Runs a model call once the engine has a free place for it. Until then the turn is queued, and its watchers are told.
import type { EngineUsage } from '../contract/engine.ts';
import { MochiError, PART_IS_KEPT, TRY_AGAIN } from '../contract/errors.ts';
import type { TurnEvent } from '../contract/turn-event.ts';
import { weightsOf } from '../window/model-windows.ts';
import type { EngineLine } from './line/engine-line.ts';
import { untilReady } from './line/until-ready.ts';
import { ModelCall } from './step/call-model.ts';
import type { StepDeps } from './step/step-deps.ts';
import { hasBegun, type RunningTurn, type TurnProgress, tell } from './step/turn-progress.ts';

export interface CallDeps extends StepDeps {
  readonly engineLine: EngineLine;
}

/** It is planned when its place has come, with what is known then. @throws what the call throws */
export async function callInLine(
  deps: CallDeps,
  turn: RunningTurn,
  progress: TurnProgress,
): Promise<EngineUsage> {
  const { live, session } = turn;
  const { model } = progress;
  const place = deps.engineLine.enter(weightsOf(model, session.model), {
    parallel: model?.parallel ?? null,
    onMove: (position) => {
      // Nothing before `turn_start`.
      if (live.lastEventId > 0 && !live.signal.aborted) live.append([queued(session.model, position)]);
    },
  });
  const stop = () => place.abort(live.signal.reason);
  live.signal.addEventListener('abort', stop);
  let call = new ModelCall(deps, turn, progress);
  try {
    for (;;) {
      if (!place.isReady) await untilReady(place.known, live.signal);
      if (!place.isReady) {
        await live.opened;
        if (!progress.isRestarted) tell(turn, progress, [queued(session.model, place.position)]);
        await untilReady(place.ready, live.signal);
      }
      progress.place = place;
      try {
        return await call.ask();
      } catch (error) {
        if (!place.isLost || error !== place.signal.reason) await call.mend(error);
        else if (hasBegun(progress)) throw answeredTooLate();
        else {
          progress.isRestarted = true;
          place.returnToLine();
          call = new ModelCall(deps, turn, progress);
        }
      }
    }
  } finally {
    live.signal.removeEventListener('abort', stop);
    progress.place = null;
    place.leave();
  }
}

function answeredTooLate(): MochiError {
  return new MochiError(
    'incomplete_response',
    `The engine began to answer at the moment when it was given up${PART_IS_KEPT}.`,
    {},
    TRY_AGAIN,
  );
}

function queued(model: string, position: number): TurnEvent {
  return { event: 'status', data: { phase: 'queued', position, model } };
}
