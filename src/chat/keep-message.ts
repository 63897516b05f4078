// What a turn was asked that has ended in line: it is put on the path in its place, unanswered, since its id was told.
import { requireSession } from '../sessions/require.ts';
import { changeSession } from '../store/lock-session.ts';
import { dropRequest, type QueuedMessage } from '../store/turns.ts';
import type { Place } from './line/turn-lines.ts';
import { placeQueuedMessage } from './place-message.ts';
import type { TurnDeps } from './turn-deps.ts';

/** Never throws: what is not on the path then is still in the row, and the next start puts it there. */
export async function keepMessage(
  deps: TurnDeps,
  place: Place,
  kept: { readonly sessionId: string; readonly turnId: string; readonly message: QueuedMessage },
): Promise<void> {
  const { sessionId, turnId } = kept;
  await Promise.race([place.ready, place.blocked]);
  if (!place.isReady) return;
  try {
    await changeSession(deps.db, sessionId, async (db) => {
      const { headId, headDepth } = await requireSession(db, sessionId);
      const head = headId === null ? null : { id: headId, depth: headDepth };
      await placeQueuedMessage({ ...deps, db }, head, kept);
      await dropRequest(db, turnId);
    });
  } catch (error) {
    deps.log.error(
      { err: error, turn_id: turnId },
      'the message of a cancelled turn could not be put on the path',
    );
  }
}
