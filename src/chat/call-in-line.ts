// A model call in its place: it waits while the engine has enough to do with others of ours.
import type { EngineUsage } from '../contract/engine.ts';
import type { TurnEvent } from '../contract/turn-event.ts';
import { weightsOf } from '../window/model-windows.ts';
import type { EngineLine, EnginePlace } from './line/engine-line.ts';
import { persistCall } from './step/persist-call.ts';
import type { StepDeps } from './step/step-deps.ts';
import type { RunningTurn, TurnProgress } from './step/turn-progress.ts';

export interface CallDeps extends StepDeps {
  readonly engineLine: EngineLine;
}

/** It is planned when its place has come, with what is known then. @throws what the call throws */
export async function* callInLine(
  deps: CallDeps,
  turn: RunningTurn,
  progress: TurnProgress,
): AsyncGenerator<readonly TurnEvent[], EngineUsage> {
  const { live, session } = turn;
  const { model } = progress;
  const place = deps.engineLine.enter(weightsOf(model, session.model), {
    parallel: model?.parallel ?? null,
    onMove: (position) => {
      if (!live.signal.aborted) live.append([queued(session.model, position)]);
    },
  });
  try {
    if (!place.isReady) {
      yield [queued(session.model, place.position)];
      await untilReady(place, live.signal);
    }
    progress.place = place;
    return yield* persistCall(deps, turn, progress);
  } finally {
    progress.place = null;
    place.leave();
  }
}

function queued(model: string, position: number): TurnEvent {
  return { event: 'status', data: { phase: 'queued', position, model } };
}

async function untilReady({ ready }: EnginePlace, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  await Promise.race([ready, promise]).finally(() => signal.removeEventListener('abort', onAbort));
}
