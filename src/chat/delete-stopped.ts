// A session whose turns have stopped is deleted, with what memory has of it.
import { instantNow } from '../kit/clock.ts';
import { deleteSession } from '../store/clear-session.ts';
import type { Clearing } from '../store/clearing.ts';
import { changeSession } from '../store/lock-session.ts';
import type { ClientWork } from './line/client-work.ts';
import { cancelled } from './stop-reasons.ts';
import type { TurnHouse } from './turn-house.ts';

interface DeleteDeps extends Pick<TurnHouse, 'deps' | 'registry'> {
  readonly work: ClientWork;
  /** Takes away what is left. */
  readonly clearing: Clearing;
}

/** @param chats agent chats that go with it. @returns whether it was there */
export async function deleteStopped(
  { deps, registry, work, clearing }: DeleteDeps,
  sessionId: string,
  chats: readonly string[],
): Promise<boolean> {
  const outcome = await changeSession(deps.db, sessionId, (transaction) =>
    deleteSession(transaction, sessionId, instantNow()),
  );
  if (outcome === 'hidden') clearing.wake();
  for (const id of [sessionId, ...chats]) registry.forgetSession(id);
  work.stop(cancelled(), sessionId);
  deps.background.stopSession(sessionId);
  return outcome !== 'absent';
}
