import { expect, it } from 'vitest';
import { parseShared, parseStored } from './parse-stored.ts';

it('what many rows have is one object, which nobody can change', () => {
  const text = JSON.stringify({ tools: ['a'], tool_policies: {} });
  const read = parseShared(text);
  expect(read).toEqual(parseStored(text));
  expect(parseShared(text)).toBe(read);
  expect(() => read.tools.push('b')).toThrow(TypeError);
  expect(() => Object.assign(read.tool_policies, { a: 'b' })).toThrow(TypeError);
});

it('what is long is of one row, and its own', () => {
  const text = JSON.stringify({ tools: ['a'.repeat(200)] });
  expect(parseShared(text)).not.toBe(parseShared(text));
});

it('is the last of many that is kept, and the first is read anew', () => {
  const texts = Array.from({ length: 3000 }, (_, index) => JSON.stringify({ index }));
  expect(texts.map((text) => parseShared(text).index)).toEqual(texts.map((_, index) => index));
  expect(parseShared(texts[0] ?? '')).toEqual({ index: 0 });
});

it('of a damaged row says so', () => {
  expect(() => parseShared('{"tools":')).toThrow(expect.objectContaining({ kind: 'session_load_error' }));
});
