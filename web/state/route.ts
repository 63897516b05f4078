// Where the page is: the part of the address behind `#`, which no server sees.
import { signal } from '@preact/signals';

export interface Route {
  /** Null: a conversation that is not begun. */
  readonly sessionId: string | null;
  /** The message to show. */
  readonly messageId: string | null;
}

export const route = signal<Route>(readRoute());

addEventListener('hashchange', arrive);

function arrive(): void {
  const { sessionId, messageId } = readRoute();
  if (sessionId !== route.value.sessionId || messageId !== route.value.messageId) {
    route.value = { sessionId, messageId };
  }
}

export function addressOf(sessionId: string | null, messageId: string | null = null): string {
  if (sessionId === null) return '#/';
  const place = `#/s/${encodeURIComponent(sessionId)}`;
  return messageId === null ? place : `${place}/m/${encodeURIComponent(messageId)}`;
}

export function goTo(sessionId: string | null, messageId: string | null = null): void {
  location.hash = addressOf(sessionId, messageId);
  // The browser tells it later, and a second key may come before.
  arrive();
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
