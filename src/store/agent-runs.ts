// Turns that are runs of agents: what they add to a turn, and who started them.
import { sql } from 'kysely';
import type { DescribedTurn, Turn } from '../contract/turn.ts';

import type { Db, TurnTable } from './database.ts';
import { listUndecided } from './undecided.ts';

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
  const ids = sql<boolean>`in (select value from json_each(${JSON.stringify(turns.map(({ turn_id: id }) => id))}))`;
  const own = await db
    .selectFrom('turns')
    .select(['id', 'agent_name', 'phase', 'round', 'parent_turn_id'])
    .where(sql<boolean>`id ${ids}`)
    .execute();
  const started = await db
    .selectFrom('turns')
    .select(['id', 'session_id', 'state', 'agent_name', 'phase', 'round', 'parent_turn_id'])
    .where(sql<boolean>`parent_turn_id ${ids}`)
    .where(sql<boolean>`exists (select 1 from sessions where sessions.id = turns.session_id)`)
    .orderBy('created_at')
    .orderBy('id')
    .execute();
  const approvals = await listUndecided(
    db,
    turns.map(({ turn_id: id }) => id),
  );
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
