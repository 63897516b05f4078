// Time as it is stored and sent. One rule for all of the code: an instant is what `instantNow` says, since it must agree
// with other machines and with the next run; how long something takes is measured with `performance.now()`, since clocks
// can be set. Neither is ever compared with the other.

/** What another clock shows when `performance.now()` is 0; null: none is followed. */
let followed: number | null = null;

/** Now, in whole milliseconds since the epoch: by the clock of this machine, or by the one that is followed. */
export function instantNow(): number {
  return followed === null ? Date.now() : Math.floor(followed + performance.now());
}

/**
 * Goes by another clock from now on: servers that share their data agree on the time, whatever their machines say.
 * @param instant that it has shown, in milliseconds since the epoch
 * @param seen by `performance.now()`: not before it was asked, not after it was heard
 */
export function followClock(instant: number, seen: { readonly from: number; readonly until: number }): void {
  const [least, most] = [instant - seen.until, instant - seen.from];
  // What is known already stays, as far as it agrees: how long an answer is under way says nothing about the clock.
  followed = Math.min(Math.max(followed ?? (least + most) / 2, least), most);
}

/** By so little the wall clock may go back, in microseconds, and nobody notices; by more, it is followed. */
const SMALLEST_STEP = 1_000_000;

let last = 0;
/** What was written last. */
let written = { milliseconds: Number.NaN, text: '' };

/**
 * Now as ISO 8601, UTC, with six fraction digits and `Z`: sorts as text, compares as an instant. Each is later than the
 * one before, unless the clock was set back.
 */
export function timestampNow(): string {
  const now = instantNow() * 1000;
  const isAhead = last >= now && last - now < SMALLEST_STEP;
  last = isAhead ? last + 1 : now;
  return formatMicroseconds(last);
}

/** Now for names of files: sorts as text, and no file system minds it. */
export function nameStamp(): string {
  return new Date().toISOString().replace(/\W/g, '');
}

/** The instant so many milliseconds ago, to be compared with stored ones. */
export function timestampBefore(milliseconds: number): string {
  return formatMicroseconds((instantNow() - milliseconds) * 1000);
}

/** Now, or the moment after an earlier instant where the clock was set back since. */
export function timestampAfter(earlier: string | null, now: string): string {
  if (earlier === null || now > earlier) return now;
  const microseconds = Date.parse(earlier) * 1000 + Number(earlier.slice(-4, -1)) + 1;
  return Number.isFinite(microseconds) ? formatMicroseconds(microseconds) : now;
}

/** @param microseconds since the epoch */
export function formatMicroseconds(microseconds: number): string {
  const milliseconds = Math.floor(microseconds / 1000);
  const rest = String(microseconds - milliseconds * 1000).padStart(3, '0');
  // Within one millisecond it is asked for many times.
  if (milliseconds !== written.milliseconds) {
    written = { milliseconds, text: new Date(milliseconds).toISOString().slice(0, -1) };
  }
  return `${written.text}${rest}Z`;
}
