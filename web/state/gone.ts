// A conversation that is not there any more: deleted elsewhere while it was open, or before its address was opened.
import { computed } from '@preact/signals';
import { keep } from '../lib/kept.ts';
import { chat, chatState, discardOutbox } from './chat.ts';
import { draftOf, draftPicturesOf, flushDraft, saveDraft, saveDraftPictures } from './drafts.ts';
import { goTo, route } from './route.ts';

export const isGone = computed(() => chatState.value?.problem?.code === 'session_not_found');

/** What was written for it, sent or not, is the draft of a new one. */
export function goOnInNew(): void {
  const { sessionId } = route.peek();
  flushDraft();
  const unsent = chat.peek()?.getState().outbox?.body.message ?? '';
  const parts = [draftOf(null), unsent, draftOf(sessionId)].filter((text) => text.trim() !== '');
  saveDraft(null, parts.join('\n\n'));
  flushDraft();
  const sent = chat.peek()?.getState().outbox?.body.images ?? [];
  saveDraftPictures(null, [...draftPicturesOf(null), ...sent, ...draftPicturesOf(sessionId)]);
  discardOutbox();
  goTo(null);
}

/** What was kept for it. */
export function forgetConversation(sessionId: string): void {
  saveDraft(sessionId, '');
  flushDraft();
  saveDraftPictures(sessionId, []);
  keep(`outbox.${sessionId}`, null);
}
