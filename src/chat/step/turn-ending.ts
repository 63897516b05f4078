// What belongs to the end of a turn besides its own: what is told before its last words, and stored with them.
import type { TurnEvent } from '../../contract/turn-event.ts';
import type { Db } from '../../store/database.ts';

export interface TurnEnding {
  /** Before the answer or the error. */
  readonly events: readonly TurnEvent[];
  /** In the transaction that ends the turn. */
  readonly store: ((db: Db) => Promise<void>) | null;
}

export const NO_ENDING: TurnEnding = { events: [], store: null };
