// PostgreSQL takes no text with U+0000 in it. Somebody may have said it, so it is stored under another name: of two signs,
// the first of which hardly anybody uses, and is itself stored as two.
const NUL = '\u0000';
const ESCAPE = '\u001a';
const STORED_NUL = `${ESCAPE}0`;
const STORED_ESCAPE = `${ESCAPE}1`;

/** A value as it is given to the database. */
export function toStored(value: unknown): unknown {
  if (typeof value === 'string') return textToStored(value);
  if (Array.isArray(value)) return value.map(toStored);
  return value;
}

function textToStored(text: string): string {
  if (!text.includes(NUL) && !text.includes(ESCAPE)) return text;
  return text.replaceAll(ESCAPE, STORED_ESCAPE).replaceAll(NUL, STORED_NUL);
}

/** A value as it was given; of JSON that the driver has read, whatever is in it. */
function fromStored(value: unknown): unknown {
  if (typeof value === 'string') return textFromStored(value);
  if (Array.isArray(value)) return value.map(fromStored);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, fromStored(one)]));
}

function textFromStored(text: string): string {
  if (!text.includes(ESCAPE)) return text;
  return text.replaceAll(STORED_NUL, NUL).replaceAll(STORED_ESCAPE, ESCAPE);
}

/** Changed in its place: it is nobody's yet. */
export function rowFromStored(row: Record<string, unknown>): void {
  for (const key in row) {
    const value = row[key];
    if (typeof value === 'number' || value === null) continue;
    row[key] = fromStored(value);
  }
}
