// Learns from a failed model call what the engine holds, so that the next call is planned by it.
import { MochiError } from '../../contract/errors.ts';
import type { StepDeps } from './step-deps.ts';

export function noteFailure(
  { modelWindows }: Pick<StepDeps, 'modelWindows'>,
  weights: string,
  failure: unknown,
): void {
  if (!(failure instanceof MochiError)) return;
  const { kind, cause } = failure.details;
  if (kind === 'runner_died') modelWindows.noteUnloaded(weights);
  // Nothing listens: whatever is started there holds nothing yet.
  if (kind === 'unreachable' && cause === 'refused') modelWindows.learn([]);
}
