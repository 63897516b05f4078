// Reading on while a text grows gives what reading the whole of it gives.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { NOTHING_READ, parseBlocks, type Reading, readOn } from './parse.ts';

/** Lines that open, continue and end the blocks of markdown. */
const LINES = [
  '',
  '',
  'words',
  '# title',
  '- item',
  '  - nested',
  '  more of it',
  '1. first',
  '> quote',
  '---',
  '```js',
  '```',
  '    code',
  '| a | b |',
  '|---|---|',
  '| 1 | 2 |',
  '$$',
  'x^2',
  '**重要（注）。**次',
  '=== ',
  '~~~',
  '* * *',
  '<div>',
  '\\[ x \\]',
  '[a](b)',
  'two  ',
  '	- tab',
  '+ plus',
];

const texts = fc
  .array(fc.constantFrom(...LINES), { minLength: 1, maxLength: 30 })
  .map((lines) => lines.join('\n'));

const shape = ({ blocks }: Pick<Reading, 'blocks'>) =>
  blocks.map(({ tokens }) => tokens.map(({ type, content }) => [type, content]));

it('a text that grows by pieces is read as the whole of it', () => {
  fc.assert(
    fc.property(texts, fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1 }), (text, steps) => {
      let reading = NOTHING_READ;
      for (let at = 0, step = 0; at < text.length; step += 1) {
        at += steps[step % steps.length] ?? 1;
        reading = readOn(reading, text.slice(0, at));
      }
      expect(shape(reading)).toEqual(shape({ blocks: parseBlocks(text) }));
    }),
    { numRuns: 500 },
  );
});

it('what is settled is not read again', () => {
  const text = 'one\n\ntwo\n\nthree\n\nfour\n';
  const first = readOn(NOTHING_READ, text);
  const next = readOn(first, `${text}\nfive\n`);
  expect(next.blocks[0]).toBe(first.blocks[0]);
  expect(next.blocks[1]).toBe(first.blocks[1]);
  expect(next.blocks).toHaveLength(5);
});

it('another text begins anew', () => {
  const reading = readOn(readOn(NOTHING_READ, 'one\n\ntwo\n\nthree\n'), 'other');
  expect(reading.blocks.map(({ source }) => source)).toEqual(['other']);
});
