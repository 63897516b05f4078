import { expect, it } from 'vitest';
import { randomHex } from './ids.ts';

it('gives ids of any length, each once, also where one pool ends and the next begins', () => {
  const lengths = [10, 12, 24, 32];
  const ids = Array.from({ length: 4000 }, (_, index) => randomHex(lengths[index % 4] ?? 10));
  for (const [index, id] of ids.entries()) {
    expect(id).toMatch(/^[0-9a-f]+$/);
    expect(id).toHaveLength(lengths[index % 4] ?? 10);
  }
  expect(new Set(ids).size).toBe(ids.length);
  // Zeros are what is left of what was given away.
  expect(ids.some((id) => /^0+$/.test(id))).toBe(false);
});
