// Where the page is: the part of the address behind `#`, which no server sees.
import { signal } from '@preact/signals';

export interface Route {
  /** Null: a conversation that is not begun. */
  readonly sessionId: string | null;
  /** The message to show. */
  readonly messageId: string | null;
}

export const route = signal<Route>(readRoute());

addEventListener('hashchange', () => {
  route.value = readRoute();
});

export function addressOf(sessionId: string | null, messageId: string | null = null): string {
  if (sessionId === null) return '#/';
  const place = `#/s/${encodeURIComponent(sessionId)}`;
  return messageId === null ? place : `${place}/m/${encodeURIComponent(messageId)}`;
}

export function goTo(sessionId: string | null, messageId: string | null = null): void {
  location.hash = addressOf(sessionId, messageId);
}

/** The same place under another name: a conversation that was begun has an id now. */
export function becomes(sessionId: string): void {
  history.replaceState(null, '', addressOf(sessionId));
  route.value = readRoute();
}

function readRoute(): Route {
  const [, sessionId, messageId] = /^#\/s\/([^/]+)(?:\/m\/([^/]+))?$/.exec(location.hash) ?? [];
  return { sessionId: decoded(sessionId), messageId: decoded(messageId) };
}

function decoded(part: string | undefined): string | null {
  try {
    return part === undefined ? null : decodeURIComponent(part);
  } catch {
    return null;
  }
}
