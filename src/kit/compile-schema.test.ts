// The time limit of foreign schemas: of the processor, not of the clock.
import { expect, it } from 'vitest';
import { withinTime } from './compile-schema.ts';

/** Holds this thread without using the processor, as a busy machine does. */
function stall(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

it('what was stopped while others had the processor is run again', () => {
  let runs = 0;
  const value = withinTime(() => {
    runs += 1;
    if (runs <= 2) stall(2000);
    return 'fits';
  });
  expect([value, runs]).toEqual(['fits', 3]);
});

it('what never ends is stopped, once it has had its time', () => {
  let runs = 0;
  const forEver = () => {
    runs += 1;
    for (;;);
  };
  expect(() => withinTime(forEver)).toThrow();
  // Others may have the processor nearly all of the time.
  expect(runs).toBeLessThanOrEqual(10);
});

it('what it throws comes through at once', () => {
  let runs = 0;
  const fail = () => {
    runs += 1;
    throw new Error('no schema');
  };
  expect(() => withinTime(fail)).toThrow('no schema');
  expect(runs).toBe(1);
});
