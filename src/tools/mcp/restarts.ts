// How often, and how soon, a process that ended is started again.

export interface Restarts {
  /** @returns how long to wait, in milliseconds; null: it has been started often enough */
  next(): number | null;
  reset(): void;
}

const DELAYS_MS = [1000, 2000, 4000, 8000, 16_000];
const WITHIN_MS = 600_000;

/** @param scale of the delays; less than 1 in tests */
export function createRestarts(scale: number, clock: () => number): Restarts {
  let times: number[] = [];
  return {
    next() {
      const now = clock();
      times = times.filter((time) => now - time < WITHIN_MS);
      if (times.length >= DELAYS_MS.length) return null;
      const delay = (DELAYS_MS[times.length] ?? 0) * scale;
      times.push(now);
      return delay;
    },
    reset() {
      times = [];
    },
  };
}
