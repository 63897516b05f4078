import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NdjsonError, readNdjson } from './read-ndjson.ts';

async function* chunksOf(bytes: Uint8Array, cuts: readonly number[]): AsyncGenerator<Uint8Array, void> {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  for (const [index, end] of places.entries()) {
    if (index > 0) yield bytes.subarray(places[index - 1], end);
  }
}

async function readAll(chunks: AsyncIterable<Uint8Array>) {
  const batches: (readonly unknown[])[] = [];
  let failure: unknown = null;
  try {
    for await (const batch of readNdjson(chunks, { maxBytes: 1e9 })) batches.push(batch);
  } catch (error) {
    failure = error;
  }
  return { batches, values: batches.flat(), failure };
}

const toBytes = (text: string) => new TextEncoder().encode(text);
const reads = (...texts: string[]) =>
  (async function* () {
    for (const text of texts) yield toBytes(text);
  })();

/** A line of JSON as servers write it, also with the characters that Go escapes and those it does not. */
const line = fc
  .oneof(fc.jsonValue(), fc.record({ message: fc.record({ content: fc.string({ unit: 'binary' }) }) }))
  .map((value) => JSON.stringify(value));
const blank = fc.constantFrom('', ' ', '\r', '\t  ');
const cuts = fc.array(fc.nat(), { maxLength: 30 });

describe('readNdjson', () => {
  it('yields what the lines say, however the bytes were cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ line, blanks: fc.array(blank, { maxLength: 2 }) }), { maxLength: 12 }),
        fc.constantFrom('\n', '\r\n'),
        fc.boolean(),
        cuts,
        async (lines, lineEnd, hasFinalEnd, places) => {
          const text = lines.flatMap(({ line, blanks }) => [...blanks, line]).join(lineEnd);
          const bytes = toBytes(text + (hasFinalEnd ? lineEnd : ''));
          const { batches, values, failure } = await readAll(chunksOf(bytes, places));
          expect(failure).toBeNull();
          expect(values).toEqual(lines.map(({ line }) => JSON.parse(line)));
          for (const batch of batches) expect(batch.length).toBeGreaterThan(0);
        },
      ),
    );
  });

  it('yields the same byte by byte', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 5 }), async (lines) => {
        const bytes = toBytes(lines.join('\n'));
        const single = (async function* () {
          for (const byte of bytes) yield Uint8Array.of(byte);
        })();
        expect((await readAll(single)).values).toEqual(lines.map((text) => JSON.parse(text)));
      }),
      { numRuns: 30 },
    );
  });

  it('yields every line before a bad one, however the bytes were cut', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 6 }), cuts, async (lines, places) => {
        const bytes = toBytes([...lines, '<html>', '{"never":"read"}', ''].join('\n'));
        const { values, failure } = await readAll(chunksOf(bytes, places));
        expect(failure).toBeInstanceOf(NdjsonError);
        expect(values).toEqual(lines.map((text) => JSON.parse(text)));
      }),
    );
  });

  it('is silent about nothing: a half line at the end is an error', async () => {
    const { values, failure } = await readAll(reads('{"a":1}\n{"b":'));
    expect(values).toEqual([{ a: 1 }]);
    expect(failure).toBeInstanceOf(NdjsonError);
  });

  it('yields what came together as one batch', async () => {
    const { batches } = await readAll(reads('1\n2\n3', '\n', '\n\n', '4'));
    expect(batches).toEqual([[1, 2], [3], [4]]);
  });

  it('yields nothing for nothing', async () => {
    expect((await readAll(reads())).batches).toEqual([]);
    expect((await readAll(reads('', '\n', ' \r\n\t\n'))).batches).toEqual([]);
  });

  it('replaces bytes that are not UTF-8', async () => {
    const bytes = Uint8Array.from([...toBytes('"a'), 0xff, 0xc3, ...toBytes('b"\n')]);
    expect((await readAll(chunksOf(bytes, [3]))).values).toEqual(['a\ufffd\ufffdb']);
  });

  it('shows the start of a bad line and no more', async () => {
    const { failure } = await readAll(reads(`<html>${'x'.repeat(10_000)}\n`));
    expect(String(failure)).toContain('<html>');
    expect(String(failure).length).toBeLessThan(400);
  });

  it('refuses a line without end rather than gather it', async () => {
    let isClosed = false;
    const endless = (async function* () {
      try {
        const megabyte = new Uint8Array(1024 * 1024).fill(0x20);
        for (;;) yield megabyte;
      } finally {
        isClosed = true;
      }
    })();
    expect((await readAll(endless)).failure).toBeInstanceOf(NdjsonError);
    expect(isClosed).toBe(true);
  });

  it('closes its source when its reader leaves', async () => {
    let isClosed = false;
    const source = (async function* () {
      try {
        for (;;) yield toBytes('{}\n');
      } finally {
        isClosed = true;
      }
    })();
    for await (const batch of readNdjson(source, { maxBytes: 1e9 })) if (batch.length > 0) break;
    expect(isClosed).toBe(true);
  });
});
