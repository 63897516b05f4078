// Keys of the whole page. Those of the browser are left alone.
import { prefer, preferences } from '../state/preferences.ts';
import { goTo, route } from '../state/route.ts';
import { sessions } from '../state/sessions.ts';
import { open } from './dialogs.tsx';

const FIELDS = 'input, textarea, select, [contenteditable]';

export function onPageKey(event: KeyboardEvent): void {
  const { key, altKey, shiftKey } = event;
  const isCommand = event.metaKey || event.ctrlKey;
  const letter = key.toLowerCase();
  if (isCommand && altKey) return;
  if (isCommand && letter === 'k' && !shiftKey) open('search');
  else if (isCommand && letter === 'o' && shiftKey) goTo(null);
  else if (isCommand && letter === 'b' && !shiftKey)
    prefer({ isSidebarOpen: !preferences.value.isSidebarOpen });
  else if (altKey && (key === 'ArrowUp' || key === 'ArrowDown')) goToNext(key === 'ArrowDown' ? 1 : -1);
  else if (key === '?' && !isCommand && !altKey && isFree(event.target)) open('keys');
  else return;
  event.preventDefault();
}

/** Of the list; where none is shown, its first one. */
function goToNext(step: number): void {
  const ids = sessions.value?.map(({ session_id: id }) => id) ?? [];
  const at = ids.indexOf(route.value.sessionId ?? '');
  const next = ids[at === -1 ? 0 : at + step];
  if (next !== undefined) goTo(next);
}

/** Nothing is written there, and no dialog stands in the way. */
function isFree(target: EventTarget | null): boolean {
  return (
    !(target instanceof Element && target.closest(FIELDS) !== null) &&
    document.querySelector('dialog') === null
  );
}
