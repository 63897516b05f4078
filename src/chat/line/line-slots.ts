// The slots of one engine and what it loads, for the calls of this server, where other servers ask that engine as well.
import { setTimeout } from 'node:timers/promises';
import { Bell } from '../../kit/bell.ts';
import type { Log } from '../../kit/log.ts';
import {
  keepSlots,
  leaveSlots,
  SLOT_LOOK_MS,
  type SlotLine,
  stopWaitingForSlot,
  takeSlots,
  waitForSlot,
} from '../../store/engine-slots.ts';

/** Calls of this server that could be sent, if there were slots. */
export interface WaitingCalls {
  readonly count: number;
  /** When the first of them came, by the clock. */
  readonly since: number;
}

export interface LineSlotsOptions {
  readonly of: SlotLine;
  readonly log: Log;
  readonly clock: () => number;
  /** Rings when a slot may be free. */
  readonly bell: Bell;
  readonly closed: AbortSignal;
  /** Null: none. */
  readonly waiting: () => WaitingCalls | null;
  /** There are slots to be taken. */
  readonly onFree: () => void;
}

/** Has a lifetime: that of the line. */
export class LineSlots {
  readonly #options: LineSlotsOptions;
  /** Those of this server, of which so many are used. */
  readonly #held: number[] = [];
  #used = 0;
  readonly #leaving: number[] = [];
  #isSettling = false;
  readonly #looked = new Bell();
  /** Whether others see that calls wait here. */
  #isListed = false;
  #isForgotten = false;

  constructor(options: LineSlotsOptions) {
    this.#options = options;
  }

  /** For one call. @returns false: there is none yet, and it is asked for */
  take(): boolean {
    if (this.#used < this.#held.length) {
      this.#used += 1;
      return true;
    }
    this.#settle();
    return false;
  }

  /** Resolves when it was found out whether there is a slot for those who wait now. */
  get looked(): Promise<void> {
    return this.#isListed ? Promise.resolve() : this.#looked.rung;
  }

  /** A call has ended: whoever has waited longest is next, here or elsewhere. */
  release(): void {
    this.#used -= 1;
    const [slot] = this.#held.splice(-1);
    if (slot === undefined) return;
    this.#leaving.push(slot);
    // Whoever waits for one that others leave has this one to deal with first.
    this.#options.bell.ring();
    this.#settle();
  }

  /** The database may know of others than those that this server has, and not have told what was free. */
  recall(): void {
    this.#isForgotten = true;
    this.#options.bell.ring();
    this.#settle();
  }

  #settle(): void {
    if (this.#isSettling) return;
    this.#isSettling = true;
    void this.#settleAll();
  }

  /** Never throws. */
  async #settleAll(): Promise<void> {
    const { log, closed, waiting } = this.#options;
    let isOver = false;
    while (!isOver && !closed.aborted) {
      try {
        isOver = await this.#step();
      } catch (error) {
        // What was asked for may have been given all the same.
        this.#isForgotten = true;
        log.debug(
          { err: error },
          'the slots of the engine could not be asked for or given back: tried again',
        );
        await this.#pause(this.#options.bell.rung);
      }
    }
    this.#isSettling = false;
    // Somebody may have come since the last step looked.
    const isDue = this.#isForgotten || this.#leaving.length > 0 || waiting() !== null;
    if (isDue && !closed.aborted) this.#settle();
  }

  /** @returns whether nothing is left to do */
  async #step(): Promise<boolean> {
    const { of, clock, bell, waiting, onFree } = this.#options;
    if (this.#isForgotten) {
      await this.#sayAgain();
      return false;
    }
    const unused = [...this.#leaving.splice(0), ...this.#held.splice(this.#used)];
    if (unused.length > 0) {
      await this.#giveBack(unused);
      return false;
    }
    const calls = waiting();
    if (calls === null) return this.#unlist();
    const { rung } = bell;
    const waitedMs = clock() - calls.since;
    if (this.#isListed) await waitForSlot(of, waitedMs);
    const slots = await takeSlots(of, { count: calls.count, waitedMs: this.#isListed ? waitedMs : null });
    if (slots.length > 0) {
      this.#isListed = false;
      this.#held.push(...slots);
      onFree();
    }
    this.#looked.ring();
    if (slots.length > 0) return false;
    if (this.#isListed) {
      await this.#pause(rung);
    } else {
      // Whoever leaves one from now on tells it; one that was left before is found by the next look.
      await waitForSlot(of, waitedMs);
      this.#isListed = true;
    }
    return false;
  }

  async #sayAgain(): Promise<void> {
    this.#isForgotten = false;
    const moved = await keepSlots(this.#options.of, [...this.#held, ...this.#leaving], false);
    // Some may have been left meanwhile.
    for (const slots of [this.#held, this.#leaving])
      for (const [index, slot] of slots.entries()) slots[index] = moved.get(slot) ?? slot;
  }

  /** Where the database is away they serve those who wait here. */
  async #giveBack(slots: readonly number[]): Promise<void> {
    const { of, onFree } = this.#options;
    try {
      await leaveSlots(of, slots);
    } catch (error) {
      this.#held.push(...slots);
      onFree();
      throw error;
    }
  }

  async #unlist(): Promise<boolean> {
    if (!this.#isListed) return true;
    await stopWaitingForSlot(this.#options.of);
    this.#isListed = false;
    return false;
  }

  async #pause(rung: Promise<void>): Promise<void> {
    const heard = new AbortController();
    const signal = AbortSignal.any([heard.signal, this.#options.closed]);
    const look = setTimeout(SLOT_LOOK_MS, undefined, { ref: false, signal }).catch(() => undefined);
    await Promise.race([rung, look]);
    heard.abort();
  }
}
