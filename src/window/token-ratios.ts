// How many bytes of text a token of each model holds, learned from what the engine counted.
import { estimateTokens, fixedTokens, type PromptSize, START_BYTES_PER_TOKEN } from './estimate.ts';

/** Outside of these a count is no measure of the text: a cut prompt, a cache that was left out, an image. */
const LEAST_BYTES_PER_TOKEN = 1;
const MOST_BYTES_PER_TOKEN = 10;
/** A prompt of this many tokens moves the ratio by a quarter: the marks of a template weigh on short ones. */
const HALF_WEIGHT_TOKENS = 500;
const MOST_WEIGHT = 0.5;
/** Changes smaller than this part are not worth a write. */
const NOTABLE_CHANGE = 0.01;
/** Below this part of what the text alone must cost, the engine has not seen all of it. */
const SUSPICIOUS_PART = 0.5;
/** Smaller prompts tell nothing. */
const LEAST_TELLING_TOKENS = 200;

export interface TokenRatios {
  /** UTF-8 bytes per token. */
  current(model: string): number;
  /** @returns the new ratio where it has moved enough since the last one returned to be stored, else null */
  observe(model: string, size: PromptSize, promptTokens: number): number | null;
}

/** @param stored what was learned before, by model */
export function createTokenRatios(stored: Iterable<readonly [string, number]>): TokenRatios {
  const ratios = new Map(stored);
  const lastStored = new Map(ratios);
  return {
    current: (model) => ratios.get(model) ?? START_BYTES_PER_TOKEN,
    observe(model, size, promptTokens) {
      const before = ratios.get(model) ?? START_BYTES_PER_TOKEN;
      const learned = learnRatio(before, size, promptTokens);
      if (learned === before) return null;
      ratios.set(model, learned);
      const last = lastStored.get(model) ?? 0;
      if (Math.abs(learned - last) < last * NOTABLE_CHANGE) return null;
      lastStored.set(model, learned);
      return learned;
    },
  };
}

/** A moving average, weighted by how much a prompt tells. Pure. */
export function learnRatio(before: number, size: PromptSize, promptTokens: number): number {
  const measured = measuredRatio(size, promptTokens);
  if (measured === null || isSuspicious(size, promptTokens, before)) return before;
  const textTokens = promptTokens - fixedTokens(size);
  const weight = (MOST_WEIGHT * textTokens) / (textTokens + HALF_WEIGHT_TOKENS);
  return before + (measured - before) * weight;
}

/** Bytes per token of a prompt that was counted; null when that cannot be a measure of its text. */
export function measuredRatio(size: PromptSize, promptTokens: number): number | null {
  const textTokens = promptTokens - fixedTokens(size);
  if (textTokens <= 0) return null;
  const ratio = size.bytes / textTokens;
  return ratio < LEAST_BYTES_PER_TOKEN || ratio > MOST_BYTES_PER_TOKEN ? null : ratio;
}

/** Whether an engine counted so few tokens that it cannot have seen the whole prompt. */
export function isSuspicious(size: PromptSize, promptTokens: number, bytesPerToken: number): boolean {
  const expected = estimateTokens({ ...size, thinkingBytes: 0 }, bytesPerToken);
  return expected >= LEAST_TELLING_TOKENS && promptTokens < expected * SUSPICIOUS_PART;
}
