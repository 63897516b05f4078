import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ContextWindowConfig } from '../contract/context-window.ts';
import { MochiError } from '../contract/errors.ts';
import { type ChosenWindow, chooseWindow, type WindowQuestion } from './choose-window.ts';

const config = {
  dynamic_enabled: true,
  current_window: 8192,
  last_adjustment: 'initial_setup' as const,
  adjustment_history: [],
  manual_override: false,
};

const question = (changes: Partial<WindowQuestion> = {}): WindowQuestion => ({
  config,
  dynamicEnabled: true,
  trainedLength: 131_072,
  isModelKnown: true,
  turnWindow: null,
  modelWindow: null,
  requiredTokens: 100,
  numPredict: null,
  isFirstTurn: false,
  hasModelChanged: false,
  ...changes,
});

/** Null where nothing fits. */
function choose(changes: Partial<WindowQuestion>): ChosenWindow | null {
  try {
    return chooseWindow(question(changes));
  } catch (error) {
    expect(error).toBeInstanceOf(MochiError);
    expect((error as MochiError).kind).toBe('context_overflow');
    return null;
  }
}

const tokens = fc.integer({ min: 0, max: 300_000 });
const length = fc.integer({ min: 64, max: 262_144 });
const dynamic = {
  trainedLength: fc.option(length),
  modelWindow: fc.option(fc.integer({ min: 4, max: 262_144 })),
  requiredTokens: tokens,
  numPredict: fc.option(fc.integer({ min: -2, max: 20_000 })),
  isFirstTurn: fc.boolean(),
  hasModelChanged: fc.boolean(),
};
const anyQuestion = fc.record({
  ...dynamic,
  dynamicEnabled: fc.boolean(),
  turnWindow: fc.option(fc.integer({ min: 4, max: 500_000 })),
  config: fc.record({
    dynamic_enabled: fc.boolean(),
    manual_override: fc.boolean(),
    current_window: fc.integer({ min: 4, max: 500_000 }),
    last_adjustment: fc.constant('initial_setup' as const),
    adjustment_history: fc.constant<ContextWindowConfig['adjustment_history']>([]),
  }),
});

describe('chooseWindow', () => {
  it.each([
    [131_072, 0, 8192],
    [8192, 0, 8192],
    [4096, 0, 4096],
    [null, 0, 8192],
    [131_072, 6516, 8192],
    [131_072, 6517, 16_384],
    [131_072, 13_964, 32_768],
    [10_000, 7000, 10_000],
    [40_960, 35_000, 40_960],
  ])('a model trained for %s with %d tokens to send: %d', (trainedLength, requiredTokens, window) => {
    expect(choose({ trainedLength, requiredTokens })?.window).toBe(window);
  });

  it('stays where the model stands, and never above what it was trained for', () => {
    expect(choose({ modelWindow: 32_768 })?.window).toBe(32_768);
    expect(choose({ modelWindow: 32_768, trainedLength: 16_384 })?.window).toBe(16_384);
    expect(choose({ modelWindow: 2048 })?.window).toBe(8192);
  });

  it('says why', () => {
    expect(choose({})?.reason).toBe('no_adjustment');
    expect(choose({ isFirstTurn: true })?.reason).toBe('initial_setup');
    expect(choose({ hasModelChanged: true })?.reason).toBe('model_change');
    expect(choose({ requiredTokens: 9000 })?.reason).toBe('usage_threshold');
    expect(choose({ turnWindow: 4096 })?.reason).toBe('manual_override');
    expect(choose({ config: { ...config, manual_override: true } })?.reason).toBe('manual_override');
    expect(choose({ dynamicEnabled: false })).toMatchObject({ window: null, reason: 'no_adjustment' });
  });

  it('refuses nothing for a model that nobody could ask about: its engine will answer for that', () => {
    const unknown = { trainedLength: null, isModelKnown: false, requiredTokens: 100_000 };
    expect(choose(unknown)).not.toBeNull();
    expect(choose({ ...unknown, isModelKnown: true })).toBeNull();
  });

  it('never offers a budget that lacks what must go in, and keeps the reply and a margin free', () => {
    fc.assert(
      fc.property(anyQuestion, (changes) => {
        const chosen = choose(changes);
        if (chosen === null) return;
        expect(chosen.promptBudget).toBeGreaterThanOrEqual(changes.requiredTokens);
        const size = chosen.window ?? changes.trainedLength ?? 8192;
        expect(chosen.promptBudget * 1.1).toBeLessThanOrEqual(size);
      }),
    );
  });

  it('never asks for more than the model was trained for, and always for a whole number', () => {
    fc.assert(
      fc.property(anyQuestion, (changes) => {
        const window = choose(changes)?.window ?? null;
        if (window === null) return;
        expect(Number.isInteger(window)).toBe(true);
        expect(window).toBeGreaterThan(0);
        expect(window).toBeLessThanOrEqual(changes.trainedLength ?? Number.POSITIVE_INFINITY);
      }),
    );
  });

  it('never shrinks when more must go in, nor below the step of the model', () => {
    fc.assert(
      fc.property(fc.record(dynamic), tokens, (changes, more) => {
        const small = choose(changes);
        const large = choose({ ...changes, requiredTokens: changes.requiredTokens + more });
        if (small === null) expect(large).toBeNull();
        if (small === null || large === null) return;
        expect(large.window).toBeGreaterThanOrEqual(small.window ?? 0);
        const step = Math.min(changes.modelWindow ?? 0, changes.trainedLength ?? Number.POSITIVE_INFINITY);
        expect(small.window).toBeGreaterThanOrEqual(step);
      }),
    );
  });

  it('climbs no further than it must: one step less would not have done', () => {
    fc.assert(
      fc.property(fc.record({ ...dynamic, modelWindow: fc.constant(null) }), (changes) => {
        const chosen = choose(changes);
        if (chosen === null || chosen.window === null) return;
        const { requiredTokens, numPredict, trainedLength } = changes;
        const lower = 2 ** Math.ceil(Math.log2(chosen.window) - 1);
        if (chosen.window <= Math.min(8192, trainedLength ?? 8192)) return;
        const reserve = numPredict !== null && numPredict > 0 ? numPredict : 1024;
        expect(requiredTokens * 1.1 + reserve).toBeGreaterThan(lower - 2);
      }),
    );
  });

  it('holds the reply that was asked for, where the model can', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20_000 }),
        fc.integer({ min: 0, max: 20_000 }),
        (numPredict, requiredTokens) => {
          const chosen = choose({ numPredict, requiredTokens, trainedLength: 131_072 });
          expect(chosen?.window).toBeGreaterThanOrEqual(requiredTokens + numPredict);
        },
      ),
    );
  });

  it('overflows only where the largest window is too small, and tells the sizes', () => {
    fc.assert(
      fc.property(fc.record(dynamic), (changes) => {
        if (choose(changes) !== null) return;
        const largest = Math.max(
          changes.trainedLength ?? 8192,
          changes.trainedLength ? 0 : (changes.modelWindow ?? 0),
        );
        // The reply never takes more than half of the window from the prompt.
        expect(changes.requiredTokens * 1.1).toBeGreaterThan(largest / 2 - 2);
      }),
    );
    const overflow = () => chooseWindow(question({ trainedLength: 4096, requiredTokens: 10_000 }));
    expect(overflow).toThrow(
      expect.objectContaining({
        details: { required_tokens: 10_000, prompt_budget: expect.any(Number), window: 4096 },
      }),
    );
  });
});
