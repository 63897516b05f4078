// One timer for whatever is over next.
import { instantNow } from '../kit/clock.ts';

/** A timer holds no longer; it is set anew then. */
const LONGEST_MS = 3_600_000;

/** Has a lifetime: until `close`. */
export class ExpiryTimer {
  readonly #onDue: () => void;
  #timer: NodeJS.Timeout | null = null;
  #isClosed = false;

  /** @param onDue something is due, or may be soon */
  constructor(onDue: () => void) {
    this.#onDue = onDue;
  }

  /** @param instant ISO 8601; null: nothing is ever over */
  set(instant: string | null): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (instant === null || this.#isClosed) return;
    // Rounded up: what is looked at too early would be looked at again.
    const wait = Math.min(Math.max(Date.parse(instant) - instantNow() + 1, 0), LONGEST_MS);
    this.#timer = setTimeout(this.#onDue, wait).unref();
  }

  close(): void {
    this.#isClosed = true;
    this.set(null);
  }
}
