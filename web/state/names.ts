// How conversations are called wherever they are named: by their title, or by their first words.
import { computed, effect, signal } from '@preact/signals';
import type { Message, SearchResult } from '../../src/client/index.ts';
import { chat, chatState } from './chat.ts';
import { attemptUnasked, mochi } from './server.ts';
import { nameOf, sessions } from './sessions.ts';

/** As long as in the list. */
const LENGTH = 100;
const ALL = 1000;

/** Of conversations that the list does not reach. */
const found = signal<ReadonlyMap<string, string>>(new Map());

/** Of the conversation that is shown; null: nothing was said in it. */
export const shownName = computed(() => {
  const { session = null, rows } = chatState.value ?? {};
  if (session === null || rows === undefined) return null;
  return session.title ?? knownName(session.session_id) ?? (rows.has(0) ? firstWords(rows.values()) : null);
});

/** Of a hit; null: it is not known yet, or nothing was said. */
export function nameOfHit({ session_id: id, title }: SearchResult): string | null {
  return title ?? knownName(id);
}

/** Asks for the names of hits that are not known, in one request. */
export async function readNames(words: string, hits: readonly SearchResult[]): Promise<void> {
  if (hits.every((hit) => nameOfHit(hit) !== null)) return;
  const page = await attemptUnasked(async () => mochi.sessions.list({ q: words, limit: ALL }));
  if (page === null) return;
  const named = page.sessions.flatMap((item): [string, string][] => {
    const name = nameOf(item);
    return name === null ? [] : [[item.session_id, name]];
  });
  found.value = new Map([...found.value, ...named]);
}

/** What the person said first; null: nothing. */
export function firstWords(messages: Iterable<Pick<Message, 'role' | 'content'>>): string | null {
  for (const { role, content } of messages) {
    if (role !== 'user') continue;
    return content.trim().slice(0, LENGTH) || null;
  }
  return null;
}

function knownName(sessionId: string): string | null {
  const item = sessions.value?.find(({ session_id: id }) => id === sessionId);
  return (item && nameOf(item)) ?? found.value.get(sessionId) ?? null;
}

/** A long conversation that the list does not reach is opened at its end: its beginning is read for its name. */
effect(() => {
  const { session = null, rows } = chatState.value ?? {};
  if (session === null || session.title !== null || session.message_count === 0 || sessions.value === null)
    return;
  if (shownName.value === null && rows?.has(0) === false) void chat.peek()?.load(0, 2);
});
