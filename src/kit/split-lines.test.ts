import fc from 'fast-check';
import { expect, test } from 'vitest';
import { splitLines } from './split-lines.ts';

const read = async (chunks: readonly string[], maxBytes?: number) =>
  (
    await Array.fromAsync(
      splitLines(
        chunks.map((chunk) => Buffer.from(chunk)),
        maxBytes,
      ),
    )
  ).map(({ number, bytes }) => [number, bytes?.toString() ?? null]);

test.each([
  [[], []],
  [['\n'], [[1, '']]],
  [['a'], [[1, 'a']]],
  [
    ['a\nb\n'],
    [
      [1, 'a'],
      [2, 'b'],
    ],
  ],
  [
    ['a', 'b\n', '\nc'],
    [
      [1, 'ab'],
      [2, ''],
      [3, 'c'],
    ],
  ],
  [['one\r\u2028\u0085still one\n'], [[1, 'one\r\u2028\u0085still one']]],
])('%j', async (chunks, lines) => {
  expect(await read(chunks)).toEqual(lines);
});

test('a line that is too long is counted and not kept', async () => {
  expect(await read(['12', '34', '56\n123\n', '12345', '\n1'], 3)).toEqual([
    [1, null],
    [2, '123'],
    [3, null],
    [4, '1'],
  ]);
});

test('where the chunks are cut makes no difference', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom('a', 'ü', '\n', '\r\n')), fc.nat(5), async (texts, size) => {
      const whole = texts.join('');
      const chunks = whole.match(new RegExp(`[^]{1,${size + 1}}`, 'gu')) ?? [];
      expect(await read(chunks)).toEqual(await read([whole]));
      const lines = whole.split('\n');
      if (lines.at(-1) === '') lines.pop();
      expect(await read(chunks)).toEqual(lines.map((line, index) => [index + 1, line]));
    }),
  );
});
