// Changes → events: what was changed is told as it is at the moment of telling.
import type { PullState, ServerEvent } from '../contract/server-event.ts';
import { findListedSessions, findListedTurns } from '../store/changed-rows.ts';
import type { Db } from '../store/database.ts';
import type { LogEntry } from './change-log.ts';

export type ServerChange =
  | { readonly kind: 'session' | 'turn'; readonly id: string }
  | { readonly kind: 'pull'; readonly pull: PullState };

/** An event with its number. */
export interface NumberedServerEvent {
  readonly id: number;
  readonly event: ServerEvent;
}

/** A turn of a session that is gone by now is told by the end of the session. */
export async function readChanges(
  db: Db,
  entries: readonly LogEntry<ServerChange>[],
): Promise<NumberedServerEvent[]> {
  const idsOf = (kind: 'session' | 'turn') =>
    entries.flatMap(({ change }) => (change.kind === kind ? [change.id] : []));
  const sessions = await findListedSessions(db, idsOf('session'));
  const turns = await findListedTurns(db, idsOf('turn'));
  const sessionOf = new Map(sessions.map((session) => [session.session_id, session]));
  const turnOf = new Map(turns.map((turn) => [turn.turn_id, turn]));
  return entries.flatMap(({ id, change }): NumberedServerEvent[] => {
    if (change.kind === 'pull') return [{ id, event: { event: 'pull', data: change.pull } }];
    if (change.kind === 'turn') {
      const turn = turnOf.get(change.id);
      return turn === undefined ? [] : [{ id, event: { event: 'turn', data: turn } }];
    }
    const session = sessionOf.get(change.id);
    const data = session === undefined ? gone(change.id) : { ...session, deleted: false };
    return [{ id, event: { event: 'session', data } }];
  });
}

function gone(sessionId: string) {
  return {
    session_id: sessionId,
    title: null,
    updated_at: null,
    message_count: 0,
    active_turn: null,
    deleted: true,
  };
}
