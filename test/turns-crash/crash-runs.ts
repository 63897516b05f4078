// How often the tests of this folder kill: MOCHI_CRASH_RUNS multiplies it, for a night or after a change of the store.

const multiplier = Number(process.env['MOCHI_CRASH_RUNS'] ?? 1);

/** @param usual what a usual run does */
export function crashRuns(usual: number): number {
  return Math.max(1, Math.round(usual * multiplier));
}

/** Time for so many of them on a machine that has other things to do. */
export function crashTimeout(milliseconds: number): number {
  return Math.max(1, multiplier) * milliseconds;
}
