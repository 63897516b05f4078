// The list of conversations, the newest first, page by page.
import { signal } from '@preact/signals';
import type { SessionListItem } from '../../src/client/index.ts';
import { newest } from '../../src/client/store/newest.ts';
import { attempt, attemptUnasked, mochi } from './server.ts';

const PAGE = 50;

/** Null: not read yet. */
export const sessions = signal<readonly SessionListItem[] | null>(null);
/** Null: that is all. */
export const moreSessions = signal<string | null>(null);

const newestList = newest();

export async function refreshSessions(): Promise<void> {
  const shown = Math.max(sessions.value?.length ?? 0, PAGE);
  const limit = Math.min(shown, 1000);
  const page = await newestList(() => attemptUnasked(async () => mochi.sessions.list({ limit })));
  if (page === null) return;
  // More of it was read meanwhile.
  if ((sessions.value?.length ?? 0) > shown) return refreshSessions();
  sessions.value = page.sessions;
  moreSessions.value = page.next_cursor;
}

export async function readMoreSessions(): Promise<void> {
  const cursor = moreSessions.value;
  if (cursor === null) return;
  const page = await attempt(async () => mochi.sessions.list({ limit: PAGE, cursor }));
  if (page === null) return;
  const known = new Set(sessions.value?.map(({ session_id: id }) => id));
  sessions.value = [
    ...(sessions.value ?? []),
    ...page.sessions.filter(({ session_id: id }) => !known.has(id)),
  ];
  moreSessions.value = page.next_cursor;
}

/** How a conversation is called in the list. */
export function nameOf({ title, preview }: Pick<SessionListItem, 'title' | 'preview'>): string | null {
  return title ?? (preview === '' ? null : preview);
}
