// Time as it is stored and sent.

/** Now as ISO 8601, UTC, with six fraction digits and `Z`: sorts as text, compares as an instant. */
export function timestampNow(): string {
  const microseconds = Math.round((performance.timeOrigin + performance.now()) * 1000);
  return formatMicroseconds(microseconds);
}

/** @param microseconds since the epoch */
export function formatMicroseconds(microseconds: number): string {
  const milliseconds = Math.floor(microseconds / 1000);
  const rest = String(microseconds - milliseconds * 1000).padStart(3, '0');
  return `${new Date(milliseconds).toISOString().slice(0, -1)}${rest}Z`;
}
