// A session that was made for a request which came to nothing.
import { instantNow } from '../kit/clock.ts';
import { deleteSession } from './clear-session.ts';
import type { Db } from './database.ts';
import { changeSession } from './lock-session.ts';

/** Deletes it, unless somebody has said or begun something in it meanwhile. */
export async function deleteUnusedSession(db: Db, sessionId: string): Promise<void> {
  await changeSession(db, sessionId, async (transaction) => {
    const used = await transaction
      .selectFrom('sessions')
      .select('id')
      .where('id', '=', sessionId)
      .where(({ or, eb, exists, selectFrom }) =>
        or([
          eb('head_id', 'is not', null),
          exists(selectFrom('turns').select('turns.id').whereRef('turns.session_id', '=', 'sessions.id')),
        ]),
      )
      .executeTakeFirst();
    if (used === undefined) await deleteSession(transaction, sessionId, instantNow());
  });
}
