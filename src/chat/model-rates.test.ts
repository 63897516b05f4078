import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { EngineUsage } from '../contract/engine.ts';
import { createModelRates, type ModelRates } from './model-rates.ts';

const MINUTE = 60_000;
const MODEL = 'llama3.2:latest';

let rates: ModelRates;
beforeEach(() => {
  vi.useFakeTimers();
  rates = createModelRates();
});
afterEach(() => {
  vi.useRealTimers();
});

const usage = (measured: Partial<EngineUsage>): EngineUsage => ({
  promptTokens: null,
  outputTokens: null,
  loadMs: null,
  promptEvalMs: null,
  evalMs: null,
  ...measured,
});
const expected = (window: number | null, promptTokens = 1000) =>
  rates.expect({ model: MODEL, window, promptTokens });

it('expects an unknown model to load, for nobody knows how long', () => {
  expect(expected(8192)).toEqual({ phase: 'loading_model', estimateMs: null });
});

it('expects a loaded model to read the prompt at the pace that was measured', () => {
  rates.observe(MODEL, 8192, usage({ loadMs: 4000, promptTokens: 200, promptEvalMs: 100 }));
  expect(expected(8192, 1000)).toEqual({ phase: 'evaluating_prompt', estimateMs: 500 });
  expect(expected(8192, 0)).toEqual({ phase: 'evaluating_prompt', estimateMs: 0 });
  expect(rates.expect({ model: 'other', window: 8192, promptTokens: 1 }).phase).toBe('loading_model');
});

it('expects another window to load, for as long as the last load took', () => {
  rates.observe(MODEL, 8192, usage({ loadMs: 4000 }));
  expect(expected(16_384)).toEqual({ phase: 'loading_model', estimateMs: 4000 });
  expect(expected(null)).toEqual({ phase: 'loading_model', estimateMs: 4000 });
});

it('expects a model that rested for long to load again', () => {
  rates.observe(MODEL, 8192, usage({ loadMs: 4000 }));
  vi.advanceTimersByTime(4 * MINUTE);
  expect(expected(8192).phase).toBe('evaluating_prompt');
  vi.advanceTimersByTime(MINUTE);
  expect(expected(8192)).toEqual({ phase: 'loading_model', estimateMs: 4000 });
  rates.observe(MODEL, 8192, usage({}));
  expect(expected(8192).phase).toBe('evaluating_prompt');
});

it('takes no look-up for a load', () => {
  rates.observe(MODEL, 8192, usage({ loadMs: 4000 }));
  rates.observe(MODEL, 8192, usage({ loadMs: 20 }));
  expect(expected(16_384).estimateMs).toBe(4000);
});

it('keeps what it knows when an engine does not say', () => {
  rates.observe(MODEL, 8192, usage({ promptTokens: 100, promptEvalMs: 200 }));
  rates.observe(MODEL, 8192, usage({ promptTokens: 100 }));
  rates.observe(MODEL, 8192, usage({ promptTokens: 0, promptEvalMs: 5 }));
  expect(expected(8192, 10).estimateMs).toBe(20);
});

it('has no estimate without a measured pace', () => {
  rates.observe(MODEL, 8192, usage({ loadMs: 4000 }));
  expect(expected(8192)).toEqual({ phase: 'evaluating_prompt', estimateMs: null });
});
