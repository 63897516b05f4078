// Random choices that can be repeated: the same seed makes the same ones.

export interface Random {
  /** From 0 to 1, 1 left out. */
  next(): number;
  /** A whole number below `limit`. */
  below(limit: number): number;
  /** @throws RangeError for an empty list */
  pick<T>(items: readonly T[]): T;
  /** One in so many times. */
  oneIn(times: number): boolean;
}

/** Mulberry32 (Tommy Ettinger, public domain): small and even enough for choices. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number) => Math.floor(next() * limit);
  return {
    next,
    below,
    oneIn: (times) => below(times) === 0,
    pick(items) {
      const [item] = items.slice(below(items.length));
      if (item === undefined) throw new RangeError('There is nothing to pick from.');
      return item;
    },
  };
}
