// What an event holds in memory, roughly.
import type { TurnEvent } from '../../contract/turn-event.ts';

/** What an event weighs besides what it says, in characters. */
const EVENT_OVERHEAD = 100;
/** A number, or a place in an object or a list. */
const PLACE = 8;

/** In characters. */
export function weighEvent(event: TurnEvent): number {
  // Nearly all of them.
  if (event.event === 'content_delta') return EVENT_OVERHEAD + event.data.content.length;
  return EVENT_OVERHEAD + weigh(event.data);
}

/** In characters. Arguments of tools can be nested deeply: nothing recurs here. */
export function weigh(whole: unknown): number {
  let weight = 0;
  const left: unknown[] = [whole];
  while (left.length > 0) {
    const value = left.pop();
    weight += PLACE;
    if (typeof value === 'string') weight += value.length;
    if (typeof value !== 'object' || value === null) continue;
    for (const [key, inner] of Object.entries(value)) {
      weight += Array.isArray(value) ? 0 : key.length;
      left.push(inner);
    }
  }
  return weight;
}
