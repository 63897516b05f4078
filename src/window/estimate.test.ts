import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addSizes,
  type EstimatedMessage,
  estimateTokens,
  mostTokens,
  NO_SIZE,
  START_BYTES_PER_TOKEN,
  sizeOf,
} from './estimate.ts';

const text = fc.string({ unit: 'binary', maxLength: 30 });
const tokens = (message: EstimatedMessage) => estimateTokens(sizeOf(message), START_BYTES_PER_TOKEN);

describe('estimateTokens', () => {
  it('counts text by its bytes and its script, so that none comes out cheap', () => {
    const of = (content: string) => tokens({ content });
    expect(of('')).toBeGreaterThan(0);
    expect(of('word '.repeat(700))).toBeGreaterThan(900);
    expect(of('word '.repeat(700))).toBeLessThan(1200);
    // Small models read a character of Chinese in two or three tokens, and every digit as one.
    expect(of('漢字'.repeat(500))).toBeGreaterThan(1900);
    expect(of('31415926'.repeat(100))).toBeGreaterThan(500);
    expect(of('🦙'.repeat(100))).toBeGreaterThan(100);
  });

  it('counts thinking, calls and images as well', () => {
    const plain = tokens({ content: 'Hello' });
    expect(tokens({ content: 'Hello', thinking: 'x'.repeat(350) })).toBe(plain + 100);
    expect(tokens({ content: 'Hello', images: ['aaaa', 'bbbb'] })).toBe(plain + 2 * 768);
    const calls = [{ function: { name: 'f', arguments: { text: 'x'.repeat(350) } } }];
    expect(tokens({ content: 'Hello', tool_calls: calls })).toBeGreaterThan(plain + 100);
    expect(tokens({ content: 'Hello', thinking: null, tool_calls: null, images: [] })).toBe(plain);
  });

  it('never sinks when text is added, and never counts two messages cheaper than their text in one', () => {
    fc.assert(
      fc.property(text, text, (left, right) => {
        const whole = tokens({ content: left + right });
        expect(whole).toBeGreaterThanOrEqual(tokens({ content: left }));
        expect(tokens({ content: left }) + tokens({ content: right })).toBeGreaterThanOrEqual(whole);
      }),
    );
  });

  it('counts messages together as it counts them one by one, but for rounding', () => {
    fc.assert(
      fc.property(fc.array(text), fc.double({ min: 1, max: 10, noNaN: true }), (contents, plain) => {
        const ratio = { plain, dense: 1.5 };
        const sizes = contents.map((content) => sizeOf({ content }));
        const together = estimateTokens(sizes.reduce(addSizes, NO_SIZE), ratio);
        const apart = sizes.reduce((sum, size) => sum + estimateTokens(size, ratio), 0);
        expect(together).toBeLessThanOrEqual(apart);
        expect(together).toBeGreaterThanOrEqual(apart - sizes.length);
      }),
    );
  });
});

describe('mostTokens', () => {
  it('is never less than the estimate, nor than a token for each byte of what may cost as much', () => {
    fc.assert(
      fc.property(text, fc.double({ min: 1, max: 10, noNaN: true }), (content, plain) => {
        const most = mostTokens(sizeOf({ content }), { plain, dense: 3 });
        expect(most).toBeGreaterThanOrEqual(estimateTokens(sizeOf({ content }), { plain, dense: 3 }));
        expect(most).toBeGreaterThanOrEqual(Buffer.byteLength(content.replace(/(?!\d)\p{ASCII}/gu, '')));
      }),
    );
  });
});
