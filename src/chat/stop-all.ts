// Turns of sessions that are to have none, here or with other servers.
import type { MochiError } from '../contract/errors.ts';
import { listWantedCancelled } from '../store/turn-owners.ts';
import { stopReason } from './stop-reasons.ts';
import type { TurnHouse } from './turn-house.ts';
import type { TurnsElsewhere } from './turns-elsewhere.ts';

interface Stopping extends Pick<TurnHouse, 'lines' | 'registry'> {
  readonly elsewhere: TurnsElsewhere;
  readonly reasonFor: (sessionId: string) => MochiError;
}

/** Stops the turns of sessions, and runs what must not meet any. */
export async function stopAll<T>(
  sessionIds: readonly string[],
  { lines, registry, elsewhere, reasonFor }: Stopping,
  action: () => Promise<T>,
): Promise<T> {
  const ahead = sessionIds.flatMap((id) => lines.turnsOf(id).map((turnId) => [id, turnId] as const));
  const places = sessionIds.map((sessionId) => lines.enterChange(sessionId));
  try {
    for (const [id, turnId] of ahead) registry.find(turnId)?.stop(reasonFor(id));
    await Promise.all(places.map(({ ready }) => ready));
    await elsewhere.stopSessions(sessionIds);
    return await action();
  } finally {
    for (const place of places) place.leave();
  }
}

/** Those of this server that another one was asked to stop. */
export async function stopWanted({ deps, registry }: Pick<TurnHouse, 'deps' | 'registry'>): Promise<void> {
  for (const { turnId, reason, sessionId } of await listWantedCancelled(deps.db)) {
    registry.find(turnId)?.stop(stopReason(reason, sessionId));
  }
}
