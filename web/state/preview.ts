// What would be sent of a message that is not sent yet.
import { signal } from '@preact/signals';
import type { ChatPreview } from '../../src/client/index.ts';
import { begin } from './chat.ts';
import { flushDraft, saveDraft, saveDraftPictures } from './drafts.ts';
import { route } from './route.ts';
import { sendSettings } from './send-options.ts';
import { attempt, mochi } from './server.ts';

/** The last one that was asked for. */
export const previewed = signal<ChatPreview | null>(null);

/** A conversation that is not begun begins by it, and what is typed goes along. @returns whether it is there */
export async function previewMessage(text: string, images: readonly string[]): Promise<boolean> {
  if ((await begin((begun) => carryDraft(begun, text, images))) === null) return false;
  const { sessionId } = route.value;
  if (sessionId === null) return false;
  const body = { message: text, ...sendSettings(), ...(images.length > 0 && { images: [...images] }) };
  previewed.value = await attempt(() => mochi.chat.preview(sessionId, body));
  return previewed.value !== null;
}

function carryDraft(sessionId: string, text: string, images: readonly string[]): void {
  saveDraft(null, '');
  saveDraft(sessionId, text);
  flushDraft();
  saveDraftPictures(null, []);
  saveDraftPictures(sessionId, images);
}
