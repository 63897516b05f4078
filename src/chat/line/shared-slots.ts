// How many calls of one model an engine gets at once, where several servers on one database ask it: all together as many
// as one of them alone would send.
import { Bell } from '../../kit/bell.ts';
import type { Log } from '../../kit/log.ts';
import type { Db } from '../../store/database.ts';
import { readSlotNews, type SlotLine } from '../../store/engine-slots.ts';
import { LineSlots, type WaitingCalls } from './line-slots.ts';
import { type SpareOptions, SpareSlots } from './spare-slots.ts';
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
  /** For calls in the background. */
  readonly spare: SpareSlots;
  slots: LineSlots | null;
}

interface LineDoors {
  /** Calls of this server that could be sent; null: none. */
  readonly waiting: () => WaitingCalls | null;
  /** There are slots to be taken. */
  readonly onFree: () => void;
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
  takeSpare(weights: string, options: SpareOptions): Promise<Hold> {
    return this.#lineOf(weights).spare.take(options);
  }

  /** What another server has told, or this one itself. */
  hear(payload: string): void {
    const told = readSlotNews(payload);
    const line = told && this.#lines.get(told.line);
    if (!line) return;
    if (told.isWanted) line.spare.giveUp();
    else line.bell.ring();
  }

  /** Something may not have been heard, and the database may have been started anew. */
  recall(): void {
    for (const line of this.#lines.values()) {
      line.slots?.recall();
      line.spare.recall();
      line.bell.ring();
    }
  }

  /** What it has may be others' in a moment: what nobody waits for ends. */
  giveUpSpare(): void {
    for (const { spare } of this.#lines.values()) spare.giveUp();
  }

  /** What it has is free when the server has left. */
  close(): void {
    this.#closed.abort();
  }

  #lineOf(weights: string): Line {
    const { db, engine, owner, limit } = this.#sharing;
    const name = `${engine} ${weights}`;
    const known = this.#lines.get(name);
    if (known !== undefined) return known;
    const of = { db, line: name, owner, limit };
    const bell = new Bell();
    const line = { of, bell, spare: new SpareSlots(of, bell, this.#closed.signal), slots: null };
    this.#lines.set(name, line);
    return line;
  }
}
