// A turn whose driver cannot be reached, as its rows have it: what they say now, whenever it is something new, until it has
// ended or somebody else has it.
import { setTimeout } from 'node:timers/promises';
import type { Turn } from '../../contract/turn.ts';
import type { WatchableTurn } from './live-turn.ts';
import type { ToldEvent } from './turn-log.ts';

export interface RowReader {
  /** The turn as its row is. @throws MochiError turn_not_found */
  describe(turnId: string): Promise<Turn>;
  /** Its state as an event, of one without an end. */
  snapshot(turn: Turn): Promise<ToldEvent>;
  /** One that has ended. */
  openEnded(turn: Turn): Promise<WatchableTurn>;
  /** Who drives it; null: nobody. */
  ownerOf(turnId: string): Promise<string | null>;
}

/** As often as a driver stores what it has. */
const LOOK_MS = 1000;

/** @param turn without an end */
export function followRows(rows: RowReader, turn: Turn): WatchableTurn {
  const { turn_id: turnId, session_id: sessionId } = turn;
  return {
    turnId,
    sessionId,
    lastEventId: turn.last_event_id,
    isFinished: false,
    watcherCount: 1,
    loss: null,
    hold: () => ({ release: () => undefined, end: () => undefined }),
    async *watch(after, signal, reach = 'end') {
      const owner = await rows.ownerOf(turnId);
      let seen = after === 0 ? -1 : after;
      while (!signal.aborted) {
        // Before the turn is read: it has an end then where it has no driver because of that.
        const driver = await rows.ownerOf(turnId);
        const now = await rows.describe(turnId);
        if (now.finished_at !== null) {
          yield* (await rows.openEnded(now)).watch(Math.max(seen, 0), signal, reach);
          return;
        }
        if (now.last_event_id > seen) {
          seen = now.last_event_id;
          yield [await rows.snapshot(now)];
        }
        // Whoever comes back is told by the one who has it now.
        if (reach === 'there' || driver !== owner) return;
        await setTimeout(LOOK_MS, undefined, { signal, ref: false }).catch(() => undefined);
      }
    },
  };
}
