import { beforeEach, expect, it } from 'vitest';
import { createLoadFailures, type LoadFailures } from './load-failures.ts';

const HOUR = 3_600_000;

let now: number;
let departures: number;
let failures: LoadFailures;
beforeEach(() => {
  now = 0;
  departures = 0;
  failures = createLoadFailures(
    () => now,
    () => departures,
  );
});

it('falls back to the largest window that has loaded', () => {
  expect(failures.loadable('m')).toBeNull();
  for (const window of [8192, 4096, 16_384]) failures.noteLoaded('m', window);
  failures.noteFailed('m', 32_768);
  expect([failures.loadable('m'), failures.loadable('other')]).toEqual([16_384, null]);
  // It has loaded once, and does not any more.
  failures.noteFailed('m', 16_384);
  expect(failures.loadable('m')).toBe(8192);
});

it('halves where none has, down to what is of any use', () => {
  failures.noteFailed('m', 8192);
  expect(failures.loadable('m')).toBe(4096);
  failures.noteFailed('m', 4096);
  failures.noteFailed('m', 2048);
  expect(failures.loadable('m')).toBe(2048);
  failures.noteFailed('m', 1000);
  expect(failures.loadable('m')).toBe(1000);
});

it('forgets after an hour, when the engine was started anew, and when the window loads after all', () => {
  failures.noteFailed('m', 8192);
  now = HOUR;
  expect(failures.loadable('m')).toBe(4096);
  now = HOUR + 1;
  expect(failures.loadable('m')).toBeNull();
  failures.noteFailed('m', 8192);
  failures.forget('other');
  expect(failures.loadable('m')).toBe(4096);
  failures.forget('m');
  expect(failures.loadable('m')).toBeNull();
  failures.noteFailed('m', 8192);
  departures += 1;
  expect(failures.loadable('m')).toBeNull();
  failures.noteFailed('m', 8192);
  failures.noteLoaded('m', 8192);
  expect(failures.loadable('m')).toBeNull();
});
