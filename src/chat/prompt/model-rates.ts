// What a model call spends its time on before the first token, from what earlier calls were measured at.
import type { EngineUsage } from '../../contract/engine.ts';

/** Loading takes at least this long; less is the engine looking up what it has. Milliseconds. */
const MIN_LOAD_MS = 100;

/** Milliseconds per prompt token: no machine that anybody waits for reads slower. */
const UNKNOWN_RATE = 100;
/** A busy machine, and other prompts that are read at the same time. */
const SLOWDOWN = 4;
/** The rate of a shorter prompt is that of the call, not of the reading. */
const MIN_RATED_TOKENS = 64;

interface Measured {
  readonly loadMs: number | null;
  /** Milliseconds per prompt token. */
  readonly promptRate: number | null;
  /** The worst of them: later calls find most of their prompt read already. */
  readonly slowestRate: number | null;
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
  /** How long reading so many tokens takes where everything is against it. Milliseconds. */
  slowest(weights: string, promptTokens: number): number;
  /** What the next call will do first, and how long that takes. */
  expect(call: ModelCall): ExpectedPhase;
  observe(weights: string, usage: EngineUsage): void;
}

export function createModelRates(): ModelRates {
  const measured = new Map<string, Measured>();
  return {
    slowest(weights, promptTokens) {
      const rate = measured.get(weights)?.slowestRate ?? null;
      return promptTokens * (rate === null ? UNKNOWN_RATE : rate * SLOWDOWN);
    },
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
        slowestRate: slower(last?.slowestRate ?? null, usage),
      });
    },
  };
}

/** Whether the model was loaded for the call. */
export function isLoad({ loadMs }: EngineUsage): boolean {
  return loadMs !== null && loadMs >= MIN_LOAD_MS;
}

function slower(known: number | null, { promptEvalMs, promptTokens }: EngineUsage): number | null {
  if (promptEvalMs === null || promptTokens === null || promptTokens < MIN_RATED_TOKENS) return known;
  return Math.max(known ?? 0, promptEvalMs / promptTokens);
}
