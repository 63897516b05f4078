// An event of a turn with its number.
import type { Frame } from './read-events.ts';
import { TURN_EVENT_NAMES, type TurnEvent as TurnEventData } from './wire.ts';

/** The number counts within the turn. */
export type TurnEvent = { readonly id: number } & TurnEventData;

const names: ReadonlySet<string> = new Set(TURN_EVENT_NAMES);

export function isTurnEvent(frame: Frame): frame is TurnEvent {
  return frame.id !== null && names.has(frame.event);
}
