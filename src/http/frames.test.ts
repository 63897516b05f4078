import fc from 'fast-check';
import { expect, it } from 'vitest';
import { eventFrame, toPieces } from './frames.ts';

it('a piece of an answer has the frame of any event, whatever its text is', () => {
  const strange = fc.constantFrom(
    '\u0085',
    '\u2028',
    '\u2029',
    '\ud800',
    '\n',
    '"',
    '\\',
    '\u{1f600}',
    'é',
    '',
  );
  const text = fc
    .array(fc.oneof(strange, fc.string({ unit: 'binary' })), { maxLength: 6 })
    .map((parts) => parts.join(''));
  fc.assert(
    fc.property(text, fc.nat(), (content, id) => {
      const data = { content, role: 'assistant' };
      const pieces = [...toPieces([{ id, event: { event: 'content_delta', data } }], false)];
      expect(pieces.join('')).toBe(eventFrame(id, 'content_delta', data));
      expect(pieces.join('').split(/[\n\u0085\u2028\u2029]/)).toHaveLength(5);
    }),
  );
});
