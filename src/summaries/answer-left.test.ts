import { expect, it } from 'vitest';
import { createAnswerLeft } from './answer-left.ts';

it('takes as long as all tokens that it may have, at the rate of those that came', () => {
  let now = 5000;
  const left = createAnswerLeft(100, () => now);
  expect(left('{', 1)).toBe(Number.POSITIVE_INFINITY);
  now += 90;
  expect(left('{"title": "The', 10)).toBe(900);
  now += 890;
  expect(left('{"title": "The …', 99)).toBe(10);
  expect(left('{"title": "The … ', 100)).toBe(0);
  expect(left('{"title": "The … and', 101)).toBe(0);
});

it.each([
  ['{"title": "Paris"}', 0],
  ['{"title": "Paris"}\n', 0],
  ['{"title": {"of": "it"}', Number.POSITIVE_INFINITY],
  ['Here it is: {"title": "Paris"}', Number.POSITIVE_INFINITY],
])('%s', (text, expected) => {
  expect(createAnswerLeft(100, () => 0)(text, 1)).toBe(expected);
});
