// Repeats a refused model call, once, where its cause can be removed: images the model cannot see, or a name that stands
// for another model by now.
import type { EngineUsage } from '../../contract/engine.ts';
import { MochiError } from '../../contract/errors.ts';
import type { TurnEvent } from '../../contract/turn-event.ts';
import { unlessAborted } from '../../kit/unless-aborted.ts';
import type { TurnRequest } from '../turn-request.ts';
import { callModel } from './call-model.ts';
import { renewModel, requireTools, requireVision } from './renew-model.ts';
import type { StepDeps } from './step-deps.ts';
import { hasBegun, type RunningTurn, type TurnProgress } from './turn-progress.ts';

/** @throws MochiError images_not_supported; what the engine throws */
export async function* persistCall(
  deps: StepDeps,
  turn: RunningTurn,
  progress: TurnProgress,
): AsyncGenerator<readonly TurnEvent[], EngineUsage> {
  try {
    return yield* callModel(deps, turn, progress);
  } catch (error) {
    const { session, request } = turn;
    if (isLack(error, request) && !hasBegun(progress)) {
      // Learnt now: what the history has of images is left out, and tools are not offered.
      progress.model = await unlessAborted(deps.engine.recallModel(session.model), turn.live.signal);
      requireTools(request, progress.model, session.model);
      return yield* callModel(deps, turn, progress);
    }
    if (!isRefusal(error, progress)) throw error;
    const asked = renewModel(deps, session.model, progress.model);
    const renewed = await unlessAborted(asked, turn.live.signal);
    if (renewed === null) throw error;
    progress.model = renewed;
    requireVision(request, renewed, session.model);
    requireTools(request, renewed, session.model);
    return yield* callModel(deps, turn, progress);
  }
}

/** The model cannot do something that the request can do without. */
function isLack(error: unknown, { images }: TurnRequest): boolean {
  if (!(error instanceof MochiError)) return false;
  return (
    error.kind === 'tools_not_supported' || (error.kind === 'images_not_supported' && images.length === 0)
  );
}

/** Nothing was said yet, and it is the request that the engine does not like. */
function isRefusal(error: unknown, progress: TurnProgress): boolean {
  const kinds = ['ollama_error', 'context_overflow'];
  return error instanceof MochiError && kinds.includes(error.kind) && !hasBegun(progress);
}
