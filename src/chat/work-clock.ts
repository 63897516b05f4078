// How long an agent has worked: waiting for people and in lines does not count.
import type { TurnEvent } from '../contract/turn-event.ts';

/** Has a lifetime: that of a run in this process. */
export class WorkClock {
  #spentMs: number;
  /** Null: it stands still. */
  #since: number | null = performance.now();

  /** @param spentMs in processes before */
  constructor(spentMs: number) {
    this.#spentMs = spentMs;
  }

  get activeMs(): number {
    const running = this.#since === null ? 0 : performance.now() - this.#since;
    return Math.round(this.#spentMs + running);
  }

  /** Whatever the run tells. */
  hear(event: TurnEvent): void {
    if (event.event !== 'status') return;
    const { phase } = event.data;
    const waits = phase === 'queued' || phase === 'waiting_for_engine' || phase === 'waiting_for_approval';
    if (waits && this.#since !== null) {
      this.#spentMs += performance.now() - this.#since;
      this.#since = null;
    } else if (!waits) {
      this.#since ??= performance.now();
    }
  }
}
