// Falls back to the largest window that loads, when memory does not suffice for the planned one.
import { MochiError } from '../../contract/errors.ts';
import { weightsOf } from '../../window/model-windows.ts';
import { checkFits } from '../prompt/check-fits.ts';
import { checkGiven } from '../prompt/given-prompt.ts';
import type { StepDeps } from './step-deps.ts';
import { hasBegun, type RunningTurn, type TurnProgress } from './turn-progress.ts';

/**
 * Remembers the window that failed.
 * @returns whether a smaller one can be asked for
 * @throws MochiError context_overflow when the message does not fit that one
 */
export async function fallBack(
  deps: StepDeps,
  turn: RunningTurn,
  progress: TurnProgress,
  error: unknown,
): Promise<boolean> {
  const { plan, model, tip, offer } = progress;
  if (plan === null || !isFailedLoad(error, progress)) return false;
  const weights = weightsOf(model, turn.session.model);
  const { window, step } = plan.chosen;
  const before = deps.modelWindows.loaded(weights);
  if (before !== null) deps.loadFailures.noteLoaded(weights, before);
  // What was held before had to go for it.
  deps.modelWindows.noteUnloaded(weights);
  // What was set by hand, or left to the engine, is not for us to change.
  if (window === null || step === null) return false;
  // A runner may die of other things than memory: with this window it has lived before.
  if (hasDied(error) && deps.loadFailures.hasLoaded(weights, window)) return false;
  deps.loadFailures.noteFailed(weights, window);
  const loadable = deps.loadFailures.loadable(weights);
  if (loadable === null || loadable >= window) return false;
  progress.reason = 'load_failed';
  const question = { ...turn, model, tip, offer };
  if (turn.given) checkGiven(deps, question, turn.given);
  else await checkFits(deps, question);
  return true;
}

/** What can be done about it, where nothing smaller could be loaded, or was not ours to choose. */
export function adviseOnLoad(error: unknown, progress: TurnProgress): unknown {
  if (!(error instanceof MochiError) || error.kind !== 'ollama_error' || !isFailedLoad(error, progress)) {
    return error;
  }
  const window = progress.plan?.chosen.window ?? null;
  const size = window === null ? 'its default window' : `a window of ${window} tokens`;
  return new MochiError(
    error.kind,
    `${error.message} The model could not be loaded with ${size}: free memory, choose a smaller model, or limit the window (MOCHI_MAX_CONTEXT_WINDOW, or num_ctx by hand).`,
    { ...error.details, ...(window !== null && { window }) },
  );
}

function hasDied(error: unknown): boolean {
  return error instanceof MochiError && error.details['kind'] === 'runner_died';
}

/** A model that is held already has not failed to load, whatever its runner says. */
function isFailedLoad(error: unknown, progress: TurnProgress): boolean {
  if (!(error instanceof MochiError) || hasBegun(progress)) return false;
  const isLoad = error.kind === 'insufficient_memory' || error.details['load_failed'] === true;
  return isLoad && progress.plan?.receipt.reload_expected === true;
}
