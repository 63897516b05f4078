// Sessions as rows → the store: whole or not at all.
import { setImmediate } from 'node:timers/promises';
import { refreshPreview } from '../../store/active-path.ts';
import type { Db } from '../../store/database.ts';
import {
  findSessionRow,
  findTakenTurnIds,
  insertSessionRows,
  type SessionRows,
} from '../../store/session-rows.ts';
import { findImportedSession } from '../../store/sessions.ts';
import type { ImportDeps, StoredImport } from '../import-deps.ts';
import { exportLines, hashLines, linesOfRows } from './export.ts';

/** A session that is there already, or was imported from the same content before, is recognised and not doubled. */
export async function storeRows(deps: ImportDeps, rows: SessionRows): Promise<StoredImport> {
  const importHash = await hashLines(linesOfRows(rows));
  return deps.db.transaction().execute(async (db) => {
    const known = await findImportedSession(db, importHash);
    if (known !== null) return { type: 'known', sessionId: known };
    const existing = await findSessionRow(db, rows.session.id);
    if (existing !== null && (await hashLines(exportLines(db, existing))) === importHash) {
      return { type: 'known', sessionId: existing.id };
    }
    const id = existing === null ? rows.session.id : deps.newId(10);
    const renamed = await withFreeIds(deps, db, rows, id);
    const session = { ...renamed.session, import_hash: importHash };
    await insertSessionRows(db, { ...renamed, session }, setImmediate);
    await refreshPreview(db, id);
    await deps.closeTurns(db, id);
    return { type: 'imported', sessionId: id, messages: rows.messages.length };
  });
}

/** Message ids are the session's own and stay; turns have ids over all sessions. */
async function withFreeIds(
  { newId }: ImportDeps,
  db: Db,
  { session, messages, turns }: SessionRows,
  id: string,
): Promise<SessionRows> {
  const taken = await findTakenTurnIds(
    db,
    turns.map((turn) => turn.id),
  );
  const fresh = new Map(taken.map((turnId) => [turnId, `turn_${newId(12)}`]));
  const freshOr = (turnId: string) => fresh.get(turnId) ?? turnId;
  return {
    session: { ...session, id },
    messages: messages.map(({ row, calls }) => ({
      row: { ...row, session_id: id, turn_id: row.turn_id === null ? null : freshOr(row.turn_id) },
      calls: calls.map((call) => ({ ...call, session_id: id })),
    })),
    turns: turns.map((turn) => ({ ...turn, id: freshOr(turn.id), session_id: id })),
  };
}
