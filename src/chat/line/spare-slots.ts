// The slots of one engine and what it loads, for calls of this server that nobody waits for, where other servers ask that
// engine as well.
import { setTimeout } from 'node:timers/promises';
import type { Bell } from '../../kit/bell.ts';
import { unlessAborted } from '../../kit/unless-aborted.ts';
import {
  keepSlots,
  leaveSlots,
  SLOT_LOOK_MS,
  type SlotLine,
  takeSpareSlot,
} from '../../store/engine-slots.ts';
import type { Hold } from './turn-seat.ts';

export interface SpareOptions {
  readonly signal: AbortSignal;
  /** The slot is to be given back. */
  readonly onWanted: () => void;
}

interface Spare {
  slot: number;
  readonly onWanted: () => void;
}

/** Has a lifetime: that of the line. */
export class SpareSlots {
  readonly #of: SlotLine;
  readonly #bell: Bell;
  readonly #closed: AbortSignal;
  readonly #held = new Set<Spare>();
  /** One after the other: what is said again is what it has at that moment. */
  #asking: Promise<unknown> = Promise.resolve();

  /** @param bell rings when a slot may be free */
  constructor(of: SlotLine, bell: Bell, closed: AbortSignal) {
    this.#of = of;
    this.#bell = bell;
    this.#closed = closed;
  }

  /** When there is a slot that nobody wants. @throws the reason of the abort; what the store throws */
  async take({ signal, onWanted }: SpareOptions): Promise<Hold> {
    for (;;) {
      const { rung } = this.#bell;
      const spare = await this.#next(() => this.#tryToTake(onWanted));
      if (spare !== null) return { release: () => this.#leave(spare) };
      const look = setTimeout(SLOT_LOOK_MS, undefined, { ref: false });
      await unlessAborted(Promise.race([rung, look]), AbortSignal.any([signal, this.#closed]));
    }
  }

  /** Whoever has one gives it back. */
  giveUp(): void {
    for (const { onWanted } of this.#held) onWanted();
  }

  /** The database may know of others than those that it has. */
  recall(): void {
    void this.#untilHeard(async () => {
      const moved = await keepSlots(
        this.#of,
        [...this.#held].map(({ slot }) => slot),
        true,
      );
      for (const spare of this.#held) spare.slot = moved.get(spare.slot) ?? spare.slot;
    });
  }

  async #tryToTake(onWanted: () => void): Promise<Spare | null> {
    try {
      const slot = await takeSpareSlot(this.#of);
      if (slot === null) return null;
      const spare = { slot, onWanted };
      this.#held.add(spare);
      return spare;
    } catch (error) {
      // It may have got one all the same.
      this.recall();
      throw error;
    }
  }

  #leave(spare: Spare): void {
    this.#held.delete(spare);
    void this.#untilHeard(async () => {
      await leaveSlots(this.#of, [spare.slot]);
      this.#bell.ring();
    });
  }

  /** Never throws: what the database has not heard it would keep for as long as this server lives. */
  #untilHeard(say: () => Promise<void>): Promise<void> {
    return this.#next(async () => {
      while (!this.#closed.aborted) {
        try {
          return await say();
        } catch {
          await setTimeout(SLOT_LOOK_MS, undefined, { ref: false });
        }
      }
    });
  }

  #next<T>(ask: () => Promise<T>): Promise<T> {
    const asked = this.#asking.then(ask);
    this.#asking = asked.catch(() => undefined);
    return asked;
  }
}
