import { beforeEach, expect, it } from 'vitest';
import type { EngineUsage } from '../../contract/engine.ts';
import { createModelRates, type ModelRates } from './model-rates.ts';

const MODEL = 'llama3.2:latest';

let rates: ModelRates;
beforeEach(() => {
  rates = createModelRates();
});

const usage = (measured: Partial<EngineUsage>): EngineUsage => ({
  promptTokens: null,
  outputTokens: null,
  loadMs: null,
  promptEvalMs: null,
  evalMs: null,
  ...measured,
});
const expected = (isLoaded: boolean, promptTokens = 1000) =>
  rates.expect({ weights: MODEL, isLoaded, promptTokens });

it('expects an unknown model to load, for nobody knows how long', () => {
  expect(expected(false)).toEqual({ phase: 'loading_model', estimateMs: null });
});

it('expects a loaded model to read the prompt at the pace that was measured', () => {
  rates.observe(MODEL, usage({ loadMs: 4000, promptTokens: 200, promptEvalMs: 100 }));
  expect(expected(true, 1000)).toEqual({ phase: 'evaluating_prompt', estimateMs: 500 });
  expect(expected(true, 0)).toEqual({ phase: 'evaluating_prompt', estimateMs: 0 });
  expect(rates.expect({ weights: 'other', isLoaded: true, promptTokens: 1 }).estimateMs).toBeNull();
});

it('expects a model that is not loaded to take as long as the last load did', () => {
  rates.observe(MODEL, usage({ loadMs: 4000 }));
  expect(expected(false)).toEqual({ phase: 'loading_model', estimateMs: 4000 });
});

it('takes no look-up for a load', () => {
  rates.observe(MODEL, usage({ loadMs: 4000 }));
  rates.observe(MODEL, usage({ loadMs: 20 }));
  expect(expected(false).estimateMs).toBe(4000);
});

it('keeps what it knows when an engine does not say', () => {
  rates.observe(MODEL, usage({ promptTokens: 100, promptEvalMs: 200 }));
  rates.observe(MODEL, usage({ promptTokens: 100 }));
  rates.observe(MODEL, usage({ promptTokens: 0, promptEvalMs: 5 }));
  expect(expected(true, 10).estimateMs).toBe(20);
});

it('has no estimate without a measured pace', () => {
  rates.observe(MODEL, usage({ loadMs: 4000 }));
  expect(expected(true)).toEqual({ phase: 'evaluating_prompt', estimateMs: null });
});

it('the slowest reading is the worst of the longer prompts, many times over; very slow before any', () => {
  expect(rates.slowest(MODEL, 10)).toBe(1000);
  rates.observe(MODEL, usage({ promptTokens: 10, promptEvalMs: 1000 }));
  expect(rates.slowest(MODEL, 10)).toBe(1000);
  rates.observe(MODEL, usage({ promptTokens: 1000, promptEvalMs: 2000 }));
  // Most of it had been read before.
  rates.observe(MODEL, usage({ promptTokens: 1000, promptEvalMs: 10 }));
  expect(rates.slowest(MODEL, 10)).toBe(80);
});
