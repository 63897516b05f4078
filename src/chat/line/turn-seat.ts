// What a turn holds while it runs: a slot, and the engine before work in the background. Both are given back while it
// waits for a person.
import type { Place } from './place.ts';

/** Work in the background does not begin. */
export interface Hold {
  release(): void;
}

interface SeatOptions {
  readonly place: Place;
  /** That the turn has; null: it comes from another process, and waits. */
  readonly hold: Hold | null;
  readonly background: { hold(): Hold };
  /** Aborted when the server stops. */
  readonly closing: AbortSignal;
}

/** Has a lifetime: that of its turn. */
export class TurnSeat {
  readonly #place: Place;
  readonly #background: { hold(): Hold };
  readonly closing: AbortSignal;
  #hold: Hold | null;

  constructor({ place, hold, background, closing }: SeatOptions) {
    this.#place = place;
    this.#hold = hold;
    this.#background = background;
    this.closing = closing;
  }

  get isTaken(): boolean {
    return this.#hold !== null && this.#place.isReady;
  }

  get position(): number {
    return this.#place.position;
  }

  leave(): void {
    this.#place.pause();
    this.release();
  }

  async take(): Promise<void> {
    this.#hold ??= this.#background.hold();
    await this.#place.resume();
  }

  /** Work in the background may go on. */
  release(): void {
    this.#hold?.release();
    this.#hold = null;
  }
}
