import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseLongJson } from './parse-long-json.ts';

const PIECE = 256 * 1024;
/** No text of this length is parsed at once. */
const LONG = 'x'.repeat(PIECE);

/** @returns what was read, and how often others had a turn */
function read(text: string | Buffer): { value: unknown; rests: number } {
  const work = parseLongJson(Buffer.from(text));
  for (let rests = 0; ; rests += 1) {
    const step = work.next();
    if (step.done) return { value: step.value, rests };
  }
}

/** Either what it is, or that it is none. */
function outcomeOf(parse: () => unknown): unknown {
  try {
    return { text: JSON.stringify(parse()) };
  } catch (error) {
    return error instanceof SyntaxError ? 'no JSON' : error;
  }
}

const asParsed = (text: string) => {
  expect(outcomeOf(() => read(text).value)).toEqual(outcomeOf(() => JSON.parse(text)));
};

describe('a long text', () => {
  it('is read in pieces that are bounded, whatever is in it', () => {
    const messages = Array.from({ length: 4000 }, (_, index) => ({ id: index, text: LONG.slice(0, 2000) }));
    const text = JSON.stringify({ metadata: { model: 'm' }, messages, end: true });
    const { value, rests } = read(text);
    expect(value).toEqual(JSON.parse(text));
    expect(rests).toBeGreaterThanOrEqual(Math.floor(text.length / PIECE));
    const nested = JSON.stringify({ a: [[[{ b: messages }]]] });
    expect(read(nested).value).toEqual(JSON.parse(nested));
    expect(read(nested).rests).toBeGreaterThanOrEqual(Math.floor(nested.length / PIECE));
  });

  const long = JSON.stringify(LONG);
  it.each([
    `[${long}]`,
    `{"a":${long}}`,
    `  {"a" : ${long} , "b":1 }  `,
    `[[],{},[${long}],{}]`,
    `[${long},${long},${long}]`,
    `[1,2,${long},3]`,
    `{"a":1,"b":2,"a":${long},"c":3,"b":4}`,
    `{"a":${long},"a":1}`,
    `{"__proto__":${long},"x":1}`,
    `{"x":${long},"__proto__":{"y":1}}`,
    `{"2":${long},"1":1,"b":1,"a":1}`,
    `["\\"","\\\\","${'\\\\'.repeat(300)}",${long}]`,
    `["\\u20ac €","\uFEFF",${long}]`,
    long,
    `${'['.repeat(30)}${long}${']'.repeat(30)}`,
    `${' '.repeat(PIECE * 2)}[1]`,
    `[1${' '.repeat(PIECE * 2)},2]`,
  ])('%#: is what JSON.parse makes of it', (text) => {
    // With the order of its members.
    asParsed(text);
  });

  it.each([
    `[${long},]`,
    `[,${long}]`,
    `[${long},,${long}]`,
    `[1,,${long}]`,
    `[${long},1,]`,
    `{"a":${long},}`,
    `{,"a":${long}}`,
    `{"a":${long},,"b":1}`,
    `{"a" ${long}}`,
    `{a:${long}}`,
    `{1:${long}}`,
    `{${long}}`,
    `[${long}}`,
    `{"a":${long}]`,
    `[${long}`,
    `{"a":${long}`,
    `[${long}] x`,
    `[${long}][]`,
    `[${long} 1]`,
    `[${long}:1]`,
    `["${LONG}]`,
    `[\uFEFF${long}]`,
    `[[${long}]},1]`,
    `["a\u0001",${long}]`,
    `[\u00a01,${long}]`,
    `[01,${long}]`,
    ' '.repeat(PIECE * 2),
    `]${long}`,
    `${long},`,
  ])('%#: is none where JSON.parse finds none', (text) => {
    expect(() => JSON.parse(text)).toThrow(SyntaxError);
    asParsed(text);
  });

  it('is UTF-8, and may begin with the mark of a file', () => {
    expect(() =>
      read(Buffer.concat([Buffer.from(`[${long},"`), Buffer.from([0xff]), Buffer.from('"]')])),
    ).toThrow(TypeError);
    expect(read(`\uFEFF[${long}]`).value).toEqual([LONG]);
  });

  it('is what JSON.parse makes of it, broken or not', () => {
    const text = fc
      .tuple(
        fc.jsonValue({ maxDepth: 4 }),
        fc.nat(300),
        fc.boolean(),
        fc.constantFrom('', ',', ']', '}', '"', ':', '[', '\\', ' '),
      )
      .map(([value, place, isFirst, broken]) => {
        const whole = JSON.stringify({ first: [value, LONG, value], end: value });
        const at = isFirst ? place : whole.length - place;
        return `${whole.slice(0, at)}${broken}${whole.slice(at)}`;
      });
    fc.assert(fc.property(text, asParsed), { numRuns: 100 });
  });
});
