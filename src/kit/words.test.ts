import fc from 'fast-check';
import { expect, it } from 'vitest';
import { wordsOf } from './words.ts';

it('cuts a text of ASCII as one that is not', () => {
  const ascii = Array.from({ length: 128 }, (_, code) => String.fromCodePoint(code));
  const same = (text: string): void => {
    expect([...wordsOf(text)]).toEqual([...wordsOf(`${text} é`)].slice(0, -1));
  };
  same(ascii.join(''));
  same(ascii.join('A'));
  const texts = fc.string({ unit: fc.constantFrom(...ascii), maxLength: 60 });
  fc.assert(fc.property(texts, same));
});
