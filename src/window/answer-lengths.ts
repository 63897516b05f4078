// How long the answers of each model have been lately: so much room a plan leaves for the next one.

/** Room for an answer of a model of which nothing is known, and the least of any. Tokens. */
const LEAST_RESERVE = 1024;
/** Answers of a model that are remembered. */
const REMEMBERED = 40;
/** So many of them should have fitted. */
const FITTING_PART = 0.9;
/** The reserve moves in steps of so many tokens, and sinks only when it is far too large: each change moves plans. */
const STEP = 256;
const FAR_TOO_LARGE = 0.6;

export interface AnswerLengths {
  /** Tokens that a plan leaves free for an answer of the model, thinking included. */
  reserve(model: string): number;
  /** An answer that nobody has limited. */
  observe(model: string, tokens: number): void;
}

interface Known {
  readonly lengths: number[];
  reserve: number;
}

/** @param earlier answers before this start, the oldest first */
export function createAnswerLengths(
  earlier: Iterable<{ readonly model: string; readonly tokens: number }>,
): AnswerLengths {
  const models = new Map<string, Known>();

  function observe(model: string, tokens: number): void {
    const known = models.get(model) ?? { lengths: [], reserve: LEAST_RESERVE };
    models.set(model, known);
    known.lengths.push(tokens);
    if (known.lengths.length > REMEMBERED) known.lengths.shift();
    known.reserve = moveReserve(known.reserve, usualLength(known.lengths));
  }

  for (const { model, tokens } of earlier) observe(model, tokens);
  return { observe, reserve: (model) => models.get(model)?.reserve ?? LEAST_RESERVE };
}

function usualLength(lengths: readonly number[]): number {
  const sorted = lengths.toSorted((left, right) => left - right);
  return sorted[Math.ceil(sorted.length * FITTING_PART) - 1] ?? 0;
}

function moveReserve(before: number, usual: number): number {
  const wanted = Math.max(LEAST_RESERVE, Math.ceil(usual / STEP) * STEP);
  return wanted > before || wanted < before * FAR_TOO_LARGE ? wanted : before;
}
