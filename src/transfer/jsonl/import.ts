// Sessions as rows → the store.
import { isDeepStrictEqual } from 'node:util';
import { refreshPreview } from '../../store/active-path.ts';
import type { Db } from '../../store/database.ts';
import type { Slice } from '../../store/receive-session.ts';
import {
  countRows,
  findTakenIds,
  insertRowsOf,
  insertSessionRow,
  type MessageRow,
  type SessionRows,
  type ToolCallRow,
  type ToolExecutionRow,
  type TurnRow,
} from '../../store/session-rows.ts';
import { nameSession } from '../../store/sessions.ts';
import { inSlices, textLength } from '../../store/slices.ts';
import type { ImportDeps, StoredImport } from '../import-deps.ts';
import { storeImport } from '../store-import.ts';
import { countsOf, exportLines, hashLines, linesOfRows } from './export.ts';
import { findParent, type ImportedIds, linkRuns, noteKnown } from './link-agents.ts';

/** @param ids of what came before in the same lines; this session is added */
export async function storeRows(
  deps: ImportDeps,
  rows: SessionRows,
  ids: ImportedIds,
): Promise<StoredImport> {
  const importHash = await hashLines(linesOfRows(rows));
  const { session, messages } = rows;
  const stored = await storeImport(deps, {
    id: session.id,
    importHash,
    messages: messages.length,
    isSame: async (db, existing) => {
      // Counted first: a session of any length may have this id.
      const count = await countRows(db, existing.id);
      if (!isDeepStrictEqual(count, countsOf(rows))) return false;
      return (await hashLines(exportLines(db, existing))) === importHash;
    },
    begin: async (db, id) => {
      const parent = await findParent(db, session, ids);
      await insertSessionRow(db, {
        ...session,
        id,
        import_hash: importHash,
        parent_session_id: parent,
        client_key: null,
      });
    },
    slices: (id) => slicesOf(deps, rows, { id, ids }),
    finish: async (db, id) => {
      await refreshPreview(db, id);
      if (session.client_key !== null) await nameSession(db, id, session.client_key);
      await deps.closeTurns(db, id);
    },
  });
  ids.sessions.set(session.id, stored.sessionId);
  if (stored.type === 'known') await noteKnown(deps.db, ids, { ...rows, sessionId: stored.sessionId });
  return stored;
}

type Row =
  | { readonly table: 'turns'; readonly row: TurnRow }
  | { readonly table: 'messages'; readonly row: MessageRow }
  | { readonly table: 'tool_calls'; readonly row: ToolCallRow }
  | { readonly table: 'tool_executions'; readonly row: ToolExecutionRow };

/**
 * Message ids are the session's own and stay; turns have ids over all sessions, and come first for that. Executions
 * have such ids as well, and nothing else names them.
 */
function* slicesOf(
  { newId }: ImportDeps,
  rows: SessionRows,
  { id, ids }: { readonly id: string; readonly ids: ImportedIds },
): Generator<Slice, void> {
  const fresh = new Map<string, string>();
  const freshOr = (turnId: string) => fresh.get(turnId) ?? turnId;
  for (const slice of inSlices(rowsOf(rows), ({ row }) => textLength(row))) {
    yield async (db) => {
      const turns = slice.flatMap((item) => (item.table === 'turns' ? [item.row] : []));
      for (const taken of await findTaken(db, 'turns', turns)) {
        const turnId = `turn_${newId(12)}`;
        fresh.set(taken, turnId);
        ids.turns.set(taken, turnId);
      }
      const runs = await linkRuns(db, turns, ids);
      const messages = slice.flatMap((item) => (item.table === 'messages' ? [item.row] : []));
      const calls = slice.flatMap((item) => (item.table === 'tool_calls' ? [item.row] : []));
      await insertRowsOf(
        db,
        'turns',
        runs.map((row) => ({ ...row, id: freshOr(row.id), session_id: id })),
      );
      await insertRowsOf(
        db,
        'messages',
        messages.map((row) => ({ ...row, session_id: id, turn_id: row.turn_id && freshOr(row.turn_id) })),
      );
      await insertRowsOf(
        db,
        'tool_calls',
        calls.map((row) => ({ ...row, session_id: id })),
      );
      const executions = slice.flatMap((item) => (item.table === 'tool_executions' ? [item.row] : []));
      const taken = new Set(await findTaken(db, 'tool_executions', executions));
      await insertRowsOf(
        db,
        'tool_executions',
        executions.map((row) => ({
          ...row,
          id: taken.has(row.id) ? `exec_${newId(12)}` : row.id,
          session_id: id,
        })),
      );
    };
  }
}

function findTaken(
  db: Db,
  table: 'turns' | 'tool_executions',
  rows: readonly { readonly id: string }[],
): Promise<string[]> {
  return findTakenIds(
    db,
    table,
    rows.map(({ id }) => id),
  );
}

function* rowsOf({ messages, turns, executions }: SessionRows): Generator<Row, void> {
  for (const row of turns) yield { table: 'turns', row };
  for (const { row } of messages) yield { table: 'messages', row };
  for (const { calls } of messages) for (const row of calls) yield { table: 'tool_calls', row };
  for (const row of executions) yield { table: 'tool_executions', row };
}
