import fc from 'fast-check';
import { expect, it } from 'vitest';
import { showControls, showLine } from './show-controls.ts';

it.each([
  ['\u001b[2J\u001b]0;owned\u0007', '␛[2J␛]0;owned␇'],
  ['\u009b2J', '<9B>2J'],
  ['a\rb\u007f', 'a␍b␡'],
  ['safe \u202egnp.exe\u2066', 'safe <202E>gnp.exe<2066>'],
  ['first\n\tsecond', 'first\n\tsecond'],
  ['日本語 ü 👍🏽', '日本語 ü 👍🏽'],
])('shows %j', (text, shown) => {
  expect(showControls(text)).toBe(shown);
});

it('keeps a line a line', () => {
  expect(showLine('one\ntwo\tthree\u001b')).toBe('one␊two␉three␛');
});

it('leaves nothing that a terminal would act on', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(showLine(text)).not.toMatch(/\p{Cc}/u);
      expect(showControls(text)).not.toMatch(/[^\P{Cc}\n\t]/u);
    }),
  );
});
