// Schemas as models are shown them: what engines would drop is said with what they keep.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileSchema } from '../../kit/compile-schema.ts';
import { flatSchema } from './flat-schema.ts';

/** The one property of a tool, flat. */
function flatProperty(part: unknown, more: Record<string, unknown> = {}): unknown {
  const flat = flatSchema({ type: 'object', properties: { x: part }, ...more });
  return Object(flat['properties']).x;
}

describe('a flat schema', () => {
  it.each<[string, unknown, unknown]>([
    [
      'keeps what engines keep',
      { type: 'string', description: 'Name' },
      { type: 'string', description: 'Name' },
    ],
    ['says const as enum', { const: 3 }, { type: 'integer', enum: [3] }],
    [
      'says oneOf as anyOf',
      { oneOf: [{ enum: ['a'] }, { type: 'integer' }] },
      { anyOf: [{ type: 'string', enum: ['a'] }, { type: 'integer' }] },
    ],
    [
      'says plain types as a list',
      { anyOf: [{ type: 'integer' }, { type: 'string' }] },
      { type: ['integer', 'string'] },
    ],
    ['leaves a list of types', { type: ['integer', 'string'] }, { type: ['integer', 'string'] }],
    ['takes null away', { anyOf: [{ type: 'integer' }, { type: 'null' }] }, { type: 'integer' }],
    [
      'takes null out of types and values',
      { type: ['string', 'null'], enum: ['a', null] },
      { type: 'string', enum: ['a'] },
    ],
    [
      'keeps items of lists in lists',
      { type: 'array', items: { type: 'array', items: { const: 'a' } } },
      { type: 'array', items: { type: 'array', items: { type: 'string', enum: ['a'] } } },
    ],
    [
      'tells the kinds of a tuple',
      { prefixItems: [{ type: 'integer' }, { type: 'string' }] },
      { type: 'array', items: { type: ['integer', 'string'] } },
    ],
    [
      'keeps nested objects',
      { type: 'object', properties: { y: { const: 1 } }, required: ['y'] },
      { type: 'object', required: ['y'], properties: { y: { type: 'integer', enum: [1] } } },
    ],
    ['knows nothing of anything', true, {}],
  ])('%s', (_what, part, flat) => {
    expect(flatProperty(part)).toEqual(flat);
  });

  it('tells limits in the description', () => {
    expect(
      flatProperty({ type: 'integer', description: 'How many', default: 5, minimum: 1, maximum: 9 }),
    ).toEqual({
      type: 'integer',
      description: 'How many (default: 5; at least 1; at most 9)',
    });
    expect(
      flatProperty({ type: 'string', pattern: '^a', format: 'date', minLength: 1, maxLength: 3 }),
    ).toEqual({
      type: 'string',
      description: '(format: date; pattern: ^a; at least 1 characters; at most 3 characters)',
    });
    expect(flatProperty({ type: 'object', additionalProperties: { type: 'integer' } })).toEqual({
      type: 'object',
      description: '(each value: integer)',
    });
  });

  it('puts references in their place, with what is said beside them', () => {
    const $defs = {
      Point: { type: 'object', description: 'A point', properties: { x: { type: 'number' } } },
    };
    expect(flatProperty({ $ref: '#/$defs/Point', description: 'Where' }, { $defs })).toEqual({
      type: 'object',
      description: 'Where',
      properties: { x: { type: 'number' } },
    });
    const odd = { 'a/b~c %': { const: 1 } };
    expect(flatProperty({ $ref: '#/$defs/a~1b~0c%20%25' }, { $defs: odd })).toEqual({
      type: 'integer',
      enum: [1],
    });
  });

  it('makes a cycle, and what is too deep, an open object', () => {
    const $defs = {
      Tree: { type: 'object', properties: { left: { $ref: '#/$defs/Tree' }, v: { type: 'integer' } } },
    };
    expect(flatProperty({ $ref: '#/$defs/Tree' }, { $defs })).toEqual({
      type: 'object',
      properties: { left: { type: 'object' }, v: { type: 'integer' } },
    });
    const steps = Object.fromEntries(
      Array.from({ length: 20 }, (_, index) => [
        `s${index}`,
        { properties: { x: { $ref: `#/$defs/s${index + 1}` } } },
      ]),
    );
    const deep = JSON.stringify(flatProperty({ $ref: '#/$defs/s0' }, { $defs: steps }));
    expect(deep.split('properties')).toHaveLength(9);
  });

  it('ends, and stays small, where references fan out without end', () => {
    const $defs = Object.fromEntries(
      Array.from({ length: 8 }, (_, level) => [
        `l${level}`,
        {
          type: 'object',
          properties: Object.fromEntries(
            Array.from({ length: 20 }, (_unused, index) => [`p${index}`, { $ref: `#/$defs/l${level + 1}` }]),
          ),
        },
      ]),
    );
    expect(JSON.stringify(flatProperty({ $ref: '#/$defs/l0' }, { $defs })).length).toBeLessThan(1_000_000);
  });

  it('merges allOf', () => {
    const part = {
      allOf: [
        { type: 'object', properties: { a: { type: 'integer' } }, required: ['a'] },
        { properties: { a: { minimum: 1 }, b: { type: 'string' } }, required: ['b'] },
      ],
    };
    expect(flatProperty(part)).toEqual({
      type: 'object',
      required: ['a', 'b'],
      properties: { a: { type: 'integer', description: '(at least 1)' }, b: { type: 'string' } },
    });
  });

  it('asks for nothing that may be null', () => {
    const schema = {
      type: 'object',
      properties: {
        a: { type: ['integer', 'null'] },
        b: { anyOf: [{ $ref: '#/$defs/N' }, { const: 1 }] },
        c: { type: 'string' },
      },
      required: ['a', 'b', 'c'],
      $defs: { N: { type: 'null' } },
    };
    expect(flatSchema(schema)).toEqual({
      type: 'object',
      required: ['c'],
      properties: { a: { type: 'integer' }, b: { type: 'integer', enum: [1] }, c: { type: 'string' } },
    });
  });

  it('of a choice between objects has the members of all, and asks for those of each', () => {
    const schema = {
      anyOf: [
        {
          type: 'object',
          properties: { id: { type: 'string' }, a: { type: 'integer' } },
          required: ['id', 'a'],
        },
        { type: 'object', properties: { id: { type: 'string' }, b: { type: 'integer' } }, required: ['id'] },
      ],
    };
    expect(flatSchema(schema)).toEqual({
      type: 'object',
      required: ['id'],
      properties: { id: { type: 'string' }, a: { type: 'integer' }, b: { type: 'integer' } },
    });
  });

  it('of a tool without arguments says so', () => {
    expect(flatSchema({})).toEqual({ type: 'object', properties: {} });
  });
});

const KEPT = new Set(['type', 'description', 'enum', 'items', 'properties', 'required', 'anyOf']);

/** Everything in a flat schema that no engine keeps. */
function strangers(schema: unknown): string[] {
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema))
    return [`no schema: ${String(schema)}`];
  const { properties = {}, items, anyOf = [] } = schema as Record<string, unknown>;
  return [
    ...Object.keys(schema).filter((key) => !KEPT.has(key)),
    ...Object.values(Object(properties)).flatMap(strangers),
    ...(items === undefined ? [] : strangers(items)),
    ...(anyOf as unknown[]).flatMap(strangers),
  ];
}

const part = fc.letrec<{ part: unknown }>((tie) => ({
  part: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<unknown>(
      true,
      false,
      {},
      { type: 'null' },
      { $ref: '#' },
      { $ref: '#/$defs/a' },
      { $ref: 'x' },
    ),
    fc.record(
      {
        type: fc.constantFrom<unknown>('string', 'integer', 'array', 'object', ['number', 'null'], 7, null),
        description: fc.constantFrom<unknown>('text', 3, null),
        enum: fc.array(fc.jsonValue({ maxDepth: 1 }), { maxLength: 3 }),
        const: fc.jsonValue({ maxDepth: 1 }),
        default: fc.jsonValue({ maxDepth: 1 }),
        minimum: fc.integer(),
        required: fc.array(fc.constantFrom<unknown>('a', 'b', '__proto__', 1), { maxLength: 3 }),
        properties: fc.dictionary(fc.constantFrom('a', 'b', '__proto__', 'toString', '1'), tie('part')),
        items: tie('part'),
        prefixItems: fc.array(tie('part'), { maxLength: 2 }),
        anyOf: fc.array(tie('part'), { maxLength: 3 }),
        oneOf: fc.array(tie('part'), { maxLength: 3 }),
        allOf: fc.array(tie('part'), { maxLength: 3 }),
        $ref: fc.constantFrom<unknown>('#', '#/$defs/a', '#/$defs/b', '#/properties/a', '#/%', 'far.json', 4),
        $defs: fc.dictionary(fc.constantFrom('a', 'b'), tie('part')),
        additionalProperties: tie('part'),
      },
      { requiredKeys: [] },
    ),
  ),
})).part;

describe('any schema, whoever wrote it', () => {
  it('becomes one with nothing in it that engines drop, and one that can be compiled', () => {
    fc.assert(
      fc.property(part, (schema) => {
        // As it comes over a wire.
        const given = JSON.parse(JSON.stringify(schema));
        const flat = flatSchema(typeof given === 'object' ? given : {});
        expect(strangers(flat)).toEqual([]);
        expect(flat['type']).toBe('object');
        expect(flat['properties']).toEqual(expect.any(Object));
      }),
      { numRuns: 300 },
    );
  });

  it('that is valid stays so', () => {
    fc.assert(
      fc.property(part, (schema) => {
        const given = JSON.parse(JSON.stringify(schema));
        const root = typeof given === 'object' ? given : {};
        try {
          compileSchema(root);
        } catch {
          return;
        }
        compileSchema(flatSchema(root));
      }),
      { numRuns: 100 },
    );
  });
});
