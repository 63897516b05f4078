// Server-sent events, by a parser that others rely on: cut anywhere, with any ends of lines, both tell the same.
import { createParser } from 'eventsource-parser';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type ParsedEvent, parseEvents } from '../../src/client/parse-events.ts';

function parsed(pieces: readonly string[]): ParsedEvent[] {
  const events: ParsedEvent[] = [];
  const feed = parseEvents((event) => events.push(event));
  for (const piece of pieces) feed(piece);
  return events;
}

function expected(text: string): ParsedEvent[] {
  const events: ParsedEvent[] = [];
  const parser = createParser({
    onEvent: ({ id, event, data }) => events.push({ id, event, data }),
  });
  // One line at a time: what it makes of a cut is not what it is asked for here.
  parser.feed(text.replaceAll(/\r\n|\r/g, '\n'));
  return events;
}

const line = fc.oneof(
  fc.constantFrom(
    '',
    ':',
    ': ping',
    'data',
    'data:',
    'data: ',
    'data:  x',
    'id',
    'event',
    'retry: 10',
    'data : x',
  ),
  fc
    .tuple(
      fc.constantFrom('data', 'event', 'id', 'other'),
      fc.constantFrom(':', ': '),
      fc.stringMatching(/^[^\r\n\0]*$/),
    )
    .map((parts) => parts.join('')),
);
const stream = fc
  .array(fc.tuple(line, fc.constantFrom('\n', '\r', '\r\n', '\n\n', '\r\n\r\n')), { maxLength: 20 })
  .map((lines) => lines.flat().join(''));

it('tells what another parser tells, however the text is cut', () => {
  fc.assert(
    fc.property(stream, fc.array(fc.nat({ max: 8 })), (text, sizes) => {
      let rest = text;
      const pieces = sizes.map((size) => {
        const piece = rest.slice(0, size);
        rest = rest.slice(size);
        return piece;
      });
      const whole = expected(text);
      expect(parsed([...pieces, rest])).toEqual(whole);
      expect(parsed(text.split(''))).toEqual(whole);
    }),
    { numRuns: 1000 },
  );
});

it('looks at a long line once, in however many pieces it comes', () => {
  const pieces = ['data: ', ...Array.from({ length: 200_000 }, () => 'x'.repeat(20)), '\n\n'];
  expect(parsed(pieces)[0]?.data).toHaveLength(4_000_000);
});
