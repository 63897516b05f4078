// How sessions and turns stand that were changed: what a list shows of them, and nothing that was said.
import { sql } from 'kysely';
import type { TurnState } from '../contract/turn.ts';
import type { Db } from './database.ts';
import { dialectOf } from './dialect/dialect-of.ts';
import { activeTurn } from './sessions.ts';

export interface ListedSession {
  readonly session_id: string;
  readonly title: string | null;
  readonly updated_at: string;
  readonly message_count: number;
  readonly active_turn: string | null;
}

/** Those of the sessions that are there, in no order. */
export async function findListedSessions(db: Db, ids: readonly string[]): Promise<ListedSession[]> {
  return db
    .selectFrom('sessions')
    .select([
      'id as session_id',
      'title',
      'updated_at',
      sql<number>`head_depth + case when system_id is null then 1 else 2 end`.as('message_count'),
      activeTurn(db),
    ])
    .where(dialectOf(db).isAmong('id', ids))
    .execute();
}

export interface ListedTurn {
  readonly turn_id: string;
  readonly session_id: string;
  readonly state: TurnState;
}

/** Those of the turns whose session is there, in no order. */
export async function findListedTurns(db: Db, ids: readonly string[]): Promise<ListedTurn[]> {
  return db
    .selectFrom('turns')
    .select(['id as turn_id', 'session_id', 'state'])
    .where(dialectOf(db).isAmong('id', ids))
    .where(sql<boolean>`exists (select 1 from sessions where sessions.id = turns.session_id)`)
    .execute();
}
