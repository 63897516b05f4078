// Removes the cause of a refused model call, where that can be done: images the model cannot see, or a name that stands for
// another model by now.
import { MochiError } from '../../contract/errors.ts';
import { unlessAborted } from '../../kit/unless-aborted.ts';
import type { TurnRequest } from '../turn-request.ts';
import { renewModel, requireTools, requireVision } from './renew-model.ts';
import type { StepDeps } from './step-deps.ts';
import { hasBegun, type RunningTurn, type TurnProgress } from './turn-progress.ts';

/** @returns whether the call may be tried once more. @throws MochiError images_not_supported, tools_not_supported */
export async function mendCall(
  deps: StepDeps,
  { session, request, live }: RunningTurn,
  progress: TurnProgress,
  error: unknown,
): Promise<boolean> {
  if (isLack(error, request) && !hasBegun(progress)) {
    // Learnt now: what the history has of images is left out, and tools are not offered.
    progress.model = await unlessAborted(deps.engine.recallModel(session.model), live.signal);
    requireTools(request, progress.model, session.model);
    return true;
  }
  if (!isRefusal(error, progress)) return false;
  const renewed = await unlessAborted(renewModel(deps, session.model, progress.model), live.signal);
  if (renewed === null) return false;
  progress.model = renewed;
  requireVision(request, renewed, session.model);
  requireTools(request, renewed, session.model);
  return true;
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
