// Changes → events: what was changed is told as it is at the moment of telling.
import type { Approval } from '../contract/approval.ts';
import type { PullState, ServerEvent } from '../contract/server-event.ts';
import { findApproval } from '../store/approvals.ts';
import type { StoreChange } from '../store/change-notes.ts';
import { findListedSessions, findListedTurns } from '../store/changed-rows.ts';
import type { Db } from '../store/database.ts';
import type { LogEntry } from './change-log.ts';

export type ServerChange = StoreChange | { readonly kind: 'pull'; readonly pull: PullState };

/** An event with its number. */
export interface NumberedServerEvent {
  readonly id: number;
  readonly event: ServerEvent;
}

/** What belongs to a session that is gone by now is told by the end of the session. */
export async function readChanges(
  db: Db,
  entries: readonly LogEntry<ServerChange>[],
): Promise<NumberedServerEvent[]> {
  const idsOf = (kind: StoreChange['kind']) =>
    entries.flatMap(({ change }) => (change.kind === kind ? [change.id] : []));
  const sessions = await findListedSessions(db, idsOf('session'));
  const turns = await findListedTurns(db, idsOf('turn'));
  const approvalOf = await findApprovals(db, idsOf('approval'));
  const sessionOf = new Map(sessions.map((session) => [session.session_id, session]));
  const turnOf = new Map(turns.map((turn) => [turn.turn_id, turn]));
  return entries.flatMap(({ id, change }): NumberedServerEvent[] => {
    if (change.kind === 'pull') return [{ id, event: { event: 'pull', data: change.pull } }];
    if (change.kind === 'approval') {
      const approval = approvalOf.get(change.id);
      return approval === undefined ? [] : [{ id, event: { event: 'approval', data: approval } }];
    }
    if (change.kind === 'turn') {
      const turn = turnOf.get(change.id);
      return turn === undefined ? [] : [{ id, event: { event: 'turn', data: turn } }];
    }
    const session = sessionOf.get(change.id);
    const data = session === undefined ? gone(change.id) : { ...session, deleted: false };
    return [{ id, event: { event: 'session', data } }];
  });
}

/** One whose row is damaged cannot be told; all others can. */
async function findApprovals(db: Db, ids: readonly string[]): Promise<ReadonlyMap<string, Approval>> {
  const found = new Map<string, Approval>();
  for (const id of ids) {
    const stored = await findApproval(db, id).catch(() => null);
    if (stored !== null) found.set(id, stored.approval);
  }
  return found;
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
