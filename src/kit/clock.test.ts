import { expect, it, vi } from 'vitest';
import { followClock, instantNow, timestampAfter, timestampNow } from './clock.ts';

it('tells instants one after the other, as fast as they are asked for', () => {
  const instants = Array.from({ length: 5000 }, () => timestampNow());
  for (const [index, instant] of instants.entries()) {
    expect(instant).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    if (index > 0) expect(instant > (instants[index - 1] ?? '')).toBe(true);
  }
});

it('follows a clock that is set, and is not disturbed by one that trembles', () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  try {
    vi.setSystemTime('2126-02-15T12:00:00Z');
    expect(timestampNow()).toBe('2126-02-15T12:00:00.000000Z');
    vi.setSystemTime('2126-02-15T11:59:59.900Z');
    expect(timestampNow()).toBe('2126-02-15T12:00:00.000001Z');
    vi.setSystemTime('2126-02-15T10:00:00Z');
    expect(timestampNow()).toBe('2126-02-15T10:00:00.000000Z');
    vi.setSystemTime('2126-02-16T13:00:00Z');
    expect(timestampNow()).toBe('2126-02-16T13:00:00.000000Z');
  } finally {
    vi.useRealTimers();
  }
});

it.each([
  [null, '2026-02-15T09:49:38.310281Z', '2026-02-15T09:49:38.310281Z'],
  ['2026-02-15T09:49:38.310280Z', '2026-02-15T09:49:38.310281Z', '2026-02-15T09:49:38.310281Z'],
  ['2026-02-15T11:49:38.310999Z', '2026-02-15T09:49:38.310281Z', '2026-02-15T11:49:38.311000Z'],
  ['2026-02-15T09:49:38.310281Z', '2026-02-15T09:49:38.310281Z', '2026-02-15T09:49:38.310282Z'],
  // What no calendar has can have been imported.
  ['2026-99-99T09:49:38.310281Z', '2026-02-15T09:49:38.310281Z', '2026-02-15T09:49:38.310281Z'],
])('after %s, at %s, it is %s', (earlier, now, expected) => {
  expect(timestampAfter(earlier, now)).toBe(expected);
});

it('goes by another clock that it follows, whatever its own says, and is not disturbed by slow answers', () => {
  const at = (from: number, until: number) => ({
    from: performance.now() + from,
    until: performance.now() + until,
  });
  const hour = 3_600_000;
  const ahead = () => Math.round((instantNow() - Date.now()) / 1000);
  followClock(Date.now() + hour, at(0, 0));
  expect(ahead()).toBe(3600);
  expect(Date.parse(timestampNow()) - Date.now()).toBeGreaterThan(hour - 1000);
  // Under way for long, before or after: the same clock.
  followClock(Date.now() + hour, at(-20_000, 0));
  followClock(Date.now() + hour - 20_000, at(-20_000, 0));
  expect(ahead()).toBe(3600);
  vi.useFakeTimers({ toFake: ['Date'] });
  vi.setSystemTime(Date.now() - 2 * hour);
  expect(ahead()).toBe(3 * 3600);
  vi.useRealTimers();
  // It was set.
  followClock(Date.now(), at(0, 0));
  expect(ahead()).toBe(0);
});
