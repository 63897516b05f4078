// A deadline that moves: one timer, restarted at every sign of life.

export interface Deadline {
  /** Starts the wait anew, with this limit from now on. */
  extend(milliseconds: number): void;
  stop(): void;
}

/** Calls `onExpire` once when nobody has extended the deadline in time. */
export function startDeadline(milliseconds: number, onExpire: () => void): Deadline {
  return new MovingDeadline(milliseconds, onExpire);
}

/** Has a lifetime: until it is stopped or has expired. */
class MovingDeadline implements Deadline {
  readonly #onExpire: () => void;
  #limit: number;
  #lastSign = performance.now();
  #timer: NodeJS.Timeout;

  constructor(limit: number, onExpire: () => void) {
    this.#onExpire = onExpire;
    this.#limit = limit;
    this.#timer = setTimeout(look, limit, this);
  }

  extend(limit: number): void {
    this.#lastSign = performance.now();
    if (limit < this.#limit) this.#wait(limit);
    this.#limit = limit;
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  /** Moving a timer at every token would cost more than the token: it fires, looks, and waits for the rest. */
  look(): void {
    const left = this.#limit - (performance.now() - this.#lastSign);
    if (left <= 0) this.#onExpire();
    else this.#wait(left);
  }

  #wait(milliseconds: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(look, milliseconds, this);
  }
}

function look(deadline: MovingDeadline): void {
  deadline.look();
}
