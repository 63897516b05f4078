// How many chats of one model the engine answers at once, from what it was seen to do.

interface ParallelismOptions {
  /** What the operator says, or the engine; null: to be learned. */
  readonly fixed: number | null;
  /** In milliseconds. */
  readonly clock: () => number;
}

export interface Parallelism {
  /** Surely as many. */
  least(): number;
  /** No more than these are asked for at once; endless until one was seen to wait. */
  most(): number;
  /** So many answers were under way at the same time. */
  noteAtOnce(count: number): void;
  /** An answer came after the engine had let it wait. */
  noteWait(wait: {
    /** Calls of ours that were with the engine already. */
    readonly ahead: number;
    /** As the engine counted. */
    readonly waitedMs: number;
    /** From its sending to the end of the first of those, as we counted. */
    readonly silence: number;
  }): void;
}

/** A shorter silence says nothing: sending takes some time as well. Milliseconds. */
const MIN_SILENCE_MS = 20;
/** After this time one more is tried: what was learned may have been another program's doing. Milliseconds. */
const TRUSTED_MS = 5 * 60_000;

export function createParallelism({ fixed, clock }: ParallelismOptions): Parallelism {
  let least = 1;
  let most: number | null = null;
  let triedAt = Number.NEGATIVE_INFINITY;
  return {
    least: () => fixed ?? least,
    most() {
      if (fixed !== null) return fixed;
      if (most === null) return Number.POSITIVE_INFINITY;
      return clock() - triedAt > TRUSTED_MS ? most + 1 : most;
    },
    noteAtOnce(count) {
      least = Math.max(least, count);
      if (most === null || count <= most) return;
      most = count;
      // There may be room for still more.
      triedAt = Number.NEGATIVE_INFINITY;
    },
    noteWait({ ahead, waitedMs, silence }) {
      // It waited for the end of another one, and did not only take long to read its prompt.
      if (ahead === 0 || silence < MIN_SILENCE_MS || waitedMs < silence / 2) return;
      most = Math.min(most ?? ahead, ahead);
      least = Math.min(least, most);
      triedAt = clock();
    },
  };
}
