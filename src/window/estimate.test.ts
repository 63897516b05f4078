import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addSizes, type EstimatedMessage, estimateTokens, NO_SIZE, sizeOf } from './estimate.ts';

const text = fc.string({ unit: 'binary', maxLength: 30 });
const tokens = (message: EstimatedMessage) => estimateTokens(sizeOf(message), 3.5);

describe('estimateTokens', () => {
  it('counts text by its bytes, so that no script comes out cheap', () => {
    const of = (content: string) => tokens({ content });
    expect(of('')).toBeGreaterThan(0);
    expect(of('word '.repeat(700))).toBeGreaterThan(900);
    expect(of('word '.repeat(700))).toBeLessThan(1200);
    expect(of('漢字'.repeat(500))).toBeGreaterThan(700);
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
      fc.property(fc.array(text), fc.double({ min: 1, max: 10, noNaN: true }), (contents, ratio) => {
        const sizes = contents.map((content) => sizeOf({ content }));
        const together = estimateTokens(sizes.reduce(addSizes, NO_SIZE), ratio);
        const apart = sizes.reduce((sum, size) => sum + estimateTokens(size, ratio), 0);
        expect(together).toBeLessThanOrEqual(apart);
        expect(together).toBeGreaterThanOrEqual(apart - sizes.length);
      }),
    );
  });
});
