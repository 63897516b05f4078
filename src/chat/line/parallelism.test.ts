import { beforeEach, expect, it } from 'vitest';
import { createParallelism, type Parallelism } from './parallelism.ts';

const MINUTE = 60_000;
let now: number;
let learned: Parallelism;
beforeEach(() => {
  now = 0;
  learned = createParallelism({ fixed: null, clock: () => now });
});
const bounds = () => [learned.least(), learned.most()];
const waitBehind = (ahead: number, waitedMs = 900, silence = 1000) =>
  learned.noteWait({ ahead, waitedMs, silence });

it('is not bounded before one was seen to wait', () => {
  expect(bounds()).toEqual([1, Number.POSITIVE_INFINITY]);
});

it('is what was under way at the same time, at least', () => {
  learned.noteAtOnce(3);
  learned.noteAtOnce(2);
  expect(bounds()).toEqual([3, Number.POSITIVE_INFINITY]);
});

it('is no more than those that one had to wait for', () => {
  waitBehind(2);
  expect(bounds()).toEqual([1, 2]);
  waitBehind(4);
  expect(bounds()).toEqual([1, 2]);
  waitBehind(1);
  expect(bounds()).toEqual([1, 1]);
});

it.each([
  ['reading a long prompt', 1, 10, 1000],
  ['the sending', 1, 15, 15],
  ['the work of other programs', 0, 900, 1000],
])('learns nothing from %s', (_name, ahead, waitedMs, silence) => {
  waitBehind(ahead, waitedMs, silence);
  expect(learned.most()).toBe(Number.POSITIVE_INFINITY);
});

it('tries one more now and then, and goes on while that holds', () => {
  waitBehind(1);
  now += 5 * MINUTE + 1;
  expect(learned.most()).toBe(2);
  learned.noteAtOnce(2);
  expect(bounds()).toEqual([2, 3]);
  // The next one had to wait after all.
  waitBehind(2);
  expect(bounds()).toEqual([2, 2]);
});

it('falls when the engine was started anew with fewer', () => {
  learned.noteAtOnce(4);
  waitBehind(1);
  expect(bounds()).toEqual([1, 1]);
});

it('is what the operator says, whatever happens', () => {
  const fixed = createParallelism({ fixed: 2, clock: () => now });
  fixed.noteAtOnce(4);
  fixed.noteWait({ ahead: 1, waitedMs: 900, silence: 1000 });
  expect([fixed.least(), fixed.most()]).toEqual([2, 2]);
});
