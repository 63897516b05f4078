// Sessions as rows → the store.
import { refreshPreview } from '../../store/active-path.ts';
import type { Db } from '../../store/database.ts';
import type { Slice } from '../../store/receive-session.ts';
import {
  countRows,
  findTakenTurnIds,
  insertRowsOf,
  insertSessionRow,
  type MessageRow,
  type SessionRows,
  type ToolCallRow,
  type TurnRow,
} from '../../store/session-rows.ts';
import { inSlices, textLength } from '../../store/slices.ts';
import type { ImportDeps, StoredImport } from '../import-deps.ts';
import { storeImport } from '../store-import.ts';
import { exportLines, hashLines, linesOfRows } from './export.ts';

export async function storeRows(deps: ImportDeps, rows: SessionRows): Promise<StoredImport> {
  const importHash = await hashLines(linesOfRows(rows));
  const { session, messages, turns } = rows;
  return storeImport(deps, {
    id: session.id,
    importHash,
    messages: messages.length,
    isSame: async (db, existing) => {
      // Counted first: a session of any length may have this id.
      const count = await countRows(db, existing.id);
      if (count.messages !== messages.length || count.turns !== turns.length) return false;
      return (await hashLines(exportLines(db, existing))) === importHash;
    },
    begin: (db, id) => insertSessionRow(db, { ...session, id, import_hash: importHash }),
    slices: (id) => slicesOf(deps, rows, id),
    finish: async (db, id) => {
      await refreshPreview(db, id);
      await deps.closeTurns(db, id);
    },
  });
}

type Row =
  | { readonly table: 'turns'; readonly row: TurnRow }
  | { readonly table: 'messages'; readonly row: MessageRow }
  | { readonly table: 'tool_calls'; readonly row: ToolCallRow };

/** Message ids are the session's own and stay; turns have ids over all sessions, and come first for that. */
function* slicesOf({ newId }: ImportDeps, rows: SessionRows, id: string): Generator<Slice, void> {
  const fresh = new Map<string, string>();
  const freshOr = (turnId: string) => fresh.get(turnId) ?? turnId;
  for (const slice of inSlices(rowsOf(rows), ({ row }) => textLength(row))) {
    yield async (db) => {
      const turns = slice.flatMap((item) => (item.table === 'turns' ? [item.row] : []));
      for (const taken of await findTaken(db, turns)) fresh.set(taken, `turn_${newId(12)}`);
      const messages = slice.flatMap((item) => (item.table === 'messages' ? [item.row] : []));
      const calls = slice.flatMap((item) => (item.table === 'tool_calls' ? [item.row] : []));
      await insertRowsOf(
        db,
        'turns',
        turns.map((row) => ({ ...row, id: freshOr(row.id), session_id: id })),
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
    };
  }
}

function findTaken(db: Db, turns: readonly TurnRow[]): Promise<string[]> {
  return findTakenTurnIds(
    db,
    turns.map(({ id }) => id),
  );
}

function* rowsOf({ messages, turns }: SessionRows): Generator<Row, void> {
  for (const row of turns) yield { table: 'turns', row };
  for (const { row } of messages) yield { table: 'messages', row };
  for (const { calls } of messages) for (const row of calls) yield { table: 'tool_calls', row };
}
