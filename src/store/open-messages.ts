// Messages of turns that have ended before they were on the path.
import type { Db } from './database.ts';
import { dialectOf } from './dialect/dialect-of.ts';
import { parseStored } from './parse-stored.ts';
import { isSeen, type QueuedMessage } from './turns.ts';

/** Turns that have ended, but whose message is not on the path yet, oldest first: of one session, or of all. */
export async function listOpenMessages(
  db: Db,
  sessionId?: string,
): Promise<{ readonly turnId: string; readonly sessionId: string; readonly message: QueuedMessage }[]> {
  let query = db
    .selectFrom('turns')
    .select(['id', 'session_id', 'request'])
    .where('request', 'is not', null)
    .where('finished_at', 'is not', null)
    .where(isSeen)
    .orderBy(dialectOf(db).unindexed('created_at'))
    .orderBy(dialectOf(db).order('turns'));
  if (sessionId !== undefined) query = query.where('session_id', '=', sessionId);
  const rows = await query.execute();
  return rows.flatMap(({ id, session_id: sessionId, request }) =>
    request === null ? [] : [{ turnId: id, sessionId, message: parseStored(request) }],
  );
}
