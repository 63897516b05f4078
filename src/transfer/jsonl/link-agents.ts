// Agent chats and their parents: what refers to another session of the lines, as that is called here.
import { NO_RUN } from '../../store/agent-runs.ts';
import type { Db } from '../../store/database.ts';
import {
  findSessionRow,
  isTakenCall,
  listTurnIds,
  type SessionRow,
  type TurnRow,
} from '../../store/session-rows.ts';

/** How sessions and turns are called here that came before, by the ids that they had in the lines. */
export interface ImportedIds {
  readonly sessions: Map<string, string>;
  readonly turns: Map<string, string>;
}

export function noIdsYet(): ImportedIds {
  return { sessions: new Map(), turns: new Map() };
}

/** The session that an agent chat goes with, as far as it is here. */
export async function findParent(db: Db, chat: SessionRow, ids: ImportedIds): Promise<string | null> {
  const { parent_session_id: parent } = chat;
  if (parent === null) return null;
  const row = await findSessionRow(db, ids.sessions.get(parent) ?? parent);
  return row?.kind === 'chat' ? row.id : null;
}

/** A call starts one run: of two that name the same one, the first keeps it. */
export async function linkRuns(db: Db, runs: readonly TurnRow[], ids: ImportedIds): Promise<TurnRow[]> {
  const linked: TurnRow[] = [];
  const calls = new Set<string>();
  for (const run of runs) {
    const { parent_turn_id: turn, parent_session_id: session } = run;
    const row = {
      ...run,
      parent_turn_id: turn && (ids.turns.get(turn) ?? turn),
      parent_session_id: session && (ids.sessions.get(session) ?? session),
    };
    const call = JSON.stringify([row.parent_session_id, row.parent_message_id, row.parent_call_index]);
    const isTaken = row.parent_message_id !== null && (calls.has(call) || (await isTakenCall(db, row)));
    calls.add(call);
    linked.push(isTaken ? { ...row, ...WITHOUT_PARENT } : row);
  }
  return linked;
}

const WITHOUT_PARENT = {
  parent_turn_id: NO_RUN.parent_turn_id,
  parent_session_id: NO_RUN.parent_session_id,
  parent_message_id: NO_RUN.parent_message_id,
  parent_call_index: NO_RUN.parent_call_index,
};

/** A session of the lines is here as `sessionId`, be it since an earlier import: its turns stand in the same order. */
export async function noteKnown(
  db: Db,
  ids: ImportedIds,
  known: { readonly sessionId: string; readonly turns: readonly TurnRow[] },
): Promise<void> {
  const there = await listTurnIds(db, known.sessionId);
  for (const [index, { id }] of known.turns.entries()) {
    const own = there[index];
    if (own !== undefined && own !== id) ids.turns.set(id, own);
  }
}
