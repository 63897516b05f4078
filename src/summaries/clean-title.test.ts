import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cleanTitle } from './clean-title.ts';

test.each([
  ['Capital of France', 'Capital of France'],
  ['  Capital \t of\u00a0France  ', 'Capital of France'],
  ['"Capital of France."', 'Capital of France'],
  ["'Capital of France'", 'Capital of France'],
  ['“Capital of France”.', 'Capital of France'],
  ['„Hauptstadt von Frankreich“', 'Hauptstadt von Frankreich'],
  ['«Столица Франции»', 'Столица Франции'],
  ['「フランスの首都」。', 'フランスの首都'],
  ['《法国的首都》', '法国的首都'],
  ['# Capital of France', 'Capital of France'],
  ['**Capital of France**', 'Capital of France'],
  ['**Title:** Capital of France', 'Capital of France'],
  ['Title: "Capital of France"', 'Capital of France'],
  ['标题：法国的首都', '法国的首都'],
  ['- *Capital* of `France`...', 'Capital of France'],
  ['[Capital](https://example.com) of France', 'Capital of France'],
  ['\n\n Capital of France\nSecond line', 'Capital of France'],
  ['Capital\u2028of France', 'Capital'],
  ['What is the capital of France?', 'What is the capital of France?'],
  ['C++ and C#', 'C++ and C#'],
  ['snake_case names', 'snake_case names'],
  ["Ada's e-mail", "Ada's e-mail"],
  ['Capital\u202eecnarF', 'Capital ecnarF'],
  ['Family 👩‍👩‍👧 trip 🦙', 'Family 👩‍👩‍👧 trip 🦙'],
  ['می‌خواهم', 'می‌خواهم'],
  ['<think>\nA title, then.\n</think>\n\nCapital of France', 'Capital of France'],
  ['<think>Hm', ''],
  ['Hm</think> Capital of France', 'Capital of France'],
  ['Capital of <think> France', 'Capital of France'],
  ['"..."', ''],
  [' \n ', ''],
  ['torn \ud800', 'torn \ufffd'],
])('%j becomes %j', (text, title) => {
  expect(cleanTitle(text)).toBe(title);
});

test('a long title ends after a word, with dots', () => {
  const title = cleanTitle('A very long title that goes on and on and never seems to come to any end');
  expect(title).toBe('A very long title that goes on and on and never seems to…');
});

test('a long title without blanks is cut between characters, none is torn', () => {
  expect(cleanTitle('法'.repeat(100))).toBe(`${'法'.repeat(59)}…`);
  expect(cleanTitle('👩‍👩‍👧'.repeat(100))).toBe(`${'👩‍👩‍👧'.repeat(59)}…`);
});

test.each(['. ', '[](', '"', '[', '* ', '# '])(
  '%j without end is no title, and soon found to be none',
  (part) => {
    expect(cleanTitle(part.repeat(50_000)).length).toBeLessThanOrEqual(60);
  },
);

test('whatever comes: one line, at most 60 characters, well formed, clean when cleaned again', () => {
  const characters = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
  const parts = [
    ...Array.from('"*#`“」.。… \n\t-_[]()>~aé法🦙'),
    '\ud800',
    '\udc00',
    '\u200d',
    '\u202e',
    '\u2028',
    '\0',
    'Title: ',
  ];
  const anything = fc.string({ unit: fc.constantFrom(...parts), maxLength: 90 });
  fc.assert(
    fc.property(anything, (text) => {
      const title = cleanTitle(text);
      expect([...characters.segment(title)].length).toBeLessThanOrEqual(60);
      expect(title).not.toMatch(/[\p{Cc}\u2028\u2029]|^\s|\s$|\s{2}|^["“`]|["”`.]$/u);
      expect(title.isWellFormed()).toBe(true);
      if (!title.endsWith('…')) expect(cleanTitle(title)).toBe(title);
    }),
    { numRuns: 500 },
  );
});
