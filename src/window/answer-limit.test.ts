import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { limitAnswer } from './answer-limit.ts';

const asked = { window: 8192, plannedTokens: 1000, mostTokens: 1500, reserve: 1024, numPredict: null };

describe('limitAnswer', () => {
  it('is the whole room beside the most that the prompt can take, rounded down', () => {
    expect(limitAnswer(asked).tokens).toBe(6656);
    expect(limitAnswer({ ...asked, window: null }).tokens).toBeNull();
  });

  it('is at least what the plan has left free, where that is there', () => {
    expect(limitAnswer({ ...asked, plannedTokens: 6000, mostTokens: 9000 }).tokens).toBe(1024);
    expect(limitAnswer({ ...asked, plannedTokens: 8000, mostTokens: 9000 }).tokens).toBe(192);
    expect(limitAnswer({ ...asked, plannedTokens: 9000, mostTokens: 9000 }).tokens).toBe(1);
  });

  it.each([
    [100, 100, false],
    [0, 0, false],
    [9000, 6656, true],
    [-1, 6656, false],
    [-2, 6656, false],
  ])('a client that asks for %s tokens gets %s', (numPredict, tokens, isClamped) => {
    expect(limitAnswer({ ...asked, numPredict })).toMatchObject({ tokens, isClamped });
  });

  it('never reaches beyond the window, as long as the plan is right', () => {
    const size = fc.integer({ min: 1, max: 100_000 });
    fc.assert(
      fc.property(size, size, size, fc.option(size), (window, plannedTokens, reserve, numPredict) => {
        fc.pre(plannedTokens < window);
        const mostTokens = Math.ceil(plannedTokens * 1.25);
        const { tokens } = limitAnswer({ window, plannedTokens, mostTokens, reserve, numPredict });
        expect(plannedTokens + (tokens ?? 0)).toBeLessThanOrEqual(window);
      }),
    );
  });
});
