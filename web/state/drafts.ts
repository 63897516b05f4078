// What was typed and not sent, by conversation; one that is not begun has a draft of its own.
import { keep, recall, tryKeep } from '../lib/kept.ts';

/** After the last key. */
const SAVE_MS = 300;
const NEW = 'new';

let timer: ReturnType<typeof setTimeout> | null = null;
let saveNow: (() => void) | null = null;

export function draftOf(sessionId: string | null): string {
  return recall<string>(nameOf(sessionId)) ?? '';
}

export function saveDraft(sessionId: string | null, text: string): void {
  flushDraft();
  saveNow = () => keep(nameOf(sessionId), text === '' ? null : text);
  timer = setTimeout(flushDraft, SAVE_MS);
}

export function flushDraft(): void {
  if (timer !== null) clearTimeout(timer);
  timer = null;
  saveNow?.();
  saveNow = null;
}

/** Of the same message; they are too large for more than this tab. */
export function draftPicturesOf(sessionId: string | null): readonly string[] {
  return recall<readonly string[]>(picturesOf(sessionId), 'tab') ?? [];
}

/** @returns whether they fit */
export function saveDraftPictures(sessionId: string | null, pictures: readonly string[]): boolean {
  return tryKeep(picturesOf(sessionId), pictures.length === 0 ? null : pictures, { place: 'tab' });
}

function picturesOf(sessionId: string | null): string {
  return `pictures.${sessionId ?? NEW}`;
}

function nameOf(sessionId: string | null): string {
  return `draft.${sessionId ?? NEW}`;
}

addEventListener('pagehide', flushDraft);
