// Sessions that nobody sees: those that come in slices and are not whole yet, and those that were deleted and are
// being cleared. `sessions` is the view of all others.
import { sql } from 'kysely';
import { MochiError } from '../contract/errors.ts';
import type { Db, SessionRowTable } from './database.ts';

/** Whoever writes an incoming session renews its mark with every slice: after this long nobody does any more. */
const ABANDONED_MS = 15_000;

/** @param mark milliseconds since the epoch @returns whether there was such a session to be seen */
export async function hideSession(
  db: Db,
  sessionId: string,
  hidden: NonNullable<SessionRowTable['hidden']>,
  mark: number,
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('session_rows')
    .set({ hidden, hidden_at: mark })
    .where('id', '=', sessionId)
    .where('hidden', 'is', null)
    .executeTakeFirst();
  // Nobody finds it by its title, and nobody works on it in the background.
  await db.deleteFrom('search_titles').where('session_id', '=', sessionId).execute();
  await db.deleteFrom('background_jobs').where('session_id', '=', sessionId).execute();
  return numUpdatedRows > 0n;
}

/** The agent chats of a session that was deleted: they go with it. @param mark milliseconds since the epoch */
export async function hideAgentChats(db: Db, parentSessionId: string, mark: number): Promise<void> {
  const chats = db.selectFrom('session_rows').select('id').where('parent_session_id', '=', parentSessionId);
  await db.deleteFrom('search_titles').where('session_id', 'in', chats).execute();
  await db
    .updateTable('session_rows')
    .set({ hidden: 'deleted', hidden_at: mark })
    .where('parent_session_id', '=', parentSessionId)
    .execute();
}

/** @throws IncomingLostError when another process has taken it for abandoned */
export async function renewIncoming(
  db: Db,
  sessionId: string,
  mark: { readonly from: number; readonly to: number },
): Promise<void> {
  const { numUpdatedRows } = await db
    .updateTable('session_rows')
    .set({ hidden_at: mark.to })
    .where('id', '=', sessionId)
    .where('hidden', '=', 'incoming')
    .where('hidden_at', '=', mark.from)
    .executeTakeFirst();
  if (numUpdatedRows === 0n) throw new IncomingLostError();
}

/** The process stood still for so long that its session was cleared. */
export class IncomingLostError extends MochiError {
  constructor() {
    super(
      'database_busy',
      'Writing stood still for so long that it was begun anew. Nothing was stored: try again.',
    );
  }
}

/** The session is whole: everybody sees it once this is committed. */
export async function revealSession(db: Db, sessionId: string): Promise<void> {
  await db
    .updateTable('session_rows')
    .set({ hidden: null, hidden_at: null })
    .where('id', '=', sessionId)
    .execute();
  await sql`insert into search_titles (session_id)
    select id from sessions where id = ${sessionId} and title is not null
    on conflict do nothing`.execute(db);
}

/** Nobody writes it any more. @returns false for a session that is seen, or that somebody writes */
export async function condemnSession(db: Db, sessionId: string, now: number): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('session_rows')
    .set({ hidden: 'deleted' })
    .where('id', '=', sessionId)
    .where((is) =>
      is.or([
        is('hidden', '=', 'deleted'),
        is.and([is('hidden', '=', 'incoming'), is('hidden_at', '<', now - ABANDONED_MS)]),
      ]),
    )
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Whether somebody writes it, or has until a moment ago. */
export async function isIncoming(db: Db, sessionId: string): Promise<boolean> {
  const row = await db
    .selectFrom('session_rows')
    .select('id')
    .where('id', '=', sessionId)
    .where('hidden', '=', 'incoming')
    .executeTakeFirst();
  return row !== undefined;
}

/** A session that is to be cleared; null: there is none. */
export async function findCondemned(db: Db, now: number): Promise<string | null> {
  const find = (hidden: 'deleted' | 'incoming', before: number) =>
    db
      .selectFrom('session_rows')
      .select('id')
      .where('hidden', '=', hidden)
      .where('hidden_at', '<', before)
      .limit(1)
      .executeTakeFirst();
  const row =
    (await find('deleted', Number.MAX_SAFE_INTEGER)) ?? (await find('incoming', now - ABANDONED_MS));
  return row?.id ?? null;
}
