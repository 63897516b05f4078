// Time as it is stored and sent. One rule for all of the code: an instant is what `Date` says, since it must agree with
// other machines and with the next run; how long something takes is measured with `performance.now()`, since `Date` can
// be set. Neither is ever compared with the other.

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
  const now = Date.now() * 1000;
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
  return formatMicroseconds((Date.now() - milliseconds) * 1000);
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
