// How many calls of one model an engine gets at once, where several servers on one database ask it: all together as many
// as one of them alone would send.
import { setTimeout } from 'node:timers/promises';
import { Bell } from '../../kit/bell.ts';
import type { Log } from '../../kit/log.ts';
import { unlessAborted } from '../../kit/unless-aborted.ts';
import type { Db } from '../../store/database.ts';
import {
  keepSlots,
  leaveSlots,
  readSlotNews,
  SLOT_LOOK_MS,
  type SlotLine,
  takeSpareSlot,
} from '../../store/engine-slots.ts';
import { LineSlots, type WaitingCalls } from './line-slots.ts';
import type { Hold } from './turn-seat.ts';

interface Sharing {
  readonly db: Db;
  readonly log: Log;
  /** Names the engine, for whichever server asks it. */
  readonly engine: string;
  /** How many the engine answers at once, as the operator says. */
  readonly limit: number;
  /** Names this server. */
  readonly owner: string;
  /** In milliseconds. */
  readonly clock: () => number;
}

interface Line {
  readonly of: SlotLine;
  readonly bell: Bell;
  /** Slots of calls in the background, and who is told when others want one. */
  readonly spare: Map<number, () => void>;
  slots: LineSlots | null;
}

interface LineDoors {
  /** Calls of this server that could be sent; null: none. */
  readonly waiting: () => WaitingCalls | null;
  /** There are slots to be taken. */
  readonly onFree: () => void;
}

export interface SpareOptions {
  readonly signal: AbortSignal;
  /** Somebody waits for the slot. */
  readonly onWanted: () => void;
}

/** Has a lifetime: that of the server. */
export class SharedSlots {
  readonly #sharing: Sharing;
  readonly #lines = new Map<string, Line>();
  readonly #closed = new AbortController();

  constructor(sharing: Sharing) {
    this.#sharing = sharing;
  }

  /** Of what the engine loads. Once. */
  open(weights: string, doors: LineDoors): LineSlots {
    const { log, clock } = this.#sharing;
    const line = this.#lineOf(weights);
    const { of, bell } = line;
    line.slots = new LineSlots({ ...doors, of, bell, log, clock, closed: this.#closed.signal });
    return line.slots;
  }

  /** For a call that nobody waits for: when there is a slot that nobody wants. @throws the reason of the abort */
  async takeSpare(weights: string, { signal, onWanted }: SpareOptions): Promise<Hold> {
    const line = this.#lineOf(weights);
    for (;;) {
      const { rung } = line.bell;
      const slot = await takeSpareSlot(line.of);
      if (slot !== null) {
        line.spare.set(slot, onWanted);
        return {
          release: () => {
            line.spare.delete(slot);
            this.#leave(line, slot);
          },
        };
      }
      const look = setTimeout(SLOT_LOOK_MS, undefined, { ref: false });
      await unlessAborted(Promise.race([rung, look]), AbortSignal.any([signal, this.#closed.signal]));
    }
  }

  /** What another server has told, or this one itself. */
  hear(payload: string): void {
    const told = readSlotNews(payload);
    const line = told && this.#lines.get(told.line);
    if (!line) return;
    if (told.isWanted) for (const onWanted of line.spare.values()) onWanted();
    else line.bell.ring();
  }

  /** Something may not have been heard, and the database may have been started anew. */
  recall(): void {
    for (const line of this.#lines.values()) {
      line.slots?.recall();
      line.bell.ring();
      void this.#saySpareAgain(line);
    }
  }

  /** What it has is free when the server has left. */
  close(): void {
    this.#closed.abort();
  }

  /** Until the database has heard it. Never throws. */
  async #saySpareAgain({ of, spare }: Line): Promise<void> {
    while (spare.size > 0 && !this.#closed.signal.aborted) {
      try {
        return await keepSlots(of, [...spare.keys()], true);
      } catch {
        await setTimeout(SLOT_LOOK_MS, undefined, { ref: false });
      }
    }
  }

  #leave(line: Line, slot: number): void {
    if (line.slots !== null) return line.slots.leave(slot);
    leaveSlots(line.of, [slot]).catch((error: unknown) => {
      this.#sharing.log.debug({ err: error }, 'a slot of the engine could not be given back');
    });
  }

  #lineOf(weights: string): Line {
    const { db, engine, owner, limit } = this.#sharing;
    const name = `${engine} ${weights}`;
    const line = this.#lines.get(name) ?? {
      of: { db, line: name, owner, limit },
      bell: new Bell(),
      spare: new Map(),
      slots: null,
    };
    this.#lines.set(name, line);
    return line;
  }
}
