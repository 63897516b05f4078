// What is told of a turn first: that it is stored, and whether it has to wait.
import type { TurnEvent } from '../contract/turn-event.ts';
import type { Place } from './line/place.ts';
import type { LiveTurn } from './watch/live-turn.ts';

/** @param told right after its start */
export function openingEvents(
  live: LiveTurn,
  userMessageId: string | null,
  place: Place,
  told: readonly TurnEvent[],
): TurnEvent[] {
  const { turnId, sessionId } = live;
  const data = { turn_id: turnId, session_id: sessionId, user_message_id: userMessageId };
  const events: TurnEvent[] = [{ event: 'turn_start', data }, ...told];
  if (!place.isReady) events.push(queuedEvent(place.position, place.isForPerson));
  return events;
}

/** @param isForPerson the turn ahead waits for an approval */
export function queuedEvent(position: number, isForPerson: boolean): TurnEvent {
  const waitingFor = isForPerson ? { waiting_for: 'approval' as const } : {};
  return { event: 'status', data: { phase: 'queued', position, ...waitingFor } };
}
