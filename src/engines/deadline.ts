// A deadline that moves: one timer, restarted at every sign of life.

export interface Deadline {
  /** Starts the wait anew, with this limit from now on. */
  extend(milliseconds: number): void;
  stop(): void;
}

/** Calls `onExpire` once when nobody has extended the deadline in time. */
export function startDeadline(milliseconds: number, onExpire: () => void): Deadline {
  let limit = milliseconds;
  let lastSign = performance.now();
  let timer = setTimeout(check, limit);

  // Moving a timer at every token would cost more than the token: it fires, looks, and waits for the rest.
  function check(): void {
    const left = limit - (performance.now() - lastSign);
    if (left <= 0) onExpire();
    else timer = setTimeout(check, left);
  }

  return {
    extend(newLimit) {
      lastSign = performance.now();
      if (newLimit < limit) {
        clearTimeout(timer);
        timer = setTimeout(check, newLimit);
      }
      limit = newLimit;
    },
    stop: () => clearTimeout(timer),
  };
}
