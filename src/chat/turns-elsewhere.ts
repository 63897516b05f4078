// Turns that other servers on the database drive, or nobody yet: they are watched, asked to stop, and waited for.
import { setTimeout } from 'node:timers/promises';
import type { Turn } from '../contract/turn.ts';
import type { Db } from '../store/database.ts';
import { type LinedTurn, readSharedLine } from '../store/shared-line.ts';
import { type CancelReason, findOtherOwner, listUnended, wantCancelled } from '../store/turn-owners.ts';
import type { WatchableTurn } from './watch/live-turn.ts';
import { type OtherTurnDoors, OtherTurns } from './watch/other-turns.ts';
import { createRowReader } from './watch/read-rows.ts';
import type { StoredTurns } from './watch/replay-turn.ts';

interface Doors {
  readonly db: Db;
  /** Aborted when the server stops. */
  readonly closing: AbortController;
  /** What another server tells of a turn that it drives. */
  readonly followElsewhere: OtherTurnDoors['follow'];
}

/** How often it is looked whether one has ended that was asked to stop. */
const LOOK_MS = 100;

/** Has a lifetime: that of the server. */
export class TurnsElsewhere {
  readonly #doors: Doors;
  readonly #others: OtherTurns;

  constructor(doors: Doors, stored: StoredTurns) {
    this.#doors = doors;
    this.#others = new OtherTurns({
      ...createRowReader(doors.db, stored),
      follow: doors.followElsewhere,
      cancel: (turnId) => this.stop([turnId], { reason: 'cancelled', isToWait: false }),
    });
  }

  /** @returns null: no other server drives it */
  async open(turn: Turn): Promise<WatchableTurn | null> {
    if (turn.finished_at !== null) return null;
    return (await findOtherOwner(this.#doors.db, turn.turn_id)) === null ? null : this.#others.open(turn);
  }

  /** The turn that holds a session there; null: none does. */
  async holderOf(sessionId: string): Promise<LinedTurn | null> {
    const line = await readSharedLine(this.#doors.db, sessionId);
    return line?.find(({ isMine }) => !isMine) ?? null;
  }

  /** Those whose server is gone are taken by another one, which ends them. */
  async stop(
    turnIds: readonly string[],
    { reason, isToWait }: { readonly reason: CancelReason; readonly isToWait: boolean },
  ): Promise<void> {
    const { db, closing } = this.#doors;
    for (const turnId of turnIds) await wantCancelled(db, turnId, reason);
    const { signal } = closing;
    if (!isToWait) return;
    while (!signal.aborted && (await listUnended(db, turnIds)).length > 0) {
      await setTimeout(LOOK_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Nothing of these sessions goes on there. */
  async stopSessions(sessionIds: readonly string[]): Promise<void> {
    for (const sessionId of sessionIds) {
      const line = (await readSharedLine(this.#doors.db, sessionId)) ?? [];
      if (line.length === 0) continue;
      await this.stop(
        line.map(({ id }) => id),
        { reason: 'deleted', isToWait: true },
      );
    }
  }
}
