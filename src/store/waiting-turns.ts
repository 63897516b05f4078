// Turns that wait for a person: they outlive the process that began them.
import type { Turn, TurnState } from '../contract/turn.ts';
import { type RunParent, type RunPosition, toParent } from './agent-runs.ts';
import type { Db, TurnTable } from './database.ts';
import { dialectOf } from './dialect/dialect-of.ts';
import { parseStored } from './parse-stored.ts';
import type { Tenure } from './tenure.ts';
import { isSeen, toTurn, turnQuery } from './turns.ts';

/** What another process needs to go on with a turn, written when a round of tools is planned. */
export async function noteTurnSettings(db: Db, turnId: string, settings: object): Promise<void> {
  await db
    .updateTable('turns')
    .set({ settings: JSON.stringify(settings) })
    .where('id', '=', turnId)
    .execute();
}

/** It waits for a person, or goes on. @throws Error when it is in another state: it has ended meanwhile */
export async function moveTurn(
  db: Db,
  turnId: string,
  move: {
    readonly from: TurnState;
    readonly to: Extract<TurnState, 'running' | 'waiting'>;
    readonly lastEventId: number;
  },
): Promise<void> {
  const { numUpdatedRows } = await db
    .updateTable('turns')
    .set({ state: move.to, last_event_id: move.lastEventId })
    .where('id', '=', turnId)
    .where('state', '=', move.from)
    .executeTakeFirst();
  if (numUpdatedRows === 0n) throw new Error(`The turn is ${move.from} no more.`);
}

export interface WaitingTurn {
  readonly turn: Turn;
  /** As they were noted; null: by no version that this one knows. */
  readonly settings: object | null;
  readonly userMessageId: string | null;
  /** Null: no agent works in it. */
  readonly run: WaitingRun | null;
  /** Null: no other server shares the database. */
  readonly tenure: Tenure | null;
}

/** Where a run of an agent is. */
export interface WaitingRun extends RunPosition {
  readonly agentName: string;
  readonly activeMs: number;
  /** Null: a client has started it. */
  readonly parent: RunParent | null;
}

/** Of all sessions, the oldest first. */
export async function listWaitingTurns(db: Db): Promise<WaitingTurn[]> {
  const rows = await turnQuery(db)
    .where('turns.state', '=', 'waiting')
    .where('turns.finished_at', 'is', null)
    .where(isSeen)
    .orderBy('turns.created_at')
    .orderBy(dialectOf(db).order('turns'))
    .execute();
  return rows.map((row) => ({
    turn: toTurn(row),
    settings: row.settings === null ? null : parseStored(row.settings),
    userMessageId: row.user_message_id,
    run: toRun(row),
    tenure: row.owner == null ? null : { owner: row.owner, epoch: row.epoch ?? 0 },
  }));
}

function toRun(row: TurnTable): WaitingRun | null {
  const { agent_name: agentName, phase, round, active_ms: activeMs } = row;
  if (agentName === null || phase === null) return null;
  return { agentName, phase, round: round ?? 0, activeMs: activeMs ?? 0, parent: toParent(row) };
}
