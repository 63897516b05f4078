// What a failure says of what the engine holds and can load: the next call is planned by it.
import { MochiError } from '../../contract/errors.ts';
import type { StepDeps } from './step-deps.ts';

export function noteFailure(
  { modelWindows, loadFailures }: Pick<StepDeps, 'modelWindows' | 'loadFailures'>,
  weights: string,
  failure: unknown,
): void {
  if (!(failure instanceof MochiError)) return;
  // What could not be loaded may well be once the engine is back.
  if (failure.kind === 'ollama_unreachable') loadFailures.forget();
  const { kind, cause } = failure.details;
  if (kind === 'runner_died') modelWindows.noteUnloaded(weights);
  // Nothing listens: whatever is started there holds nothing yet.
  if (kind === 'unreachable' && cause === 'refused') modelWindows.learn([]);
}
