// Turns that are runs of agents: what they add to a turn, and who started them.
import { sql } from 'kysely';
import type { AgentPhase, DescribedTurn, Turn } from '../contract/turn.ts';
import type { Db, TurnTable } from './database.ts';
import { dialectOf } from './dialect/dialect-of.ts';
import { listUndecided } from './undecided.ts';

/** The call of `agent` that starts a run. */
export interface RunParent {
  readonly turnId: string;
  readonly sessionId: string;
  readonly messageId: string;
  readonly callIndex: number;
}

/** The call that has started a run. */
export function toParent(
  row: Pick<TurnTable, 'parent_turn_id' | 'parent_session_id' | 'parent_message_id' | 'parent_call_index'>,
): RunParent | null {
  const {
    parent_turn_id: turnId,
    parent_session_id: sessionId,
    parent_message_id: messageId,
    parent_call_index: callIndex,
  } = row;
  if (turnId === null || sessionId === null || messageId === null || callIndex === null) return null;
  return { turnId, sessionId, messageId, callIndex };
}

export interface NewRun {
  readonly agentName: string;
  readonly phase: AgentPhase;
  /** Null: a client talks to the agent itself. */
  readonly parent: RunParent | null;
}

/** The columns of a run that begins. @param run null: no agent works in the turn */
export function runColumns(run: NewRun | null) {
  if (run === null) return NO_RUN;
  const { agentName, phase, parent } = run;
  return {
    agent_name: agentName,
    phase,
    round: 0,
    active_ms: 0,
    tokens: 0,
    parent_turn_id: parent?.turnId ?? null,
    parent_session_id: parent?.sessionId ?? null,
    parent_message_id: parent?.messageId ?? null,
    parent_call_index: parent?.callIndex ?? null,
  };
}

/** Of a turn in which no agent works. */
export const NO_RUN = {
  agent_name: null,
  phase: null,
  round: null,
  active_ms: null,
  tokens: null,
  parent_turn_id: null,
  parent_session_id: null,
  parent_message_id: null,
  parent_call_index: null,
} as const satisfies Partial<TurnTable>;

/** The turn whose call began a chat; null where no turn did. */
export async function findFirstParent(db: Db, chatId: string): Promise<string | null> {
  const row = await db
    .selectFrom('turns')
    .select('parent_turn_id')
    .where('session_id', '=', chatId)
    .orderBy('created_at')
    .orderBy('id')
    .limit(1)
    .executeTakeFirst();
  return row?.parent_turn_id ?? null;
}

/** Turns with their places among runs of agents. */
export async function describeRuns(db: Db, turns: readonly Turn[]): Promise<DescribedTurn[]> {
  const ids = turns.map(({ turn_id: id }) => id);
  const { isAmong } = dialectOf(db);
  const own = await db
    .selectFrom('turns')
    .select(['id', 'agent_name', 'phase', 'round', 'parent_turn_id'])
    .where(isAmong('id', ids))
    .execute();
  const started = await db
    .selectFrom('turns')
    .select(['id', 'session_id', 'state', 'agent_name', 'phase', 'round', 'parent_turn_id'])
    .where(isAmong('parent_turn_id', ids))
    .where(sql<boolean>`exists (select 1 from sessions where sessions.id = turns.session_id)`)
    .orderBy('created_at')
    .orderBy('id')
    .execute();
  const approvals = await listUndecided(db, ids);
  const places = new Map(own.map(({ id, ...place }) => [id, place]));
  const runs = Map.groupBy(started, ({ parent_turn_id: parent }) => parent);
  return turns.map((turn) => ({
    ...turn,
    ...(places.get(turn.turn_id) ?? NO_PLACE),
    agent_turns: (runs.get(turn.turn_id) ?? []).map(({ id, parent_turn_id: _parent, ...run }) => ({
      turn_id: id,
      ...run,
    })),
    approvals: approvals.get(turn.turn_id) ?? [],
  }));
}

/** Of a turn that is gone by now. */
const NO_PLACE = { agent_name: null, phase: null, round: null, parent_turn_id: null };

/** Where a run is. */
export interface RunPosition {
  readonly phase: AgentPhase;
  readonly round: number;
}

/** It goes on with the next step, once the one before has been stored. @throws Error when it is somewhere else */
export async function moveRun(
  db: Db,
  turnId: string,
  move: {
    /** Null: it begins. */
    readonly from: RunPosition | null;
    readonly to: RunPosition;
    /** So far, in milliseconds. */
    readonly activeMs: number;
    readonly tokens: number;
  },
): Promise<void> {
  const { from, to, activeMs, tokens } = move;
  let query = db
    .updateTable('turns')
    .set({ phase: to.phase, round: to.round, active_ms: activeMs, tokens })
    .where('id', '=', turnId);
  if (from !== null) query = query.where('phase', '=', from.phase).where('round', '=', from.round);
  const { numUpdatedRows } = await query.executeTakeFirst();
  if (numUpdatedRows === 0n) throw new Error('The run is not where it was.');
}
