// Arguments as small models write them, against whole schemas.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileSchema } from '../../kit/compile-schema.ts';
import type { JsonSchema } from '../tool.ts';
import { checkArguments } from './check-arguments.ts';

function check(schema: JsonSchema, given: unknown) {
  return checkArguments(given, { inputSchema: schema, validate: compileSchema(schema, { tellsAll: true }) });
}

/** A tool with one argument that may be left out. */
function one(part: unknown, more: JsonSchema = {}): JsonSchema {
  return { type: 'object', properties: { x: part }, additionalProperties: false, ...more };
}

describe('arguments', () => {
  it.each<[string, JsonSchema, unknown, unknown, string[]]>([
    ['JSON text', one({ type: 'integer' }), '{"x":1}', { x: 1 }, ['arguments: text read as JSON']],
    [
      'in "parameters"',
      one({ type: 'integer' }),
      { parameters: { x: 1 } },
      { x: 1 },
      ['arguments: taken out of "parameters"'],
    ],
    [
      'in "arguments", as text',
      one({ type: 'integer' }),
      { arguments: '{"x":1}' },
      { x: 1 },
      ['arguments: taken out of "arguments"'],
    ],
    ['text for an integer', one({ type: 'integer' }), { x: ' 42 ' }, { x: 42 }, ['/x: text read as integer']],
    [
      'text for a number',
      one({ type: 'number' }),
      { x: '-1.5e3' },
      { x: -1500 },
      ['/x: text read as integer'],
    ],
    [
      'text that is whole for an integer',
      one({ type: 'integer' }),
      { x: '42.0' },
      { x: 42 },
      ['/x: text read as integer'],
    ],
    ['text for a boolean', one({ type: 'boolean' }), { x: 'Yes' }, { x: true }, ['/x: text read as boolean']],
    ['"0" for a boolean', one({ type: 'boolean' }), { x: '0' }, { x: false }, ['/x: text read as boolean']],
    [
      'JSON text for a list',
      one({ type: 'array', items: { type: 'integer' } }),
      { x: '["1",2]' },
      { x: [1, 2] },
      ['/x: text read as array', '/x/0: text read as integer'],
    ],
    [
      'JSON text for an object',
      one({ type: 'object' }),
      { x: '{"a":1}' },
      { x: { a: 1 } },
      ['/x: text read as object'],
    ],
    [
      'an object for text',
      one({ type: 'string' }),
      { x: { a: [1] } },
      { x: '{"a":[1]}' },
      ['/x: object written as text'],
    ],
    ['a list for text', one({ type: 'string' }), { x: ['a'] }, { x: '["a"]' }, ['/x: array written as text']],
    ['a number for text', one({ type: 'string' }), { x: 5 }, { x: '5' }, ['/x: integer written as text']],
    [
      'a boolean for text',
      one({ type: 'string' }),
      { x: true },
      { x: 'true' },
      ['/x: boolean written as text'],
    ],
    ['null where nothing is needed', one({ type: 'integer' }), { x: null }, {}, ['/x: null left out']],
    [
      'null for text where nothing is needed',
      one({ type: 'string' }),
      { x: null },
      {},
      ['/x: null left out'],
    ],
    [
      'empty text where nothing is needed',
      one({ type: 'integer' }),
      { x: '' },
      {},
      ['/x: empty text left out'],
    ],
    ['null that is wanted', one({ type: ['integer', 'null'] }), { x: null }, { x: null }, []],
    ['empty text that is wanted', one({ type: 'string' }), { x: '' }, { x: '' }, []],
    ['what may be either', one({ type: ['integer', 'string'] }), { x: '42' }, { x: '42' }, []],
    ['what may be anything', one(true), { x: '42' }, { x: '42' }, []],
    [
      'a value of a list of numbers',
      one({ enum: [1, 2] }),
      { x: '2' },
      { x: 2 },
      ['/x: text read as integer'],
    ],
    [
      'through references',
      one({ $ref: '#/$defs/n' }, { $defs: { n: { allOf: [{ type: 'integer' }] } } }),
      { x: '2' },
      { x: 2 },
      ['/x: text read as integer'],
    ],
    [
      'through a choice with null',
      one({ anyOf: [{ type: 'integer' }, { type: 'null' }] }),
      { x: '2' },
      { x: 2 },
      ['/x: text read as integer'],
    ],
    [
      'deep inside',
      one({ type: 'array', items: { type: 'object', properties: { 'a/b': { type: 'boolean' } } } }),
      { x: [{ 'a/b': 'no' }] },
      { x: [{ 'a/b': false }] },
      ['/x/0/a~1b: text read as boolean'],
    ],
    [
      'a tuple',
      one({ type: 'array', prefixItems: [{ type: 'integer' }], items: { type: 'boolean' } }),
      { x: ['1', '1'] },
      { x: [1, true] },
      ['/x/0: text read as integer', '/x/1: text read as boolean'],
    ],
    [
      'values of a map',
      one({ type: 'object', additionalProperties: { type: 'integer' } }),
      { x: { a: '1' } },
      { x: { a: 1 } },
      ['/x/a: text read as integer'],
    ],
  ])('%s', (...[, schema, given, args, repairs]) => {
    expect(check(schema, given)).toEqual({ ok: true, arguments: args, repairs });
  });

  it('keeps a wrapper that the tool itself has', () => {
    const schema = { type: 'object', properties: { arguments: { type: 'object' } } };
    expect(check(schema, { arguments: { a: 1 } })).toMatchObject({
      arguments: { arguments: { a: 1 } },
      repairs: [],
    });
  });

  it('reads what the kind of an object says', () => {
    const kind = (name: string, part: unknown) => ({
      type: 'object',
      properties: { kind: { const: name }, v: part },
      required: ['kind', 'v'],
    });
    const schema = one({ anyOf: [kind('n', { type: 'integer' }), kind('t', { type: 'string' })] });
    expect(check(schema, { x: { kind: 'n', v: '1' } })).toMatchObject({
      arguments: { x: { kind: 'n', v: 1 } },
    });
    expect(check(schema, { x: { kind: 't', v: 1 } })).toMatchObject({
      arguments: { x: { kind: 't', v: '1' } },
    });
  });

  it.each([
    ['a number that would become another', '12345678901234567890'],
    ['hexadecimal', '0x10'],
    ['words', 'forty-two'],
    ['half of a number', '1 or 2'],
    ['infinity', '1e999'],
  ])('never guesses: %s stays what it is', (_what, text) => {
    expect(check(one({ type: 'integer' }), { x: text })).toMatchObject({ ok: false, arguments: { x: text } });
  });

  it.each([
    ['broken JSON', '{"x":', 'The arguments do not fit: they are not valid JSON. Optional: x.'],
    ['a list', [1], 'The arguments do not fit: they must be a JSON object. Optional: x.'],
    ['text of a list', '[1]', 'The arguments do not fit: they must be a JSON object. Optional: x.'],
    ['null', null, 'The arguments do not fit: they must be a JSON object. Optional: x.'],
  ])('%s runs nothing and is shown as no arguments', (_what, given, text) => {
    expect(check(one({ type: 'integer' }), given)).toMatchObject({ ok: false, arguments: {}, text });
  });

  it('over 256 kB, or nested over 50 levels deep, fit nothing', () => {
    const large = 'x'.repeat(256 * 1024);
    const deep = JSON.parse(`${'{"x":'.repeat(60)}1${'}'.repeat(60)}`);
    for (const given of [{ x: large }, JSON.stringify({ x: large }), deep]) {
      expect(check({ type: 'object' }, given)).toMatchObject({ ok: false, arguments: {} });
    }
  });
});

describe('a misfit', () => {
  const schema = {
    type: 'object',
    properties: {
      city: { type: 'string' },
      unit: { enum: ['C', 'F'] },
      days: { type: 'integer', minimum: 1 },
      where: {
        anyOf: [
          { type: 'string' },
          { type: 'object', properties: { lat: { type: 'number' } }, required: ['lat'] },
        ],
      },
    },
    required: ['city'],
    additionalProperties: false,
  };

  it('tells each path, what is expected there, and what is required', () => {
    expect(check(schema, { unit: 'K', days: 0, where: 5, junk: 9 })).toMatchObject({
      text: 'The arguments do not fit: /city is missing; /junk is not known; /unit must be one of "C", "F"; /days must be >= 1. Required: city. Optional: unit, days, where.',
    });
  });

  it('of a choice tells what is wrong in the branch that was meant', () => {
    expect(check(schema, { city: 'Bern', where: { lng: 1 } })).toMatchObject({
      misfits: [{ path: '/where/lat', message: 'is missing' }],
    });
    expect(check(schema, { city: 'Bern', where: null })).toMatchObject({
      ok: true,
      repairs: ['/where: null left out'],
    });
    expect(check({ ...schema, required: ['where'] }, { where: null })).toMatchObject({
      misfits: [{ path: '/where', message: 'must be string or object' }],
    });
  });

  it('has at most 600 characters, whatever was given, and says what it leaves out', () => {
    const names = Array.from({ length: 400 }, (_, index) => `argument_number_${index}`);
    const wide = {
      type: 'object',
      properties: Object.fromEntries(names.map((name) => [name, { type: 'integer' }])),
      required: names,
    };
    const checked = check(wide, Object.fromEntries(names.map((name) => [name, 'x'.repeat(100)])));
    expect(checked).toMatchObject({
      ok: false,
      text: expect.stringMatching(/; and \d+ more\. Required: .*…\.$/),
    });
    expect(checked.ok ? '' : checked.text).toSatisfy(
      (text: string) => text.length <= 600 && text.length > 500,
    );
  });
});

const leaf = fc.constantFrom<JsonSchema>(
  { type: 'integer' },
  { type: 'number' },
  { type: 'boolean' },
  { type: 'string' },
  { type: ['integer', 'null'] },
  { enum: ['a', 1, null] },
  { const: 'x' },
  { $ref: '#/$defs/named' },
  {},
);
const part = fc.letrec<{ part: JsonSchema }>((tie) => ({
  part: fc.oneof(
    { maxDepth: 3 },
    leaf,
    fc.record({ type: fc.constant('array'), items: tie('part') }),
    fc.record({ anyOf: fc.array(tie('part'), { minLength: 1, maxLength: 3 }) }),
    fc.record({
      type: fc.constant('object'),
      properties: fc.dictionary(fc.constantFrom('a', 'b', 'c', '__proto__'), tie('part')),
      required: fc.uniqueArray(fc.constantFrom('a', 'b')),
    }),
  ),
})).part;
const schemas = fc
  .record({
    properties: fc.dictionary(fc.constantFrom('a', 'b', 'c', 'parameters', '__proto__'), part),
    required: fc.uniqueArray(fc.constantFrom('a', 'b')),
    additionalProperties: fc.boolean(),
    named: part,
  })
  .map(({ named, ...schema }): JsonSchema => ({ type: 'object', ...schema, $defs: { named } }));
const scalars = fc.constantFrom<unknown>(
  null,
  '',
  '1',
  '1.5',
  'yes',
  'a',
  '[1]',
  '{"a":"1"}',
  0,
  1,
  1.5,
  true,
  [],
  {},
);
const values = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    scalars,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'c', 'parameters', '__proto__'), tie('value')),
  ),
})).value;

describe('any schema with any arguments', () => {
  it('fit only when they are valid; what is valid as it is stays as it is', () => {
    fc.assert(
      fc.property(schemas, values, (schema, value) => {
        let validate: ReturnType<typeof compileSchema>;
        try {
          validate = compileSchema(schema, { tellsAll: true });
        } catch {
          return; // it refers to itself without end, for instance
        }
        const given = JSON.parse(JSON.stringify(value));
        const before = JSON.stringify(given);
        const checked = checkArguments(given, { inputSchema: schema, validate });
        expect(JSON.stringify(given)).toBe(before);
        if (!checked.ok) {
          expect(checked.text.length).toBeLessThanOrEqual(600);
          expect(checked.misfits.length).toBeGreaterThan(0);
          return;
        }
        expect(validate(checked.arguments)).toBe(true);
        const again = checkArguments(checked.arguments, { inputSchema: schema, validate });
        const isWrapped = Object.keys(checked.arguments).join() === 'parameters';
        if (!isWrapped) expect(again).toEqual({ ...checked, repairs: [] });
      }),
      { numRuns: 300 },
    );
  });

  it('of any text end in an answer', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), fc.anything()), (given) => {
        const checked = check(one({ type: 'integer' }), given);
        expect(checked.ok || checked.text.length <= 600).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });
});
