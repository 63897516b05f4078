import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { IdleTrim, trimMemory } from './trim-memory.ts';

/** More than is trimmed for. */
const GROWN_BYTES = 48 * 1024 * 1024;

/** Memory that the process did not have before, whatever it has to spare. */
function grow(): Buffer {
  return Buffer.alloc(64 * 1024 * 1024, 1);
}

describe('memory of a server that has nothing to do', () => {
  it('is given back when it has grown, and not again before it has grown again', async () => {
    // What other tests of this process have left would shrink meanwhile.
    trimMemory();
    const { rss } = process.memoryUsage;
    const before = rss();
    const trim = new IdleTrim(() => 7);
    const held: Buffer[] = [];
    // The growing itself was work: it takes a while until there is none.
    while (!trim.look()) {
      while (rss() - before < GROWN_BYTES) held.push(grow());
      await setTimeout(50);
    }
    await setTimeout(20);
    expect(trim.look()).toBe(false);
    expect(held[0]?.[0]).toBe(1);
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
