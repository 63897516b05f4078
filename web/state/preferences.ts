// What a person has chosen for this browser.
import { effect, signal } from '@preact/signals';
import { keep, recall } from '../lib/kept.ts';

export type Theme = 'auto' | 'light' | 'dark';

interface Preferences {
  readonly theme: Theme;
  /** Off where the keyboard is on the screen: Enter is a new line there. */
  readonly enterSends: boolean;
  readonly isSidebarOpen: boolean;
  /** As it was chosen last: for conversations with no word of their own. */
  readonly think: boolean | 'low' | 'medium' | 'high';
}

const isTouched = matchMedia('(pointer: coarse)').matches;
const isNarrow = matchMedia('(max-width: 767px)').matches;

const DEFAULTS: Preferences = { theme: 'auto', enterSends: !isTouched, isSidebarOpen: true, think: false };

export const preferences = signal<Preferences>({
  ...DEFAULTS,
  ...recall<Partial<Preferences>>('preferences'),
  ...(isNarrow && { isSidebarOpen: false }),
});

export function prefer(change: Partial<Preferences>): void {
  preferences.value = { ...preferences.value, ...change };
  keep('preferences', preferences.value);
}

effect(() => {
  const { theme } = preferences.value;
  if (theme === 'auto') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme;
});
