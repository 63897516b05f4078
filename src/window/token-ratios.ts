// How many bytes of text a token of each model holds, learned from what the engine counted.
import {
  type BytesPerToken,
  estimateTokens,
  fixedTokens,
  type PromptSize,
  START_BYTES_PER_TOKEN,
  textTokens,
} from './estimate.ts';
import { NO_TEXT } from './text-size.ts';

/** Outside of these a count is no measure of the text: a cut prompt, a cache that was left out, an image. */
const LEAST_BYTES_PER_TOKEN = 1;
const MOST_BYTES_PER_TOKEN = 10;
/** A prompt for itself may have more tokens than bytes: the marks of its template count as well. */
const LEAST_BYTES_OF_ITSELF = 0.5;
/** A prompt of this many tokens moves the ratio by a quarter: the marks of a template weigh on short ones. */
const HALF_WEIGHT_TOKENS = 500;
const MOST_WEIGHT = 0.5;
/** Changes smaller than this part are not worth a write. */
const NOTABLE_CHANGE = 0.01;
/** Below this part of what the text alone must cost, the engine has not seen all of it. */
const SUSPICIOUS_PART = 0.5;
/** Smaller prompts tell nothing. */
const LEAST_TELLING_TOKENS = 200;
/** Tokens of Chinese hold so many bytes for models that read it well: what costs more is no matter of course. */
const EXPECTED_DENSE = 5;

export interface TokenRatios {
  current(model: string): BytesPerToken;
  /** @returns the new ratio where it has moved enough since the last one returned to be stored, else null */
  observe(model: string, size: PromptSize, promptTokens: number): BytesPerToken | null;
}

/** @param stored what was learned before, by model; null where nothing was learned of a kind of text */
export function createTokenRatios(
  stored: Iterable<readonly [string, { readonly plain: number; readonly dense: number | null }]>,
): TokenRatios {
  const ratios = new Map<string, BytesPerToken>();
  for (const [model, { plain, dense }] of stored) {
    ratios.set(model, { plain, dense: dense ?? START_BYTES_PER_TOKEN.dense });
  }
  const lastStored = new Map(ratios);
  return {
    current: (model) => ratios.get(model) ?? START_BYTES_PER_TOKEN,
    observe(model, size, promptTokens) {
      const before = ratios.get(model) ?? START_BYTES_PER_TOKEN;
      const learned = learnRatio(before, size, promptTokens);
      if (learned === before) return null;
      ratios.set(model, learned);
      if (!hasMoved(lastStored.get(model), learned)) return null;
      lastStored.set(model, learned);
      return learned;
    },
  };
}

function hasMoved(last: BytesPerToken | undefined, now: BytesPerToken): boolean {
  if (last === undefined) return true;
  const moved = (kind: keyof BytesPerToken) =>
    Math.abs(now[kind] - last[kind]) >= last[kind] * NOTABLE_CHANGE;
  return moved('plain') || moved('dense');
}

/** A moving average, weighted by how much a prompt tells, and of which kind of text. Pure. */
export function learnRatio(before: BytesPerToken, size: PromptSize, promptTokens: number): BytesPerToken {
  const counted = promptTokens - fixedTokens(size);
  if (!isMeasure(size, counted) || isSuspicious(size, promptTokens, before)) return before;
  const weight = (MOST_WEIGHT * counted) / (counted + HALF_WEIGHT_TOKENS);
  const expected = textTokens(size.text, before);
  const { plain, dense } = scale(before, expected / counted);
  const move = (from: number, to: number, bytes: number) =>
    clamp(from + (to - from) * weight * (bytes / from / expected));
  return {
    plain: move(before.plain, plain, size.text.plain),
    dense: move(before.dense, dense, size.text.dense),
  };
}

/** Whether a count can be one of the text that was sent. */
function isMeasure({ text }: PromptSize, tokens: number): boolean {
  if (tokens <= 0) return false;
  const ratio = (text.plain + text.dense) / tokens;
  return ratio >= LEAST_BYTES_PER_TOKEN && ratio <= MOST_BYTES_PER_TOKEN;
}

function clamp(ratio: number): number {
  return Math.min(MOST_BYTES_PER_TOKEN, Math.max(LEAST_BYTES_PER_TOKEN, ratio));
}

function scale({ plain, dense }: BytesPerToken, factor: number): BytesPerToken {
  return { plain: plain * factor, dense: dense * factor };
}

/** The ratio by which a prompt costs exactly what was counted of it; null: that cannot have been its text. */
export function ratioOfCounted(
  before: BytesPerToken,
  size: PromptSize,
  promptTokens: number,
): BytesPerToken | null {
  const counted = promptTokens - fixedTokens(size);
  const { plain, dense } = size.text;
  if (counted <= 0 || plain + dense < counted * LEAST_BYTES_OF_ITSELF) return null;
  return scale(before, textTokens(size.text, before) / counted);
}

/** Whether an engine counted so few tokens that it cannot have seen the whole prompt. */
export function isSuspicious(size: PromptSize, promptTokens: number, ratio: BytesPerToken): boolean {
  const generous = { plain: ratio.plain, dense: Math.max(ratio.dense, EXPECTED_DENSE) };
  const expected = estimateTokens({ ...size, thinking: NO_TEXT }, generous);
  return expected >= LEAST_TELLING_TOKENS && promptTokens < expected * SUSPICIOUS_PART;
}
