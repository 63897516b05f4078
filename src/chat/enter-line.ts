// A new turn joins the line of its session, as its request wants to where the session is busy.
import type { BusyPolicy } from '../contract/chat.ts';
import { sessionBusy } from '../store/session-busy.ts';
import type { Place, TurnLines } from './line/place.ts';
import { queuedEvent } from './opening-events.ts';
import { cancelled } from './stop-reasons.ts';
import type { LiveTurn } from './watch/live-turn.ts';
import type { TurnRegistry } from './watch/turn-registry.ts';

interface Lined {
  readonly lines: TurnLines;
  readonly registry: TurnRegistry;
}

/** @param wanted null: the request does not say. @throws MochiError session_busy, overloaded */
export function enterLine({ lines, registry }: Lined, live: LiveTurn, wanted: BusyPolicy | null): Place {
  const { sessionId, turnId } = live;
  const [holderId] = lines.turnsOf(sessionId);
  const holder = holderId === undefined ? null : registry.find(holderId);
  const onBusy = wanted ?? (isForgotten(holder) ? 'interrupt' : 'queue');
  if (holderId !== undefined && onBusy === 'reject')
    throw sessionBusy(sessionId, holderId, holder?.isWaiting === true);
  const place = lines.enter(sessionId, turnId, {
    atFront: onBusy === 'interrupt',
    onMove: (position, isForPerson) => {
      // Nothing before `turn_start`, and nothing once the turn is closing.
      if (live.lastEventId === 0 || live.signal.aborted) return;
      live.append([queuedEvent(position, isForPerson)]);
    },
  });
  if (onBusy === 'interrupt') holder?.stop(cancelled());
  return place;
}

/** It waits for a person, and nobody looks at what it asks. */
function isForgotten(holder: LiveTurn | null): boolean {
  return holder !== null && holder.isWaiting && holder.watcherCount === 0;
}
