// Times and sizes, in the language of the browser.
import { t } from '../lang/text.ts';

const DAY_MS = 86_400_000;
const time = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const fraction = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });

export function showTime(timestamp: string): string {
  const date = new Date(timestamp);
  return Number.isNaN(date.getTime()) ? '' : time.format(date);
}

/** Under which heading of the list a session stands. */
export function ageOf(timestamp: string, now: Date): string {
  const midnight = new Date(now.getFullYear(), now.getMonth(), now.getDate()).getTime();
  const at = new Date(timestamp).getTime();
  if (at >= midnight) return t.today;
  if (at >= midnight - DAY_MS) return t.yesterday;
  return at >= midnight - 6 * DAY_MS ? t.week : t.earlier;
}

export function showBytes(bytes: number): string {
  const steps = ['B', 'kB', 'MB', 'GB'];
  let size = bytes;
  let step = 0;
  while (size >= 1000 && step < steps.length - 1) {
    size /= 1000;
    step += 1;
  }
  return `${fraction.format(size)} ${steps[step]}`;
}

export function showFraction(value: number): string {
  return fraction.format(value);
}
