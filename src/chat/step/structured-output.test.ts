import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MochiError } from '../../contract/errors.ts';
import { checkFormat, parseStructured } from './structured-output.ts';

const city = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };

/** What a client can write as a schema, sensible or not. */
const anySchema = fc.oneof(
  fc.dictionary(fc.string(), fc.jsonValue()),
  fc.record(
    {
      type: fc.constantFrom('object', 'array', 'string', 'number', 'null', 'nonsense'),
      properties: fc.dictionary(fc.string(), fc.record({ type: fc.constantFrom('string', 'integer') })),
      required: fc.array(fc.string()),
      enum: fc.array(fc.jsonValue()),
      pattern: fc.string(),
      $ref: fc.constantFrom('#', '#/$defs/a', 'http://127.0.0.1:1/'),
      $async: fc.boolean(),
      allOf: fc.array(fc.constantFrom({ $ref: '#' }, { type: 'object' }, true, false)),
    },
    { requiredKeys: [] },
  ),
);

describe('parseStructured', () => {
  it('reads back whatever JSON a model writes, fenced or not', () => {
    fc.assert(
      fc.property(
        fc.jsonValue(),
        fc.constantFrom('', '```json\n', '```\n', '```JSON  \n'),
        (value, fence) => {
          const json = JSON.stringify(value, null, 1);
          const text = fence === '' ? ` ${json}\n` : `${fence}${json}\n\`\`\``;
          expect(parseStructured('json', text)).toEqual({ value: JSON.parse(json), failure: null });
        },
      ),
    );
  });

  it('never throws on any text', () => {
    const pieces = fc.constantFrom(
      '```',
      'json',
      '\n',
      '{',
      '}',
      '"city"',
      ':',
      '"',
      ' ',
      '\\u12',
      '🦙',
      '\ud800',
    );
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(pieces).map((list) => list.join('')),
    );
    fc.assert(
      fc.property(text, fc.constantFrom('json' as const, city, {}), (answer, format) => {
        const { failure } = parseStructured(format, answer);
        if (failure !== null) expect(failure.kind).toBe('invalid_structured_output');
      }),
      { numRuns: 25 },
    );
  });

  it('finds every answer fit or unfit by a schema that was accepted, whatever the schema is', () => {
    fc.assert(
      fc.property(anySchema, fc.jsonValue(), (format, value) => {
        try {
          checkFormat(format);
        } catch (error) {
          expect(error).toBeInstanceOf(MochiError);
          expect((error as MochiError).kind).toBe('validation_error');
          return;
        }
        const { failure } = parseStructured(format, JSON.stringify(value));
        if (failure !== null) expect(failure.kind).toBe('invalid_structured_output');
      }),
      { numRuns: 40 },
    );
  });

  it('says what does not fit', () => {
    expect(parseStructured(city, '{"city":7}').failure?.message).toContain('answer/city must be string');
    expect(parseStructured(city, 'Paris').failure?.message).toContain('not JSON');
    expect(parseStructured('json', '').failure?.message).toContain('not JSON');
  });

  it('reads a fence that never ends as quickly as any other text', () => {
    const before = process.cpuUsage();
    parseStructured('json', `\`\`\`json${'\n'.repeat(40_000)}{"a":1}`);
    // Microseconds of work, other processes left out: hundreds of times what it needs.
    expect(process.cpuUsage(before).user).toBeLessThan(300_000);
  });
});

describe('schemas', () => {
  /** Each level asks twice for the next one. */
  const fanOut = (levels: number) => ({
    $ref: '#/$defs/l0',
    $defs: Object.fromEntries(
      Array.from({ length: levels }, (_, level) => {
        const $ref = `#/$defs/l${level + 1}`;
        return [`l${level}`, level === levels - 1 ? {} : { allOf: [{ $ref }, { $ref }] }];
      }),
    ),
  });

  it('that fan out without end are stopped, and the message says so', () => {
    const schema = fanOut(50);
    checkFormat(schema);
    const { value, failure } = parseStructured(schema, '{"a":1}');
    expect(value).toEqual({ a: 1 });
    expect(failure?.message).toContain('takes too long');
    // What was stopped half-way harms nobody else.
    expect(parseStructured(city, '{"city":"Rome"}').failure).toBeNull();
    expect(parseStructured(fanOut(5), '{"a":1}').failure).toBeNull();
  });

  it('that refer to themselves for ever are a misfit', () => {
    const schema = { $ref: '#' };
    expect(parseStructured(schema, '1').failure?.message).toMatch(/without end|takes too long/);
  });

  it('cost little each, however many come', () => {
    checkFormat(city);
    const before = process.cpuUsage();
    for (let index = 0; index < 200; index += 1) checkFormat({ ...city, title: `Schema ${index}` });
    // Work only, other processes left out: a fifth of what 200 compilers of compilers would take.
    expect(process.cpuUsage(before).user).toBeLessThan(2_000_000);
  });

  it('are kept by what they say, not by what held them', () => {
    const schema: Record<string, unknown> = { type: 'string' };
    checkFormat(schema);
    schema['type'] = 'number';
    expect(parseStructured(schema, '1').failure).toBeNull();
    expect(parseStructured({ type: 'string' }, '1').failure).not.toBeNull();
  });

  it.each([
    [{ type: 'nonsense' }, 'schema is invalid: data/type must be'],
    [{ $async: true }, 'asynchronous'],
    [{ $ref: 'http://127.0.0.1:1/' }, "can't resolve reference"],
    [{ description: 'x'.repeat(100_000) }, 'over 100 kB'],
  ])('that are none are refused with the reason: %#', (schema, reason) => {
    expect(() => checkFormat(schema)).toThrow(reason);
  });
});

describe('patterns', () => {
  const fits = (pattern: string, text: string) =>
    parseStructured({ type: 'string', pattern }, JSON.stringify(text)).failure === null;

  it.each([
    ['^[A-Z]{2}$', 'FR', 'fr'],
    ['^\\d{4}-\\d{2}-\\d{2}$', '2026-02-15', '15.2.2026'],
    ['^[^@\\s]+@[^@\\s]+\\.[a-z]+$', 'ada@example.org', 'ada'],
    ['^(red|green|blue)$', 'green', 'greenish'],
    ['^(?<year>\\d{4})\\/x$', '2026/x', '2026'],
    ['^\\p{Lu}\\p{L}+$', 'Été', 'été'],
    ['^.{3}$', '🦙🦙🦙', '🦙'],
    ['b', 'abc', 'ac'],
    ['^[\\u00c0-\\u00ff]$', 'é', 'e'],
  ])('%s', (pattern, fitting, misfit) => {
    expect(() => checkFormat({ type: 'string', pattern })).not.toThrow();
    expect([fits(pattern, fitting), fits(pattern, misfit)]).toEqual([true, false]);
  });

  it('stay apart in one schema', () => {
    const format = {
      properties: { a: { pattern: '^a$' }, b: { pattern: '^b$' } },
      patternProperties: { '^n': { type: 'number' }, '^s': { type: 'string' } },
    };
    checkFormat(format);
    const fit = (value: object) => parseStructured(format, JSON.stringify(value)).failure === null;
    expect(fit({ a: 'a', b: 'b', n1: 1, s1: 'x' })).toBe(true);
    expect([fit({ a: 'b' }), fit({ b: 'a' }), fit({ n1: 'x' }), fit({ s1: 1 })]).toEqual(
      Array(4).fill(false),
    );
  });

  it.each(['^(a+)+$', '^(a|a)*$', '^(\\w|\\d)*$', '(x+x+)+y', '^(.*a){20}$', '(a{1,1000}){1,1000}$'])(
    'block the server in no case, refused or not: %s',
    (pattern) => {
      const before = process.cpuUsage();
      for (const format of [{ pattern }, { patternProperties: { [pattern]: true } }]) {
        try {
          checkFormat(format);
        } catch (error) {
          expect(error).toMatchObject({ kind: 'validation_error' });
          continue;
        }
        parseStructured(format, JSON.stringify(`${'a'.repeat(30)}!`));
        parseStructured(format, JSON.stringify({ [`${'a'.repeat(30)}!`]: 1 }));
      }
      // Without other processes: many times what it needs, and a fraction of what backtracking would take.
      expect(process.cpuUsage(before).user).toBeLessThan(2_000_000);
    },
  );

  it.each(['(', '[b-a]', '^(a)\\1$'])(
    'that are none, or cannot be told in time, are refused: %s',
    (pattern) => {
      for (const format of [{ type: 'string', pattern }, { patternProperties: { [pattern]: true } }]) {
        expect(() => checkFormat(format)).toThrow(expect.objectContaining({ kind: 'validation_error' }));
      }
    },
  );
});
