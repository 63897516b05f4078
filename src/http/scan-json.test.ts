import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { atOnce } from '../kit/stretches.ts';
import { shapeFault } from './scan-json.ts';

const faultOf = (text: string) => atOnce(shapeFault(Buffer.from(text)));
const nested = (levels: number, [open, close]: readonly [string, string]) =>
  `${open.repeat(levels)}1${close.repeat(levels)}`;

/** What the scan counts: the root, and each element and member. */
function countValues(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1;
  return Object.values(value).reduce<number>((sum, member) => sum + countValues(member), 1);
}

describe('shapeFault', () => {
  it('finds no fault with any ordinary value, however it is written', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), fc.nat(3), (value, indent) => {
        expect(faultOf(JSON.stringify(value, null, indent))).toBeNull();
      }),
    );
  });

  it.each([
    ['[', ']'],
    ['{"a":', '}'],
  ] as const)('takes 64 levels of %s, and no more', (open, close) => {
    expect(faultOf(nested(64, [open, close]))).toBeNull();
    expect(faultOf(nested(65, [open, close]))).toBe('is nested over 64 levels deep');
    // Levels that were closed do not count.
    expect(
      faultOf(
        `[${Array(1000)
          .fill(nested(60, [open, close]))
          .join()}]`,
      ),
    ).toBeNull();
  });

  it.each([
    ['numbers', '1'],
    ['strings', '"a"'],
    ['empty lists', '[]'],
  ])('takes 200 000 values and not many more: %s', (_what, item) => {
    const list = (count: number) => `[${Array(count).fill(item).join()}]`;
    expect(countValues(JSON.parse(list(99_000)))).toBeLessThan(200_000);
    expect(faultOf(list(99_000))).toBeNull();
    expect(faultOf(list(200_001))).toBe('holds more than 200000 values');
  });

  const keyed = (count: number, each = 1, key = (index: number) => `k${index}`) =>
    `[${Array.from({ length: Math.ceil(count / each) }, (_, object) => {
      const members = Array.from({ length: each }, (_, index) => `"${key(object * each + index)}":0`);
      return `{${members.join()}}`;
    }).join()}]`;

  it.each([1, 10, 100, 200_000])('takes 10 000 distinct keys and not many more, %i in an object', (each) => {
    expect(faultOf(keyed(9900, Math.min(each, 9900)))).toBeNull();
    expect(faultOf(keyed(11_000, Math.min(each, 11_000)))).toBe('holds more than 10000 distinct keys');
  });

  it('takes the same keys again and again', () => {
    const members = Array.from(
      { length: 20 },
      (_, index) => `"a_rather_long_key_${index}" : ${index}`,
    ).join();
    expect(faultOf(`[${Array(9000).fill(`{${members}}`).join()}]`)).toBeNull();
  });

  it.each([
    ['long ones that begin alike', (index: number) => `${'a'.repeat(60)}${index}`],
    ['long ones that end alike', (index: number) => `${index}${'a'.repeat(60)}`],
    ['with quotes in them', (index: number) => `\\"${index}\\\\`],
    ['beyond ASCII', (index: number) => `é${index}猫`],
  ])('tells keys apart: %s', (_which, key) => {
    expect(faultOf(keyed(30_000, 30, key))).toBe('holds more than 10000 distinct keys');
  });

  it('what stands before a colon in a list is no key, and nothing there breaks the scan', () => {
    expect(faultOf(`[${Array.from({ length: 90_000 }, (_, index) => `"k${index}"`).join()}]`)).toBeNull();
    for (const text of [':', '":', '"a":', '::::', '"a" :: "b"']) expect(faultOf(text)).toBeNull();
    expect(faultOf(':'.repeat(300_000))).toBeNull();
  });

  it('does not look into strings', () => {
    const structure = '[{,'.repeat(300_000);
    for (const before of ['', '\\"', '\\\\', '\\\\\\"', 'é"'.slice(0, 1), '\\u005c']) {
      expect(faultOf(JSON.stringify({ a: 1 }).replace('1', `"${before}${structure}"`))).toBeNull();
      // Where the string has ended, structure is structure.
      expect(faultOf(`"${before}"${structure}`)).not.toBeNull();
    }
  });

  it('reads anything to its end, JSON or not', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(atOnce(shapeFault(bytes))).toBeNull();
      }),
    );
    for (const text of ['', '"', '"\\', ']]]]', '"a\\"', '{"a":"']) expect(faultOf(text)).toBeNull();
  });

  it('rests after each megabyte, so that whoever else waits has a turn', () => {
    const rests = (text: string) => [...shapeFault(Buffer.from(text))].length;
    expect(rests(JSON.stringify(Array.from({ length: 50_000 }, () => 'x'.repeat(100))))).toBe(4);
    // Twice, where there are many keys.
    const keys = Array.from({ length: 50_000 }, (_, index) => [`key ${index % 9000} ${'x'.repeat(90)}`, 1]);
    expect(rests(JSON.stringify(keys.map(([key, value]) => ({ [key ?? '']: value }))))).toBeGreaterThan(8);
  });
});
