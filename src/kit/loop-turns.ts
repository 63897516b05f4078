// Work that waits in line, done between the turns of the event loop: however much there is, sockets and timers are
// looked at in between.
import { setImmediate as nextTurn } from 'node:timers/promises';

/** How long one turn of the loop may go on with such work, in milliseconds; a piece that has begun is finished. */
const TURN_MS = 8;

/** Has a lifetime: that of the line. */
export class LoopTurns {
  /** When work began in this turn of the loop; null: it has not. */
  #begunAt: number | null = null;

  /** Before a piece of work: goes on at once, or in the next turn when this one has worked for long. */
  async ready(): Promise<void> {
    if (this.#begunAt !== null && performance.now() - this.#begunAt > TURN_MS) await nextTurn();
    if (this.#begunAt !== null) return;
    this.#begunAt = performance.now();
    setImmediate(() => {
      this.#begunAt = null;
    });
  }
}
