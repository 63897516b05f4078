import { expect, it } from 'vitest';
import { jsonLine } from '../kit/json-line.ts';
import { aroundText } from './around-text.ts';

it('writes what the whole of it would be written as, whatever the text', () => {
  const toData = (text: string) => ({
    id: 'a"b',
    choices: [{ delta: { one: text, two: text } }],
    usage: null,
  });
  const write = aroundText(toData);
  const texts = [
    '',
    'Paris',
    '"',
    '\\',
    '\n\r\u2028\u0085',
    '$& $1',
    '\ud800',
    '早上好 🌅',
    '\u0000text\u0000',
  ];
  for (const text of texts) expect(write(text)).toBe(jsonLine(toData(text)));
});
