import type { Db } from './database.ts';
import { prepared } from './prepared.ts';

const selectNewest = prepared((db, { sessionId }: { readonly sessionId: string }) =>
  db
    .selectFrom('turns')
    .select('created_at')
    .where('session_id', '=', sessionId)
    .orderBy('created_at', 'desc')
    .limit(1),
);

/** When the newest turn of a session was accepted; null when it has none. One step into an index. */
export async function findNewestTurnInstant(db: Db, sessionId: string): Promise<string | null> {
  const { rows } = await selectNewest(db, { sessionId });
  return rows[0]?.created_at ?? null;
}
