import { expect, it } from 'vitest';
import { isDue, type SavedText } from './checkpoint-pace.ts';

/** Looks once a second while a text grows steadily. @returns how much was written, and the most that a kill could lose */
function write(length: number, perSecond: number) {
  let saved: SavedText | null = null;
  let written = 0;
  let mostLost = 0;
  for (let second = 1; second * perSecond <= length; second += 1) {
    const now = second * 1000;
    mostLost = Math.max(mostLost, second * perSecond - (saved?.length ?? 0));
    if (!isDue(saved, second * perSecond, now)) continue;
    saved = { length: second * perSecond, at: now };
    written += saved.length;
  }
  return { written, mostLost };
}

it('a usual answer is stored every second', () => {
  expect(write(30_000, 100)).toMatchObject({ mostLost: 100 });
});

it.each([
  [50e6, 1e6],
  [50e6, 10e6],
  [5e6, 200_000],
])('of %d characters at %d a second, no more than three times as many are written', (length, perSecond) => {
  const { written, mostLost } = write(length, perSecond);
  expect(written).toBeLessThan(3 * length);
  expect(mostLost).toBeLessThanOrEqual(length / 3 + perSecond);
});

it('of a long text that comes slowly, little is written in a second and little is lost', () => {
  const { written, mostLost } = write(1e6, 100);
  expect(written / (1e6 / 100)).toBeLessThanOrEqual(33_000);
  // A second for each 32 kB, and the one in which it is noticed.
  expect(mostLost).toBeLessThanOrEqual(100 * (1e6 / 32_768 + 1));
});
