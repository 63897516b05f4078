// How long a call may take: counted anew with each progress, bounded over all, and standing still while a person is asked.

/** Has a lifetime: that of the call. */
export class CallDeadline {
  readonly #over = new AbortController();
  readonly #periodMs: number;
  /** Until this period is over, and until the call is. */
  #periodLeft: number;
  #totalLeft: number;
  #runsSince = 0;
  #pauses = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(limits: { readonly periodMs: number; readonly totalMs: number }) {
    this.#periodMs = limits.periodMs;
    this.#periodLeft = limits.periodMs;
    this.#totalLeft = limits.totalMs;
    this.#run();
  }

  /** Aborted when time is over. */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  /** There is progress. */
  renew(): void {
    this.#stop();
    this.#periodLeft = this.#periodMs;
    this.#run();
  }

  /** @returns what lets it go on */
  pause(): () => void {
    this.#stop();
    this.#pauses += 1;
    return () => {
      this.#pauses -= 1;
      this.#run();
    };
  }

  close(): void {
    this.#pauses += 1;
    clearTimeout(this.#timer);
  }

  #run(): void {
    if (this.#pauses > 0) return;
    this.#runsSince = performance.now();
    const left = Math.max(Math.min(this.#periodLeft, this.#totalLeft), 0);
    this.#timer = setTimeout(() => this.#over.abort(), left);
  }

  #stop(): void {
    if (this.#pauses > 0) return;
    clearTimeout(this.#timer);
    const ran = performance.now() - this.#runsSince;
    this.#periodLeft -= ran;
    this.#totalLeft -= ran;
  }
}
