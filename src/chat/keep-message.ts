// What a turn was asked that has ended in line: it is put on the path in its place, unanswered, since its id was told.
import { requireSession } from '../sessions/require.ts';
import { changeSession } from '../store/lock-session.ts';
import { readBefore } from '../store/shared-line.ts';
import { dropRequest, type QueuedMessage } from '../store/turns.ts';
import type { Place } from './line/place.ts';
import { placeQueuedMessage } from './place-message.ts';
import type { TurnDeps } from './turn-deps.ts';
import { untilNext } from './until-next.ts';

interface KeptMessage {
  readonly sessionId: string;
  readonly turnId: string;
  readonly message: QueuedMessage;
}

/** Never throws: what is not on the path then is still in the row, and the next start puts it there. */
export async function keepMessage(deps: TurnDeps, place: Place, kept: KeptMessage): Promise<void> {
  const { turnId } = kept;
  try {
    for (let isPlaced = false; !isPlaced; ) {
      await untilNext(deps, kept, { place, signal: deps.closing.signal, tell: () => undefined });
      if (place.isAside) return;
      await Promise.race([place.ready, place.blocked]);
      if (!place.isReady) return;
      isPlaced = await placeKept(deps, kept);
      if (!isPlaced) place.stepAside(0);
    }
  } catch (error) {
    deps.log.error(
      { err: error, turn_id: turnId },
      'the message of a cancelled turn could not be put on the path',
    );
  }
}

/** @returns false: turns of other servers are before it */
function placeKept(deps: TurnDeps, kept: KeptMessage): Promise<boolean> {
  const { sessionId, turnId } = kept;
  return changeSession(deps.db, sessionId, async (db) => {
    if ((await readBefore(db, kept)).isBlocked) return false;
    const { headId, headDepth } = await requireSession(db, sessionId);
    const head = headId === null ? null : { id: headId, depth: headDepth };
    await placeQueuedMessage({ ...deps, db }, head, kept);
    await dropRequest(db, turnId);
    return true;
  });
}
