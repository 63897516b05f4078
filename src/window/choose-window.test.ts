import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ContextWindowConfig } from '../contract/context-window.ts';
import { type ChosenWindow, chooseWindow, type WindowQuestion, windowLimits } from './choose-window.ts';

const config = {
  dynamic_enabled: true,
  current_window: 8192,
  last_adjustment: 'initial_setup' as const,
  adjustment_history: [],
  manual_override: false,
};

interface Turn {
  readonly plannedTokens: number;
  readonly isCut: boolean;
  readonly isFirstTurn: boolean;
  readonly hasModelChanged: boolean;
}

const question = (changes: Partial<WindowQuestion> = {}): WindowQuestion => ({
  config,
  dynamicEnabled: true,
  firstWindow: 8192,
  maxWindow: null,
  trainedLength: 131_072,
  turnWindow: null,
  atLeast: null,
  modelWindow: null,
  loadedWindow: null,
  loadableWindow: null,
  numPredict: null,
  usualReserve: 1024,
  ...changes,
});

function choose(changes: Partial<WindowQuestion & Turn>): ChosenWindow {
  const {
    plannedTokens = 100,
    isCut = false,
    isFirstTurn = false,
    hasModelChanged = false,
    ...asked
  } = changes;
  return chooseWindow(question(asked), { plannedTokens, isCut, isFirstTurn, hasModelChanged });
}

const length = fc.integer({ min: 64, max: 262_144 });
const dynamic = {
  trainedLength: fc.option(length),
  modelWindow: fc.option(fc.integer({ min: 4, max: 262_144 })),
  loadedWindow: fc.option(fc.integer({ min: 4, max: 262_144 })),
  maxWindow: fc.option(fc.integer({ min: 256, max: 262_144 })),
  numPredict: fc.option(fc.integer({ min: -2, max: 20_000 })),
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
/** Part of the budget that is planned. */
const part = fc.double({ min: 0, max: 1, noNaN: true });
const planned = (changes: Partial<WindowQuestion>, filled: number) =>
  Math.floor(windowLimits(question(changes)).budget * filled);

describe('the room that a client wants at least', () => {
  it.each([
    ['is the first step where that is more', { atLeast: 20_000 }, 20_000],
    ['is no less than the first step', { atLeast: 2048 }, 8192],
    ['ends where the model does', { atLeast: 1_000_000 }, 131_072],
    ['ends where the operator says', { atLeast: 1_000_000, maxWindow: 16_384 }, 16_384],
    ['ends where memory does', { atLeast: 65_536, loadableWindow: 32_768 }, 32_768],
    ['reloads nothing where more is loaded', { atLeast: 20_000, loadedWindow: 32_768 }, 32_768],
    ['is loaded anew where less is', { atLeast: 20_000, loadedWindow: 8192 }, 20_000],
    ['is asked of an engine that has its own window', { atLeast: 20_000, dynamicEnabled: false }, 20_000],
    [
      'keeps a larger one that the engine holds',
      { atLeast: 20_000, dynamicEnabled: false, loadedWindow: 40_960 },
      40_960,
    ],
    [
      'is less than what somebody has set by hand',
      { atLeast: 20_000, config: { ...config, manual_override: true, current_window: 4096 } },
      4096,
    ],
  ])('%s', (_what, changes, window) => {
    expect(choose(changes).window).toBe(window);
  });

  it('is climbed from by the usual steps', () => {
    expect(choose({ atLeast: 20_000, plannedTokens: 30_000 })).toMatchObject({
      window: 40_000,
      reason: 'usage_threshold',
    });
  });
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
  ])('a model trained for %s with %d tokens to send: %d', (trainedLength, plannedTokens, window) => {
    expect(choose({ trainedLength, plannedTokens }).window).toBe(window);
  });

  it('stays where the model stands, and never above what it was trained for', () => {
    expect(choose({ modelWindow: 32_768 }).window).toBe(32_768);
    expect(choose({ modelWindow: 32_768, trainedLength: 16_384 }).window).toBe(16_384);
    expect(choose({ modelWindow: 2048 }).window).toBe(8192);
  });

  it('uses the window that is loaded where it holds the prompt, whatever its size', () => {
    // Other sessions need not follow: the step stays.
    expect(choose({ loadedWindow: 20_000 })).toEqual({
      window: 20_000,
      reason: 'no_adjustment',
      step: 8192,
    });
    expect(choose({ loadedWindow: 20_000, plannedTokens: 7000 }).window).toBe(20_000);
    expect(choose({ loadedWindow: 9000, plannedTokens: 9000 })).toEqual({
      window: 16_384,
      reason: 'usage_threshold',
      step: 16_384,
    });
    // A window below the first step, or below that of the other sessions, would be outgrown at once.
    expect(choose({ loadedWindow: 2048 }).window).toBe(8192);
    expect(choose({ loadedWindow: 8192, modelWindow: 16_384 }).window).toBe(16_384);
  });

  it("never climbs over the operator's limit; what is loaded already may be larger", () => {
    const limited = { maxWindow: 16_384, plannedTokens: 60_000 };
    expect(windowLimits(question(limited)).largest).toBe(16_384);
    expect(choose(limited).window).toBe(16_384);
    expect(choose({ maxWindow: 4096 }).window).toBe(4096);
    expect(choose({ maxWindow: 4096, turnWindow: 20_000 }).window).toBe(20_000);
    expect(choose({ maxWindow: 16_384, loadedWindow: 32_768 }).window).toBe(32_768);
  });

  it('stays below what could not be loaded, and says so where that is missed', () => {
    const failed = { loadableWindow: 8192 };
    expect(windowLimits(question(failed)).largest).toBe(8192);
    expect(choose({ ...failed, plannedTokens: 9000 })).toMatchObject({ window: 8192, reason: 'load_failed' });
    expect(choose({ ...failed, isCut: true })).toMatchObject({ window: 8192, reason: 'load_failed' });
    expect(choose(failed).reason).toBe('no_adjustment');
    // The operator's limit was there before.
    expect(choose({ ...failed, maxWindow: 4096, isCut: true }).reason).toBe('no_adjustment');
  });

  it('says why', () => {
    expect(choose({}).reason).toBe('no_adjustment');
    expect(choose({ isFirstTurn: true }).reason).toBe('initial_setup');
    expect(choose({ hasModelChanged: true }).reason).toBe('model_change');
    expect(choose({ plannedTokens: 9000 }).reason).toBe('usage_threshold');
    expect(choose({ plannedTokens: 9000, isFirstTurn: true }).reason).toBe('usage_threshold');
    expect(choose({ turnWindow: 4096 }).reason).toBe('manual_override');
    expect(choose({ config: { ...config, manual_override: true } }).reason).toBe('manual_override');
    expect(choose({ dynamicEnabled: false })).toEqual({
      window: null,
      reason: 'no_adjustment',
      step: null,
    });
  });

  it('plans for what the engine holds where the window is its own', () => {
    const left = { dynamicEnabled: false, loadedWindow: 4096 };
    expect(windowLimits(question(left)).largest).toBe(4096);
    expect(windowLimits(question({ dynamicEnabled: false })).largest).toBe(131_072);
  });

  it('holds whatever fits the limits, with the reply and a margin free', () => {
    fc.assert(
      fc.property(anyQuestion, part, (changes, filled) => {
        const plannedTokens = planned(changes, filled);
        const { window } = choose({ ...changes, plannedTokens });
        if (window === null) return;
        expect(plannedTokens * 1.1).toBeLessThanOrEqual(window);
      }),
    );
  });

  it('never asks for more than the model was trained for, and always for a whole number', () => {
    fc.assert(
      fc.property(anyQuestion, part, (changes, filled) => {
        const trained = changes.trainedLength ?? Number.POSITIVE_INFINITY;
        // What is loaded was clamped by the engine.
        const loadedWindow = changes.loadedWindow === null ? null : Math.min(changes.loadedWindow, trained);
        const asked = { ...changes, loadedWindow };
        const { window } = choose({ ...asked, plannedTokens: planned(asked, filled) });
        if (window === null) return;
        expect(Number.isInteger(window)).toBe(true);
        expect(window).toBeGreaterThan(0);
        expect(window).toBeLessThanOrEqual(trained);
      }),
    );
  });

  it('never shrinks when more must go in, nor below the step of the model', () => {
    const unloaded = { ...dynamic, loadedWindow: fc.constant(null) };
    fc.assert(
      fc.property(fc.record(unloaded), part, part, (changes, one, other) => {
        const small = choose({ ...changes, plannedTokens: planned(changes, Math.min(one, other)) });
        const large = choose({ ...changes, plannedTokens: planned(changes, Math.max(one, other)) });
        expect(large.window).toBeGreaterThanOrEqual(small.window ?? 0);
        const { largest } = windowLimits(question(changes));
        expect(small.window).toBeGreaterThanOrEqual(Math.min(changes.modelWindow ?? 0, largest));
      }),
    );
  });

  it('climbs no further than it must: one step less would not have done', () => {
    const alone = { ...dynamic, modelWindow: fc.constant(null), loadedWindow: fc.constant(null) };
    fc.assert(
      fc.property(fc.record(alone), part, (changes, filled) => {
        const plannedTokens = planned(changes, filled);
        const { window } = choose({ ...changes, plannedTokens });
        const { largest } = windowLimits(question(changes));
        if (window === null || window <= Math.min(8192, largest)) return;
        const lower = 2 ** Math.ceil(Math.log2(window) - 1);
        const asked = changes.numPredict !== null && changes.numPredict > 0 ? changes.numPredict : 1024;
        expect(plannedTokens * 1.1 + asked).toBeGreaterThan(lower);
      }),
    );
  });

  it('asks for no change where the loaded window will do', () => {
    fc.assert(
      fc.property(fc.record(dynamic), part, (changes, filled) => {
        const { loadedWindow, modelWindow } = changes;
        if (loadedWindow === null || loadedWindow < Math.max(8192, modelWindow ?? 0)) return;
        // Every reply that is asked for fits it.
        if (loadedWindow < 20_000) return;
        const plannedTokens = Math.floor(((loadedWindow - 20_000) / 1.1) * filled);
        expect(choose({ ...changes, plannedTokens }).window).toBe(loadedWindow);
      }),
    );
  });
});
