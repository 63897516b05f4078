import { expect, it } from 'vitest';
import { isLargeEnough } from './model-size.ts';

it.each([
  ['3.2B', true],
  ['1B', true],
  ['999.89M', true],
  ['751.63M', false],
  ['0.6B', false],
  ['134.52M', false],
  ['15m', false],
  ['22K', false],
  ['8x7B', true],
  ['4x200M', false],
  ['1.5T', true],
  ['0', true],
  ['unknown', true],
  ['', true],
  ['large', true],
])('a model of %s: %s', (parameter_size, expected) => {
  expect(isLargeEnough({ parameter_size }, 1)).toBe(expected);
  expect(isLargeEnough({ parameter_size }, 0)).toBe(true);
});
