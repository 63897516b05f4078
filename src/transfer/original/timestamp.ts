// The original's timestamps: UTC with `Z`, whole seconds without a fraction, and coco's local time without a zone.

/** What Python's `isoformat` writes and a little more: date, day, time, fraction, zone. */
const ISO_8601 =
  /^(\d{4}-\d{2}-(\d{2}))[T ](\d{2}:\d{2})(?::(\d{2})(?:[.,](\d+))?)?\s*(?:Z|([+-])(\d{2}):?(\d{2})?)?$/i;

/**
 * The same instant as ISO 8601, UTC, with six fraction digits and `Z`; null for what names no instant.
 * A time without a zone is read as UTC: where it was written cannot be known.
 */
export function parseOriginalTimestamp(value: unknown): string | null {
  const match = typeof value === 'string' ? ISO_8601.exec(value.trim()) : null;
  if (match === null) return null;
  const [, date, day, minutes, seconds = '00', fraction = '', sign, offsetHours = '0', offsetMinutes = '0'] =
    match;
  const wallClock = `${date}T${minutes}:${seconds}`;
  const wallClockMs = Date.parse(`${wallClock}Z`);
  // Date.parse turns 31 February into 3 March, and 24:00 into the next day.
  if (Number.isNaN(wallClockMs) || new Date(wallClockMs).getUTCDate() !== Number(day)) return null;
  if (Number(offsetHours) > 23 || Number(offsetMinutes) > 59) return null;
  const offsetMs = (Number(offsetHours) * 60 + Number(offsetMinutes)) * 60_000;
  const instant =
    offsetMs === 0 ? wallClock : isoSeconds(wallClockMs - (sign === '-' ? -offsetMs : offsetMs));
  // An offset can push the instant out of the four-digit years; such a text would sort wrongly.
  if (!/^\d{4}-/.test(instant)) return null;
  // Offsets are whole minutes, so the fraction is copied as text: exact, where a number of microseconds is not.
  return `${instant}.${fraction.slice(0, 6).padEnd(6, '0')}Z`;
}

/** ISO 8601 down to seconds, without a zone. */
function isoSeconds(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, -'.000Z'.length);
}
