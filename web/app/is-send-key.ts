import { preferences } from '../state/preferences.ts';

/** Enter where the setting lets it send, and Ctrl+Enter always: wherever a message is written. */
export function isSendKey({ key, shiftKey, altKey, ctrlKey, metaKey }: KeyboardEvent): boolean {
  return key === 'Enter' && !shiftKey && !altKey && (preferences.value.enterSends || ctrlKey || metaKey);
}
