// A turn while it lives: the log of its events, whoever watches, and the one switch that stops it.
import type { MochiError } from '../contract/errors.ts';
import type { TurnEvent } from '../contract/turn-event.ts';

/** An event with its number within the turn: 1, 2, 3 … */
export interface NumberedEvent {
  readonly id: number;
  readonly event: TurnEvent;
}

/** Has a lifetime: from acceptance to the last event. Watchers come and go without touching the turn. */
export class LiveTurn {
  readonly turnId: string;
  readonly sessionId: string;
  readonly #abort = new AbortController();
  readonly #events: NumberedEvent[] = [];
  readonly #wakers = new Set<() => void>();
  #isFinished = false;

  constructor(turnId: string, sessionId: string) {
    this.turnId = turnId;
    this.sessionId = sessionId;
  }

  /** Aborted when the turn is to stop; its reason says why. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get lastEventId(): number {
    return this.#events.length;
  }

  /** Stops the turn; the first reason holds. */
  stop(reason: MochiError): void {
    if (!this.#isFinished) this.#abort.abort(reason);
  }

  append(events: readonly TurnEvent[]): void {
    for (const event of events) this.#events.push({ id: this.#events.length + 1, event });
    this.#wake();
  }

  /** No event comes after this. */
  finish(): void {
    this.#isFinished = true;
    this.#wake();
  }

  /**
   * The events after number `after`, then those that follow, in batches of what there is. Every watcher
   * sees the same list. Ends after the last event, or when the signal aborts.
   */
  async *watch(after: number, signal: AbortSignal): AsyncGenerator<readonly NumberedEvent[], void> {
    let seen = after;
    let resume: (() => void) | null = null;
    const wake = () => resume?.();
    this.#wakers.add(wake);
    signal.addEventListener('abort', wake);
    try {
      while (!signal.aborted) {
        if (seen < this.#events.length) {
          const batch = this.#events.slice(seen);
          seen = this.#events.length;
          yield batch;
        } else if (this.#isFinished) {
          return;
        } else {
          await new Promise<void>((resolve) => {
            resume = resolve;
          });
        }
      }
    } finally {
      this.#wakers.delete(wake);
      signal.removeEventListener('abort', wake);
    }
  }

  #wake(): void {
    for (const wake of this.#wakers) wake();
  }
}
