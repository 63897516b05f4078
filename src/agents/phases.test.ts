// The order of phases and rounds, whatever the model does.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { firstState, nextState, type RunLimits, type RunState } from './phases.ts';

const NO_LIMITS: RunLimits = { maxRounds: 50, timeoutMs: null, maxTokens: null };
const NOTHING = { activeMs: 0, tokens: 0 };

/** What a run does whose model calls tools, or not, one answer after the other. */
function runOf(calls: readonly boolean[], limits: RunLimits = NO_LIMITS, plans = true): string[] {
  const told: string[] = [];
  let state: RunState | null = firstState(limits, plans);
  for (const hasCalled of calls) {
    if (state === null) break;
    told.push(`${state.phase} ${state.round}${state.limit === null ? '' : ` ${state.limit}`}`);
    const spent = { activeMs: told.length * 1000, tokens: told.length * 100 };
    state = nextState(state, hasCalled, { spent, limits });
  }
  return state === null ? [...told, 'end'] : told;
}

describe('a run', () => {
  it('plans, works while it calls tools, and ends when it calls none', () => {
    expect(runOf([false, true, true, false])).toEqual([
      'planning 0',
      'executing 1',
      'executing 2',
      'executing 3',
      'end',
    ]);
  });

  it('goes on when its first round calls none', () => {
    expect(runOf([false, false, true, false])).toEqual([
      'planning 0',
      'executing 1',
      'executing 2',
      'executing 3',
      'end',
    ]);
    expect(runOf([false, false, false])).toEqual(['planning 0', 'executing 1', 'executing 2', 'end']);
  });

  it('makes no plan where it is told to make none', () => {
    expect(runOf([true, false], NO_LIMITS, false)).toEqual(['executing 1', 'executing 2', 'end']);
  });

  it.each([
    [
      { ...NO_LIMITS, maxRounds: 3 },
      ['planning 0', 'executing 1', 'executing 2', 'reporting 3 max_iterations', 'end'],
    ],
    [{ ...NO_LIMITS, maxRounds: 1 }, ['planning 0', 'reporting 1 max_iterations', 'end']],
    [{ ...NO_LIMITS, timeoutMs: 2000 }, ['planning 0', 'executing 1', 'reporting 2 timeout', 'end']],
    [
      { ...NO_LIMITS, maxTokens: 250 },
      ['planning 0', 'executing 1', 'executing 2', 'reporting 3 token_limit', 'end'],
    ],
    [{ ...NO_LIMITS, maxTokens: 1 }, ['planning 0', 'reporting 1 token_limit', 'end']],
  ])('reports in the last round that a limit allows: %j', (limits, told) => {
    expect(runOf([true, true, true, true, true, true], limits)).toEqual(told);
  });

  it('begins with the report where one round is all there is, and no plan is made', () => {
    expect(runOf([false], { ...NO_LIMITS, maxRounds: 1 }, false)).toEqual([
      'reporting 1 max_iterations',
      'end',
    ]);
    expect(firstState({ ...NO_LIMITS, timeoutMs: 0 }, false).phase).toBe('reporting');
  });

  it('never has more rounds than it may, counts them one by one, and ends with text', () => {
    const limits = fc.record({
      maxRounds: fc.integer({ min: 1, max: 12 }),
      timeoutMs: fc.option(fc.integer({ min: 1, max: 20_000 })),
      maxTokens: fc.option(fc.integer({ min: 1, max: 2000 })),
    });
    fc.assert(
      fc.property(
        fc.array(fc.boolean(), { minLength: 20, maxLength: 20 }),
        limits,
        fc.boolean(),
        (calls, some, plans) => {
          let state: RunState | null = firstState(some, plans);
          const rounds: number[] = [];
          let last = false;
          for (const hasCalled of calls) {
            if (state === null) break;
            if (state.phase !== 'planning') rounds.push(state.round);
            // A report and a plan are made without tools.
            last = hasCalled && state.phase === 'executing';
            state = nextState(state, last, { spent: NOTHING, limits: some });
          }
          expect(state).toBeNull();
          expect(last).toBe(false);
          expect(rounds).toEqual(Array.from({ length: rounds.length }, (_, index) => index + 1));
          expect(rounds.length).toBeLessThanOrEqual(some.maxRounds);
        },
      ),
    );
  });
});
