import { expect, it } from 'vitest';
import { createAnswerLengths } from './answer-lengths.ts';

const answers = (...tokens: readonly number[]) => tokens.map((count) => ({ model: 'm', tokens: count }));

it('leaves room as ever for a model of which nothing is known, and for short answers', () => {
  const lengths = createAnswerLengths(answers(3, 500, 20));
  expect([lengths.reserve('m'), lengths.reserve('other')]).toEqual([1024, 1024]);
});

it('leaves what nine of ten answers have needed', () => {
  const lengths = createAnswerLengths([]);
  for (const { tokens } of answers(...Array(18).fill(2000), 9000, 13_000)) lengths.observe('m', tokens);
  expect(lengths.reserve('m')).toBeGreaterThanOrEqual(2000);
  expect(lengths.reserve('m')).toBeLessThan(2300);
});

it('moves seldom: a plan is made for a reserve', () => {
  const lengths = createAnswerLengths(answers(...Array(40).fill(4000)));
  const reserves = new Set<number>();
  for (let turn = 0; turn < 200; turn += 1) {
    lengths.observe('m', 2800 + ((turn * 379) % 1200));
    reserves.add(lengths.reserve('m'));
  }
  expect(reserves.size).toBe(1);
  for (let turn = 0; turn < 40; turn += 1) lengths.observe('m', 50);
  expect(lengths.reserve('m')).toBe(1024);
});
