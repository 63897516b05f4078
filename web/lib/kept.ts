// What this browser keeps: drafts, a message that is not sent yet, preferences. Never what was said.
import { signal } from '@preact/signals';

const PREFIX = 'mochi.';
/** Of one value, in characters. */
const MAX_LENGTH = 200_000;

/** `browser`: over its end; `tab`: over a reload. */
export type Place = 'browser' | 'tab';

/** The browser did not keep something that is there: it is full, or keeps nothing. */
export const keepsNothing = signal(false);
const unkept = new Set<string>();

export function recall<T>(name: string, place: Place = 'browser'): T | null {
  try {
    const text = storeOf(place).getItem(PREFIX + name);
    return text === null ? null : (JSON.parse(text) as T);
  } catch {
    return null;
  }
}

/** Null: forget it. */
export function keep(name: string, value: unknown, place: Place = 'browser'): void {
  if (tryKeep(name, value, { place, maxLength: MAX_LENGTH })) unkept.delete(name);
  else unkept.add(name);
  keepsNothing.value = unkept.size > 0;
}

/** As `keep`, for what is said elsewhere when it cannot be kept. @returns whether it is */
export function tryKeep(
  name: string,
  value: unknown,
  { place, maxLength = Number.POSITIVE_INFINITY }: { readonly place: Place; readonly maxLength?: number },
): boolean {
  try {
    const store = storeOf(place);
    if (value === null) {
      store.removeItem(PREFIX + name);
      return true;
    }
    const text = JSON.stringify(value);
    if (text.length > maxLength) return false;
    store.setItem(PREFIX + name, text);
    return true;
  } catch {
    return value === null;
  }
}

export function forgetAll(): void {
  for (const place of ['browser', 'tab'] as const) {
    const store = storeOf(place);
    for (const name of Object.keys(store)) if (name.startsWith(PREFIX)) store.removeItem(name);
  }
}

/** A browser that was told to keep nothing throws. */
function storeOf(place: Place): Storage {
  return place === 'browser' ? localStorage : sessionStorage;
}
