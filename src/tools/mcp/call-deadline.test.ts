// The time of a call, on a clock of the test's own.
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { CallDeadline } from './call-deadline.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

const isOverAfter = (deadline: CallDeadline, ms: number) => {
  vi.advanceTimersByTime(ms);
  return deadline.signal.aborted;
};

it('is over after its period', () => {
  const deadline = new CallDeadline({ periodMs: 100, totalMs: 1000 });
  expect([isOverAfter(deadline, 99), isOverAfter(deadline, 1)]).toEqual([false, true]);
});

it('begins anew with each progress, until the call is over', () => {
  const deadline = new CallDeadline({ periodMs: 100, totalMs: 250 });
  for (let step = 0; step < 4; step += 1) {
    expect(isOverAfter(deadline, 60)).toBe(false);
    deadline.renew();
  }
  expect([isOverAfter(deadline, 9), isOverAfter(deadline, 1)]).toEqual([false, true]);
});

it('stands still while it is paused, also when there is progress, and twice', () => {
  const deadline = new CallDeadline({ periodMs: 100, totalMs: 1000 });
  expect(isOverAfter(deadline, 60)).toBe(false);
  const goOn = deadline.pause();
  const goOnAgain = deadline.pause();
  expect(isOverAfter(deadline, 5000)).toBe(false);
  goOn();
  expect(isOverAfter(deadline, 5000)).toBe(false);
  goOnAgain();
  expect([isOverAfter(deadline, 39), isOverAfter(deadline, 1)]).toEqual([false, true]);
});

it('is not over any more once it was closed', () => {
  const deadline = new CallDeadline({ periodMs: 100, totalMs: 1000 });
  const goOn = deadline.pause();
  deadline.close();
  goOn();
  expect(isOverAfter(deadline, 5000)).toBe(false);
});
