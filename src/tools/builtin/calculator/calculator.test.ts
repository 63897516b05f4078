import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BuiltinFault } from '../builtin-tool.ts';
import { calculator } from './calculator.ts';
import { FUNCTIONS } from './functions.ts';

const CALL = { sessionId: null, signal: new AbortController().signal };

async function result(expression: string): Promise<string> {
  try {
    return await calculator.run({ expression }, CALL);
  } catch (error) {
    // Anything else would be told to nobody in words.
    if (error instanceof BuiltinFault) return error.message;
    throw error;
  }
}

test.each([
  ['0.1 + 0.2', '0.3'],
  ['12345678901234567890 * 9', '111111110111111111010'],
  ['2^100', '1267650600228229401496703205376'],
  ['1/3', '0.33333333333333333333'],
  ['1/3*3', '1'],
  ['-2^2', '-4'],
  ['2^-1', '0.5'],
  ['2**3**2', '512'],
  ['2 - 3 - 4', '-5'],
  ['100 / 5 / 2', '10'],
  ['15% * 80', '12'],
  ['17 % 5', '2'],
  ['-7 % 3', '2'],
  ['5!', '120'],
  ['(1 + 2) × 3 ÷ 2 − 1', '3.5'],
  ['1_000_000 + 0xff', '1000255'],
  ['1.5e3', '1500'],
  ['sqrt(2)^2', '2'],
  ['sin(pi) + cos(0)', '1'],
  ['log(8, 2) + ln(e)', '4'],
  ['round(2.345, 2) + round(-2.5)', '-0.65'],
  ['max(1, 2, 3) + min(4, 5) + avg(1, 2) + SUM(1,1)', '10.5'],
  ['gcd(12, 18)', '6'],
  ['hypot(3, 4)', '5'],
  ['20!/18!', '380'],
  ['2^200', '1.6069380442589902755e+60'],
])('%s is %s', async (expression, expected) => {
  expect(await result(expression)).toBe(expected);
});

test.each([
  ['1/0', 'Division by zero.'],
  ['1 % 0', 'Division by zero.'],
  ['sqrt(-1)', 'It has no real result.'],
  ['9^9^9', 'A number in it is too large.'],
  ['2 +', 'At 4 it ends, where it should have a number'],
  ['(1', "At 3 it ends, where it should have ')'"],
  ['2 3', "At 3 there is '3', where it should have an operator such as + or *"],
  ['1,000 + 2', 'Write 1000, not 1,000.'],
  ['foo(2)', "There is no function 'foo'. There are: abs, sqrt"],
  ['x + 1', "There is no name 'x'. There are: pi, tau, e."],
  ['sin + 1', 'sin is a function'],
  ['sin()', 'sin takes 1 numbers, and was given 0.'],
  ['sin(1e60)', 'An angle is too large.'],
  ['1001!', 'factorial takes whole numbers from 0 to 1000.'],
  ['"a"', "'\"' at 1 means nothing here."],
  ['\uD800', 'means nothing here'],
  ['('.repeat(500), 'nested too deeply'],
  ['-'.repeat(500), 'nested too deeply'],
])('%s: %s', async (expression, expected) => {
  expect(await result(expression)).toContain(expected);
});

describe('nothing in it is code', () => {
  test.each([
    'process.exit(1)',
    'constructor("return process")()',
    'this',
    '__proto__',
    'hasOwnProperty(1)',
    'toString(1)',
    '1; 2',
    'a => a',
    '`x`',
    'globalThis',
    'import("fs")',
  ])('%s', async (expression) => {
    expect(await result(expression)).toMatch(/There is no|means nothing here/);
  });
});

test('whole numbers are exact', async () => {
  const number = fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n });
  await fc.assert(
    fc.asyncProperty(number, number, number, async (a, b, c) => {
      expect(await result(`(${a}) * (${b}) + (${c})`)).toBe(String(a * b + c));
    }),
  );
});

test('whatever is asked is answered, and soon', async () => {
  const literal = fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => `(${value})`),
    fc.constantFrom(
      '0',
      '1',
      '-1',
      '1e-99999',
      '1e99999',
      `0.${'9'.repeat(90)}`,
      '1e-40',
      '1e59',
      '171',
      'pi',
    ),
  );
  const { expression } = fc.letrec<{ expression: string }>((tie) => ({
    expression: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      literal,
      fc
        .tuple(tie('expression'), fc.constantFrom('+', '-', '*', '/', '^', '%'), tie('expression'))
        .map(([left, sign, right]) => `(${left}${sign}${right})`),
      fc
        .tuple(
          fc.constantFrom(...FUNCTIONS.keys()),
          fc.array(tie('expression'), { minLength: 1, maxLength: 2 }),
        )
        .map(([name, args]) => `${name}(${args.join(',')})`),
    ),
  }));
  await fc.assert(
    fc.asyncProperty(fc.oneof(expression, fc.string({ unit: 'binary' })), async (text) => {
      expect(typeof (await result(text))).toBe('string');
    }),
    { numRuns: 500 },
  );
  // The library keeps a state of its own, which a throw in the middle would spoil.
  expect(await result('0.1 + 0.2')).toBe('0.3');
});
