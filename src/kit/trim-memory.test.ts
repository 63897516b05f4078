import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { IdleTrim } from './trim-memory.ts';

/** Memory that the process did not have before, whatever it has to spare. */
function grow(): Buffer {
  return Buffer.alloc(64 * 1024 * 1024, 1);
}

describe('memory of a server that has nothing to do', () => {
  it('is given back when it has grown, and not again before it has grown again', async () => {
    const trim = new IdleTrim(() => 7);
    const held = grow();
    // The growing itself was work: it takes a while until there is none.
    let looks = 0;
    for (; looks < 100 && !trim.look(); looks += 1) await setTimeout(50);
    expect(looks).toBeLessThan(100);
    await setTimeout(20);
    expect(trim.look()).toBe(false);
    expect(held[0]).toBe(1);
  });

  it('is left as it is while something is being told', async () => {
    let told = 0;
    const trim = new IdleTrim(() => told);
    const held = grow();
    for (told = 1; told < 4; told += 1) {
      await setTimeout(20);
      expect(trim.look()).toBe(false);
    }
    expect(held[0]).toBe(1);
  });
});
