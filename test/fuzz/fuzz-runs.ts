// How much is tried and from which seed: the same in CI every time, more and other things by hand.
import type { Parameters } from 'fast-check';

const seed = Number(process.env['MOCHI_FUZZ_SEED'] ?? 20_260_215);
const factor = Number(process.env['MOCHI_FUZZ_RUNS'] ?? 1);

console.info(`fuzz: MOCHI_FUZZ_SEED=${seed} MOCHI_FUZZ_RUNS=${factor}`);

/** For `fc.assert`. @param count runs by default */
export function fuzzRuns(count: number): Parameters<unknown> {
  return { seed, numRuns: Math.ceil(count * factor) };
}

/** For `it`: a guard against a hang of the test itself; shrinking a failure takes many requests. */
export const FUZZ_TIMEOUT_MS = 60_000 * Math.max(1, factor);
