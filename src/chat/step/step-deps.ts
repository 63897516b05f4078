// What a turn may touch from its first model call to its end.
import type { ModelRates } from '../prompt/model-rates.ts';
import type { TurnDeps } from '../turn-deps.ts';
import type { Checkpoints } from './checkpoints.ts';

export interface StepDeps extends TurnDeps {
  readonly modelRates: ModelRates;
  readonly checkpoints: Checkpoints;
  /** Silence beyond the slowest reading of a prompt that is too long; null: none is. Milliseconds. */
  readonly stallMs: number | null;
}
