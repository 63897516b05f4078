// The common names of engine options → the binding's. Defaults are Ollama's, so that a session behaves alike.
import { randomInt } from 'node:crypto';
import type { EvaluateOptions, Token } from './binding.ts';

export interface Sampling {
  readonly evaluate: EvaluateOptions;
  /** Most tokens to write; Infinity: until the window is full. */
  readonly maxTokens: number;
  readonly stop: readonly string[];
  readonly threads: number | null;
}

const DEFAULT_TEMPERATURE = 0.8;
const DEFAULT_TOP_K = 40;
const DEFAULT_TOP_P = 0.9;
const DEFAULT_REPEAT_PENALTY = 1.1;
const DEFAULT_REPEAT_LAST_N = 64;

interface SamplingInput {
  readonly options: Readonly<Record<string, unknown>>;
  /** Structured output repeats itself by its nature: no penalty unless asked for. */
  readonly isStructured: boolean;
  /** The last tokens of prompt and answer, newest last; asked at every token. */
  readonly recentTokens: (count: number) => Token[];
}

export function toSampling({ options, isStructured, recentTokens }: SamplingInput): Sampling {
  const number = (name: string, fallback: number) => {
    const value = options[name];
    return typeof value === 'number' && Number.isFinite(value) ? value : fallback;
  };
  const limit = number('num_predict', -1);
  const threads = number('num_thread', 0);
  const seed = number('seed', -1);
  return {
    evaluate: {
      temperature: number('temperature', DEFAULT_TEMPERATURE),
      topK: Math.max(0, number('top_k', DEFAULT_TOP_K)),
      topP: number('top_p', DEFAULT_TOP_P),
      minP: number('min_p', 0),
      // The binding takes an unsigned number, and would take the time for none.
      seed: seed < 0 ? randomInt(2 ** 31) : seed,
      ...penalties(number, isStructured, recentTokens),
    },
    maxTokens: limit < 0 ? Number.POSITIVE_INFINITY : limit,
    stop: toStop(options['stop']),
    threads: threads > 0 ? threads : null,
  };
}

function penalties(
  number: (name: string, fallback: number) => number,
  isStructured: boolean,
  recentTokens: (count: number) => Token[],
): Pick<EvaluateOptions, 'repeatPenalty'> {
  const penalty = number('repeat_penalty', isStructured ? 1 : DEFAULT_REPEAT_PENALTY);
  const frequencyPenalty = number('frequency_penalty', 0);
  const presencePenalty = number('presence_penalty', 0);
  const lastN = number('repeat_last_n', DEFAULT_REPEAT_LAST_N);
  const isOff = penalty === 1 && frequencyPenalty === 0 && presencePenalty === 0;
  if (isOff || lastN === 0) return {};
  const count = lastN < 0 ? Number.POSITIVE_INFINITY : lastN;
  return {
    repeatPenalty: { punishTokens: () => recentTokens(count), penalty, frequencyPenalty, presencePenalty },
  };
}

function toStop(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? value.filter((text) => typeof text === 'string' && text !== '') : [];
}
