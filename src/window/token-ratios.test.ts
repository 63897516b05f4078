import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { estimateTokens, START_BYTES_PER_TOKEN, sizeOf } from './estimate.ts';
import { createTokenRatios, isSuspicious, learnRatio, ratioOfCounted } from './token-ratios.ts';

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
          expect(ratios.current('m').plain).toBeCloseTo(truth, 0);
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
        const after = learnRatio({ plain: before, dense: 1.5 }, sized(bytes), counted(bytes, truth)).plain;
        expect(after).toBeGreaterThanOrEqual(Math.min(before, measured) - 1e-9);
        expect(after).toBeLessThanOrEqual(Math.max(before, measured) + 1e-9);
      }),
    );
  });

  it('are kept for each model, and start from what was stored', () => {
    const ratios = createTokenRatios([
      ['old', { plain: 5, dense: 2 }],
      ['older', { plain: 5, dense: null }],
    ]);
    expect(ratios.current('old')).toEqual({ plain: 5, dense: 2 });
    expect(ratios.current('older')).toEqual({ plain: 5, dense: 1.5 });
    expect(ratios.current('new')).toEqual(START_BYTES_PER_TOKEN);
    ratios.observe('new', sized(10_000), counted(10_000, 2.5));
    expect(ratios.current('old').plain).toBe(5);
    expect(ratios.current('new').plain).toBeLessThan(3.5);
  });

  it('are learned for each kind of text apart', () => {
    const mixed = (words: number, characters: number) =>
      sizeOf({ content: 'x'.repeat(words) + '漢'.repeat(characters) });
    const ratios = createTokenRatios([]);
    // Words take four bytes, Chinese one: some prompts are of this, some of that.
    for (let turn = 0; turn < 40; turn += 1) {
      const [words, characters] = turn % 2 === 0 ? [8000, 100] : [400, 3000];
      ratios.observe('m', mixed(words, characters), Math.round(words / 4 + characters * 3) + 4);
    }
    const { plain, dense } = ratios.current('m');
    expect(Math.abs(plain - 4)).toBeLessThan(0.3);
    expect(Math.abs(dense - 1)).toBeLessThan(0.1);
  });

  it('of a prompt that was counted are such that it costs exactly that', () => {
    const size = sizeOf({ content: `Pi: ${'314159'.repeat(500)}` });
    // More tokens than bytes, as the marks of a template make them.
    for (const tokens of [900, 3010, 5302]) {
      const ratio = ratioOfCounted(START_BYTES_PER_TOKEN, size, tokens);
      expect(Math.abs(estimateTokens(size, ratio ?? START_BYTES_PER_TOKEN) - tokens)).toBeLessThanOrEqual(1);
    }
    // Nobody's text is as long.
    expect(ratioOfCounted(START_BYTES_PER_TOKEN, sized(5), 9000)).toBeNull();
  });

  it('are worth storing only when they have moved', () => {
    const ratios = createTokenRatios([]);
    const observe = () => ratios.observe('m', sized(10_000), counted(10_000, 4));
    expect(observe()).toBe(ratios.current('m'));
    for (let turn = 0; turn < 30; turn += 1) observe();
    expect(observe()).toBeNull();
  });

  it('learn nothing from a prompt that was cut, or counted without its cached part', () => {
    expect(learnRatio(START_BYTES_PER_TOKEN, sized(10_000), 900)).toBe(START_BYTES_PER_TOKEN);
    expect(learnRatio(START_BYTES_PER_TOKEN, sized(10_000), 0)).toBe(START_BYTES_PER_TOKEN);
    expect(learnRatio(START_BYTES_PER_TOKEN, sized(100), 4000)).toBe(START_BYTES_PER_TOKEN);
  });
});

describe('isSuspicious', () => {
  it('is a count far below what the text alone must cost', () => {
    expect(isSuspicious(sized(35_000), 4098, START_BYTES_PER_TOKEN)).toBe(true);
    expect(isSuspicious(sized(35_000), 6000, START_BYTES_PER_TOKEN)).toBe(false);
    // Too short to tell.
    expect(isSuspicious(sized(350), 20, START_BYTES_PER_TOKEN)).toBe(false);
  });

  it('is not a script that the model reads well', () => {
    const chinese = sizeOf({ content: '漢'.repeat(3000) });
    expect(isSuspicious(chinese, 2000, START_BYTES_PER_TOKEN)).toBe(false);
    expect(isSuspicious(chinese, 400, START_BYTES_PER_TOKEN)).toBe(true);
  });

  it('is not the thinking of older messages, which templates drop', () => {
    const size = sizeOf({ content: 'x'.repeat(3500), thinking: 'x'.repeat(35_000) });
    expect(isSuspicious(size, 1000, START_BYTES_PER_TOKEN)).toBe(false);
  });
});
