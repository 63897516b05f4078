import fc from 'fast-check';
import { expect, it } from 'vitest';
import { cutText, cutTextFront, WholeCharacters } from './whole-characters.ts';

const text = fc.string({ unit: fc.constantFrom('a', 'é', '😀', '\ud83d', '\ude00') });

it('a cut text is the longest beginning, or end, that is whole', () => {
  expect([cutText('ab😀c', 3), cutText('ab😀c', 4), cutText('ab', 3), cutText('😀', 1)]).toEqual([
    'ab',
    'ab😀',
    'ab',
    '',
  ]);
  expect([cutTextFront('a😀bc', 3), cutTextFront('a😀bc', 4), cutTextFront('ab', 3)]).toEqual([
    'bc',
    '😀bc',
    'ab',
  ]);
  fc.assert(
    fc.property(text, fc.nat(12), (whole, length) => {
      const beginning = cutText(whole, length + 1);
      expect(beginning.isWellFormed()).toBe(true);
      expect(beginning.length).toBeLessThanOrEqual(length + 1);
      expect(whole.toWellFormed().startsWith(beginning)).toBe(true);
      const end = cutTextFront(whole, length + 1);
      expect(end.isWellFormed()).toBe(true);
      expect(whole.toWellFormed().endsWith(end)).toBe(true);
    }),
  );
});

it('pieces that are told are whole, and together are the whole text, wherever it was torn', () => {
  fc.assert(
    fc.property(fc.array(text), (pieces) => {
      const characters = new WholeCharacters();
      const told = [...pieces.map((piece) => characters.push(piece)), characters.end()];
      expect(told.every((piece) => piece.isWellFormed())).toBe(true);
      expect(told.join('')).toBe(pieces.join('').toWellFormed());
    }),
  );
});
