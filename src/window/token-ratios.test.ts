import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { estimateTokens, sizeOf } from './estimate.ts';
import { createTokenRatios, isSuspicious, learnRatio } from './token-ratios.ts';

const sized = (bytes: number) => sizeOf({ content: 'x'.repeat(bytes) });
/** What an engine counts whose tokens hold so many bytes. */
const counted = (bytes: number, bytesPerToken: number) => Math.round(bytes / bytesPerToken) + 4;

describe('token ratios', () => {
  it('come close to any tokenizer within a few prompts', () => {
    const ratio = fc.double({ min: 2, max: 6, noNaN: true });
    fc.assert(
      fc.property(
        ratio,
        fc.array(fc.integer({ min: 2000, max: 40_000 }), { minLength: 8 }),
        (truth, prompts) => {
          const ratios = createTokenRatios([]);
          for (const bytes of prompts) ratios.observe('m', sized(bytes), counted(bytes, truth));
          expect(ratios.current('m')).toBeCloseTo(truth, 0);
          const planned = estimateTokens(sized(10_000), ratios.current('m'));
          expect(Math.abs(planned / counted(10_000, truth) - 1)).toBeLessThan(0.25);
        },
      ),
    );
  });

  it('always move towards what was counted, and never past it', () => {
    const anyRatio = fc.double({ min: 1.2, max: 9, noNaN: true });
    fc.assert(
      fc.property(anyRatio, anyRatio, fc.integer({ min: 100, max: 100_000 }), (before, truth, bytes) => {
        const measured = bytes / (counted(bytes, truth) - 4);
        const after = learnRatio(before, sized(bytes), counted(bytes, truth));
        expect(after).toBeGreaterThanOrEqual(Math.min(before, measured) - 1e-9);
        expect(after).toBeLessThanOrEqual(Math.max(before, measured) + 1e-9);
      }),
    );
  });

  it('are kept for each model, and start from what was stored', () => {
    const ratios = createTokenRatios([['old', 5]]);
    expect([ratios.current('old'), ratios.current('new')]).toEqual([5, 3.5]);
    ratios.observe('new', sized(10_000), counted(10_000, 2.5));
    expect(ratios.current('old')).toBe(5);
    expect(ratios.current('new')).toBeLessThan(3.5);
  });

  it('are worth storing only when they have moved', () => {
    const ratios = createTokenRatios([]);
    const observe = () => ratios.observe('m', sized(10_000), counted(10_000, 4));
    expect(observe()).toBe(ratios.current('m'));
    for (let turn = 0; turn < 30; turn += 1) observe();
    expect(observe()).toBeNull();
  });

  it('learn nothing from a prompt that was cut, or counted without its cached part', () => {
    expect(learnRatio(3.5, sized(10_000), 900)).toBe(3.5);
    expect(learnRatio(3.5, sized(10_000), 0)).toBe(3.5);
    expect(learnRatio(3.5, sized(100), 4000)).toBe(3.5);
  });
});

describe('isSuspicious', () => {
  it('is a count far below what the text alone must cost', () => {
    expect(isSuspicious(sized(35_000), 4098, 3.5)).toBe(true);
    expect(isSuspicious(sized(35_000), 6000, 3.5)).toBe(false);
    // Too short to tell.
    expect(isSuspicious(sized(350), 20, 3.5)).toBe(false);
  });

  it('is not the thinking of older messages, which templates drop', () => {
    const size = sizeOf({ content: 'x'.repeat(3500), thinking: 'x'.repeat(35_000) });
    expect(isSuspicious(size, 1000, 3.5)).toBe(false);
  });
});
