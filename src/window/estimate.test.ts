import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { estimateMessage } from './estimate.ts';

const text = fc.string({ unit: 'binary', maxLength: 30 });

describe('estimateMessage', () => {
  it('counts text by its bytes, so that no script comes out cheap', () => {
    const of = (content: string) => estimateMessage({ content });
    expect(of('')).toBeGreaterThan(0);
    expect(of('word '.repeat(700))).toBeGreaterThan(900);
    expect(of('word '.repeat(700))).toBeLessThan(1200);
    expect(of('漢字'.repeat(500))).toBeGreaterThan(700);
    expect(of('🦙'.repeat(100))).toBeGreaterThan(100);
  });

  it('counts thinking, calls and images as well', () => {
    const plain = estimateMessage({ content: 'Hello' });
    expect(estimateMessage({ content: 'Hello', thinking: 'x'.repeat(350) })).toBe(plain + 100);
    expect(estimateMessage({ content: 'Hello', images: ['aaaa', 'bbbb'] })).toBe(plain + 2 * 768);
    const calls = [{ function: { name: 'f', arguments: { text: 'x'.repeat(350) } } }];
    expect(estimateMessage({ content: 'Hello', tool_calls: calls })).toBeGreaterThan(plain + 100);
    expect(estimateMessage({ content: 'Hello', thinking: null, tool_calls: null, images: [] })).toBe(plain);
  });

  it('never sinks when text is added, and never counts two messages cheaper than their text in one', () => {
    fc.assert(
      fc.property(text, text, (left, right) => {
        const whole = estimateMessage({ content: left + right });
        expect(whole).toBeGreaterThanOrEqual(estimateMessage({ content: left }));
        expect(
          estimateMessage({ content: left }) + estimateMessage({ content: right }),
        ).toBeGreaterThanOrEqual(whole);
      }),
    );
  });
});
