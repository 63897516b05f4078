// What a model call spends its time on before the first token, from what earlier calls were measured at.
import type { EngineUsage } from '../contract/engine.ts';

/** Ollama unloads a model five minutes after its last use unless told otherwise. */
const LOADED_MS = 4.5 * 60 * 1000;
/** Loading takes at least this long; less is the engine looking up what it has. Milliseconds. */
const MIN_LOAD_MS = 100;

interface Measured {
  readonly usedAt: number;
  readonly window: number | null;
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
  readonly model: string;
  readonly window: number | null;
  readonly promptTokens: number;
}

export interface ModelRates {
  /** What the next call will do first: another window, or a long pause, means loading. */
  expect(call: ModelCall): ExpectedPhase;
  observe(model: string, window: number | null, usage: EngineUsage): void;
}

export function createModelRates(): ModelRates {
  const measured = new Map<string, Measured>();
  return {
    expect({ model, window, promptTokens }) {
      const last = measured.get(model);
      const isLoaded =
        last !== undefined && last.window === window && performance.now() - last.usedAt < LOADED_MS;
      if (!isLoaded) return { phase: 'loading_model', estimateMs: last?.loadMs ?? null };
      const estimate = last.promptRate === null ? null : Math.round(last.promptRate * promptTokens);
      return { phase: 'evaluating_prompt', estimateMs: estimate };
    },
    observe(model, window, { loadMs, promptEvalMs, promptTokens }) {
      const last = measured.get(model);
      const hasRate = promptEvalMs !== null && promptTokens !== null && promptTokens > 0;
      measured.set(model, {
        usedAt: performance.now(),
        window,
        loadMs: loadMs !== null && loadMs >= MIN_LOAD_MS ? loadMs : (last?.loadMs ?? null),
        promptRate: hasRate ? promptEvalMs / promptTokens : (last?.promptRate ?? null),
      });
    },
  };
}
