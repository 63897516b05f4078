// JSON bodies: values that fit a schema, and what can be done to them.
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { resolveSchema, type Schema } from './operations.ts';

type Json = unknown;

/** Stands in a string for text that no JSON writer would write. */
const raw = (text: string) => `@@raw:${text}@@`;
/** Stands in a key for a second key of that name. */
const twin = (key: string) => `@@twin:${key}@@`;

const TEXTS = [
  'x',
  '',
  ' ',
  '\u0000',
  'a\u0000b',
  '\ud800',
  'a\udc00',
  '😀👩‍👩‍👧‍👦',
  'שלום \u202eabc',
  '\u2028\u2029\ufeff',
  '../../etc/passwd',
  'C:\\x',
  "'; drop table sessions;--",
  '{{7*7}}',
  '<script>1</script>',
  '\r\nid: 9\n\n',
  'constructor',
  '__proto__',
  'null',
  '١',
  'a'.repeat(513),
  '漢'.repeat(20_001),
  'x'.repeat(70_000),
];
const NUMBERS = [0, -1, 1.5, 2 ** 31, 2 ** 53, -(2 ** 63), 1e21, 5e-324, 1.797e308];
const RAW_NUMBERS = [
  '-0',
  '1e999',
  '-1e999',
  '9007199254740993',
  '1E400',
  '1e-999',
  '0.1e1',
  '9'.repeat(5000),
];
/** Own members, also where a literal would set the prototype. */
const own = (...entries: [string, Json][]) => Object.fromEntries(entries);
const OBJECTS: readonly Json[] = [
  {},
  own(['__proto__', { polluted: true }]),
  own(['constructor', { prototype: { polluted: true } }]),
  own(['toString', 1], ['valueOf', null], ['hasOwnProperty', 0]),
  own(['then', 'x'], ['toJSON', 'x'], ['length', 1e9]),
  own(['', 0], [' ', 0], ['\u0000', 0], ['\ud800', 0], ['a.b', 0], ['$where', 1], ['k'.repeat(3000), 0]),
  Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`k${index}`, index])),
];
const SCHEMAS: readonly Json[] = [
  { $ref: '#' },
  { $async: true, type: 'number' },
  { $dynamicRef: '#x' },
  { $id: 'x', $ref: 'x' },
  { $schema: 'http://json-schema.org/draft-07/schema#', type: 'object' },
  { type: 'object', properties: { a: { $ref: '#' } }, required: ['constructor'] },
  { type: 'no type' },
  { pattern: '(a*)*b' },
  { $ref: 'http://127.0.0.1:1/x' },
  { anyOf: [{ $ref: '#/anyOf/1' }, { $ref: '#/anyOf/0' }] },
];
const LISTS: readonly Json[] = [[], [[]], [null], [{}], Array.from({ length: 600 }, () => 'x')];

function nested(depth: number, wrap: (inner: Json) => Json): Json {
  return Array.from({ length: depth }).reduce<Json>((inner) => wrap(inner), 1);
}
const DEEP = [40, 63, 64, 65, 300].flatMap((depth) => [
  nested(depth, (inner) => [inner]),
  nested(depth, (inner) => ({ a: inner })),
]);

const hostileJson: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom<Json>(null, true, false),
  fc.constantFrom<Json>(...TEXTS),
  fc.constantFrom<Json>(...NUMBERS, ...RAW_NUMBERS.map(raw)),
  fc.constantFrom<Json>(...OBJECTS, ...LISTS, ...SCHEMAS),
  fc.constantFrom<Json>(...DEEP),
  fc.jsonValue({ maxDepth: 3 }),
  fc.string({ unit: 'binary', maxLength: 200 }),
);

/** Values that the text of a schema does not tell. */
const NAMED: Readonly<Record<string, fc.Arbitrary<Json>>> = {
  model: fc.constantFrom('llama3.2', 'qwen3:14b', 'tiny:latest', 'llava:7b', 'nomic-embed-text', 'gone:1b'),
  message_id: fc.constantFrom('@@message_id@@', '@@message_id@@', 'b5a3d7e4c9'),
  images: fc.constantFrom<Json>([], [], ['aGVsbG8='], ['AAAAA'], ['AAA='], ['A==='], ['====']),
  format: fc.constantFrom<Json>('json', null, { type: 'object' }, ...SCHEMAS),
  metadata: fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 4 }),
};

/** Values that mostly fit: patterns and formats are not looked at. */
export function valuesOf(reference: Schema, name = ''): fc.Arbitrary<Json> {
  const known = NAMED[name];
  if (known !== undefined) return known;
  const schema = resolveSchema(reference);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined && schema.properties === undefined) {
    return fc.oneof(...choices.map((choice) => valuesOf(choice)));
  }
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  const types = [schema.type ?? []].flat();
  if (types.length === 0) return fc.jsonValue({ maxDepth: 1 });
  return fc.oneof(...types.map((type) => valuesOfType(type, schema)));
}

function valuesOfType(type: string, schema: Schema): fc.Arbitrary<Json> {
  const { minimum = -1000, maximum = 1000 } = schema;
  switch (type) {
    case 'null':
      return fc.constant(null);
    case 'boolean':
      return fc.boolean();
    case 'integer':
      return fc.oneof(fc.integer({ min: minimum, max: maximum }), fc.constantFrom(minimum, maximum));
    case 'number':
      return fc.oneof(fc.double({ min: minimum, max: maximum, noNaN: true }), fc.constant(minimum));
    case 'array':
      return fc.array(valuesOf(schema.items ?? {}), { maxLength: 3 });
    case 'object':
      return objectsOf(schema);
    default:
      return fc.oneof(fc.constantFrom('What is the capital of France?', 'x'), fc.string({ minLength: 1 }));
  }
}

function objectsOf({ properties = {}, required = [], ...schema }: Schema): fc.Arbitrary<Json> {
  const members = Object.entries(properties).map(([key, member]) => [key, valuesOf(member, key)] as const);
  const fixed = fc.record(Object.fromEntries(members), { requiredKeys: [...required] });
  const pattern = Object.values(schema.patternProperties ?? {})[0];
  const more = typeof schema.additionalProperties === 'object' ? schema.additionalProperties : pattern;
  if (more === undefined) return fixed;
  const free = fc.dictionary(fc.string({ maxLength: 8 }), valuesOf(more), { maxKeys: 3 });
  return fc.tuple(free, fixed).map(([some, known]) => ({ ...some, ...known }));
}

interface Mutation {
  readonly kind: 'replace' | 'remove' | 'add' | 'twin' | 'wrap';
  /** Which value of the tree, modulo their number. */
  readonly at: number;
  readonly key: string;
  readonly value: Json;
}

const mutations: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom('replace', 'replace', 'replace', 'remove', 'add', 'twin', 'wrap'),
  at: fc.nat(50),
  key: fc.constantFrom('__proto__', 'constructor', 'toString', 'x', '', 'message', 'model', 'session_id'),
  value: hostileJson,
});

function mutate(root: Json, mutation: Mutation): Json {
  let left = mutation.at % countValues(root);
  const visit = (value: Json): Json => {
    if (left-- === 0) return change(value, mutation);
    if (Array.isArray(value)) return value.map(visit);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).flatMap(([key, member]) => {
        if (left !== 0 || (mutation.kind !== 'remove' && mutation.kind !== 'twin'))
          return [[key, visit(member)] as const];
        left -= 1;
        return mutation.kind === 'remove'
          ? []
          : [[key, member] as const, [twin(key), mutation.value] as const];
      }),
    );
  };
  return visit(root);
}

function change(value: Json, { kind, key, value: given }: Mutation): Json {
  if (kind === 'wrap') return [value];
  if (kind !== 'add' || typeof value !== 'object' || value === null || Array.isArray(value)) return given;
  return Object.fromEntries([...Object.entries(value), [key, given]]);
}

function countValues(value: Json): number {
  if (typeof value !== 'object' || value === null) return 1;
  return Object.values(value).reduce<number>((sum, member) => sum + countValues(member), 1);
}

/** JSON text, with what the marks stand for. */
export function toText(value: Json): string {
  return JSON.stringify(value)
    .replaceAll(/"@@raw:([^@]*)@@"/g, '$1')
    .replaceAll(/@@twin:((?:[^@"\\]|\\.)*)@@/g, '$1');
}

const ENCODINGS: Readonly<Record<string, (text: string) => Buffer>> = {
  bom: (text) => Buffer.from(`\ufeff${text}`),
  utf16le: (text) => Buffer.from(`\ufeff${text}`, 'utf16le'),
  utf16be: (text) => Buffer.from(`\ufeff${text}`, 'utf16le').swap16(),
  latin1: (text) => Buffer.from(`${text.slice(0, -1)},"é":"é"}`, 'latin1'),
  overlong: (text) =>
    Buffer.concat([Buffer.from('{"x":"'), Buffer.from([0xc0, 0x80]), Buffer.from(`",${text.slice(1)}`)]),
  gzip: (text) => gzipSync(text),
  half: (text) => Buffer.from(text).subarray(0, Math.floor(Buffer.byteLength(text) / 2)),
  'without last byte': (text) => Buffer.from(text).subarray(0, -1),
  twice: (text) => Buffer.from(text + text),
  lines: (text) => Buffer.from(`${text}\n${text}\n`),
  prefixed: (text) => Buffer.from(`)]}',\n${text}`),
  commented: (text) => Buffer.from(`/* x */ ${text}`),
  'single quotes': (text) => Buffer.from(text.replaceAll('"', "'")),
  'trailing comma': (text) => Buffer.from(`${text.slice(0, -1)},}`),
  form: () => Buffer.from('message=x&model=y'),
  empty: () => Buffer.alloc(0),
  blank: () => Buffer.from(' \n'),
};

export interface HostileBody {
  readonly text: string;
  /** Name of a way to write the text; a broken one where it is not `as it is`. */
  readonly encoding: string;
}

/** @param schema what the route describes; an object for routes without a body */
export function hostileBodies(schema: Schema): fc.Arbitrary<HostileBody> {
  const values = fc.oneof({ weight: 15, arbitrary: valuesOf(schema) }, { weight: 1, arbitrary: hostileJson });
  const text = fc
    .tuple(values, fc.array(mutations, { maxLength: 3 }))
    .map(([value, changes]) => toText(changes.reduce(mutate, value)));
  const encoding = fc.oneof(
    { weight: 5, arbitrary: fc.constant('as it is') },
    { weight: 1, arbitrary: fc.constantFrom(...Object.keys(ENCODINGS)) },
  );
  return fc.record({ text, encoding });
}

export function encodeBody({ text, encoding }: HostileBody): Buffer {
  return ENCODINGS[encoding]?.(text) ?? Buffer.from(text);
}
