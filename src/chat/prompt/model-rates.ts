// What a model call spends its time on before the first token, from what earlier calls were measured at.
import type { EngineUsage } from '../../contract/engine.ts';

/** Loading takes at least this long; less is the engine looking up what it has. Milliseconds. */
const MIN_LOAD_MS = 100;

interface Measured {
  readonly loadMs: number | null;
  /** Milliseconds per prompt token. */
  readonly promptRate: number | null;
}

interface ExpectedPhase {
  readonly phase: 'loading_model' | 'evaluating_prompt';
  /** Null where nothing was measured. */
  readonly estimateMs: number | null;
}

interface ModelCall {
  readonly weights: string;
  /** Whether the engine holds the model with the window that will be asked for. */
  readonly isLoaded: boolean;
  readonly promptTokens: number;
}

export interface ModelRates {
  /** What the next call will do first, and how long that takes. */
  expect(call: ModelCall): ExpectedPhase;
  observe(weights: string, usage: EngineUsage): void;
}

export function createModelRates(): ModelRates {
  const measured = new Map<string, Measured>();
  return {
    expect({ weights, isLoaded, promptTokens }) {
      const last = measured.get(weights);
      if (!isLoaded) return { phase: 'loading_model', estimateMs: last?.loadMs ?? null };
      const rate = last?.promptRate ?? null;
      const estimateMs = rate === null ? null : Math.round(rate * promptTokens);
      return { phase: 'evaluating_prompt', estimateMs };
    },
    observe(weights, usage) {
      const { loadMs, promptEvalMs, promptTokens } = usage;
      const last = measured.get(weights);
      const hasRate = promptEvalMs !== null && promptTokens !== null && promptTokens > 0;
      measured.set(weights, {
        loadMs: isLoad(usage) ? loadMs : (last?.loadMs ?? null),
        promptRate: hasRate ? promptEvalMs / promptTokens : (last?.promptRate ?? null),
      });
    },
  };
}

/** Whether the model was loaded for the call. */
export function isLoad({ loadMs }: EngineUsage): boolean {
  return loadMs !== null && loadMs >= MIN_LOAD_MS;
}
