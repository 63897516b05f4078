// What this browser keeps: drafts, a message that is not sent yet, preferences. Never what was said.
import { signal } from '@preact/signals';

const PREFIX = 'mochi.';
/** Of one value, in characters. */
const MAX_LENGTH = 200_000;

/** The browser did not keep something: it is full, or keeps nothing. */
export const keepsNothing = signal(false);

export function recall<T>(name: string): T | null {
  try {
    const text = localStorage.getItem(PREFIX + name);
    return text === null ? null : (JSON.parse(text) as T);
  } catch {
    return null;
  }
}

/** Null: forget it. */
export function keep(name: string, value: unknown): void {
  try {
    if (value === null) localStorage.removeItem(PREFIX + name);
    else {
      const text = JSON.stringify(value);
      if (text.length > MAX_LENGTH) throw new Error('too long');
      localStorage.setItem(PREFIX + name, text);
    }
    keepsNothing.value = false;
  } catch {
    keepsNothing.value = true;
  }
}

export function forgetAll(): void {
  for (const store of [localStorage, sessionStorage]) {
    for (const name of Object.keys(store)) if (name.startsWith(PREFIX)) store.removeItem(name);
  }
}
