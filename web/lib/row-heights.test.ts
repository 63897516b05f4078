import { expect, it } from 'vitest';
import { RowHeights } from './row-heights.ts';

it('rows that were not seen are as high as those that were, on average', () => {
  const heights = new RowHeights();
  expect(heights.offsetOf(10)).toBe(1200);
  for (let index = 100; index < 112; index += 1) heights.measure(index, index % 2 === 0 ? 40 : 60);
  expect([heights.guess, heights.offsetOf(100), heights.offsetOf(112)]).toEqual([50, 5000, 5600]);
  // One that is seen later moves those after it, and changes no guess.
  expect(heights.measure(3, 500)).toBe(true);
  expect([heights.guess, heights.offsetOf(3), heights.offsetOf(4), heights.offsetOf(112)]).toEqual([
    50, 150, 650, 6050,
  ]);
  expect(heights.measure(3, 500.2)).toBe(false);
});

it('the row at a pixel is the one that covers it, those without height never', () => {
  const heights = new RowHeights();
  for (const [index, height] of [100, 0, 50].entries()) heights.measure(index, height);
  const at = (offset: number) => heights.indexAt(offset, 4);
  expect([-5, 0, 99, 100, 149, 150, 1e9].map(at)).toEqual([0, 0, 0, 2, 2, 3, 3]);
  expect(heights.indexAt(0, 0)).toBe(0);
});
