// A background job that runs, and whether it is stopped when a turn of a client arrives.
import type { Job } from '../store/background-jobs.ts';

/**
 * What stopping costs whoever comes: an engine that writes is free about so long after its connection has closed, and
 * the work has to be done anew. Each disconnect is a risk for engines as well. Milliseconds.
 */
const STOP_COST_MS = 100;

/** Has a lifetime: that of the job. */
export class RunningJob {
  readonly job: Job;
  readonly #abort = new AbortController();
  /** How long its answer takes at most. */
  #leftMs = Number.POSITIVE_INFINITY;
  #grace: NodeJS.Timeout | null = null;

  constructor(job: Job) {
    this.job = job;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** A client has come: it stops at once, unless it ends sooner by itself. */
  giveWay(): void {
    if (this.#leftMs > STOP_COST_MS) this.stop();
    else this.#grace ??= setTimeout(() => this.stop(), STOP_COST_MS).unref();
  }

  /** How long the answer that is being written takes at most. */
  noteLeft(leftMs: number): void {
    this.#leftMs = leftMs;
    if (this.#grace !== null && leftMs > STOP_COST_MS) this.stop();
  }

  stop(): void {
    this.#abort.abort();
  }

  /** It is over. */
  end(): void {
    if (this.#grace !== null) clearTimeout(this.#grace);
  }
}
