// Turns that another server has left, as whoever takes them needs them.
import type { Db } from './database.ts';
import { dialectOf } from './dialect/dialect-of.ts';
import { parseStored } from './parse-stored.ts';
import type { CancelReason } from './turn-owners.ts';
import type { QueuedMessage } from './turns.ts';

export interface LeftTurn {
  readonly turnId: string;
  readonly sessionId: string;
  readonly createdAt: string;
  readonly state: 'queued' | 'running' | 'waiting';
  /** Of one that has not begun. */
  readonly message: QueuedMessage | null;
  readonly userMessageId: string | null;
  /** Of its answer; null: nothing of that is there. */
  readonly messageId: string | null;
  readonly lastEventId: number;
  readonly settings: object | null;
  readonly isRun: boolean;
  /** The turn in which the agent was started; null: none. */
  readonly parentTurnId: string | null;
  /** Why somebody wants it to stop, who was told that it will; null: nobody does. */
  readonly wanted: CancelReason | null;
}

/** Those of them that have no end, in the order of the lines of their sessions. */
export async function listLeftTurns(db: Db, turnIds: readonly string[]): Promise<LeftTurn[]> {
  const rows = await db
    .selectFrom('turns')
    .selectAll()
    .where(dialectOf(db).isAmong('id', turnIds))
    .where('finished_at', 'is', null)
    .orderBy('rank', 'desc')
    .orderBy('seq')
    .execute();
  return rows.map((row) => ({
    turnId: row.id,
    sessionId: row.session_id,
    createdAt: row.created_at,
    state: row.state as LeftTurn['state'],
    message: row.request === null ? null : parseStored(row.request),
    userMessageId: row.user_message_id,
    messageId: row.message_id,
    lastEventId: row.last_event_id,
    settings: row.settings === null ? null : parseStored(row.settings),
    isRun: row.agent_name !== null,
    parentTurnId: row.parent_turn_id,
    wanted: row.cancel_reason as CancelReason | null,
  }));
}
