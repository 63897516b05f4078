// Models that fail at what is asked of them in the background: each is left alone for a while, longer each time.

/** Pauses after the first failure in a row, the second …; after one more, a model is not tried again. */
export const PAUSES_MS: readonly number[] = [5000, 30_000, 180_000];

/** Has a lifetime: that of the background work. A restart forgets it. */
export class ModelRests {
  readonly #pausesMs: readonly number[];
  /** Only models that have failed last. */
  readonly #failed = new Map<string, { readonly failures: number; readonly until: number }>();

  constructor(pausesMs: readonly number[]) {
    this.#pausesMs = pausesMs;
  }

  /** @returns for how long it rests, in milliseconds; infinity: until another model has answered */
  fail(model: string): number {
    const failures = (this.#failed.get(model)?.failures ?? 0) + 1;
    const pauseMs = this.#pausesMs[failures - 1] ?? Number.POSITIVE_INFINITY;
    this.#failed.set(model, { failures, until: performance.now() + pauseMs });
    return pauseMs;
  }

  succeed(model: string): void {
    this.#failed.delete(model);
  }

  /** A client has had an answer of a model: any other that was given up may show once more what it can. */
  answered(model: string): void {
    for (const [name, { failures, until }] of this.#failed) {
      if (name === model || until !== Number.POSITIVE_INFINITY) continue;
      this.#failed.set(name, { failures: failures - 1, until: 0 });
    }
  }

  /** Who is not to be asked now, and in how many milliseconds the first of them may be; null: none will by waiting. */
  resting(): { readonly models: readonly string[]; readonly nextMs: number | null } {
    const now = performance.now();
    const resting = Array.from(this.#failed).filter(([, { until }]) => until > now);
    const next = Math.min(...resting.map(([, { until }]) => until - now));
    return { models: resting.map(([model]) => model), nextMs: Number.isFinite(next) ? next : null };
  }
}
