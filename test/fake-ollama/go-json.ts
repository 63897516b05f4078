// Writes values the way Go's encoders do, because that is what a client of Ollama has to read.

/** JSON as Go's encoder writes it: `<`, `>` and `&` are escaped, so a client that greps the raw line breaks. */
export function goJson(value: unknown): string {
  return JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, escapeCharacter);
}

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** RFC 3339 with nanoseconds, as in `created_at` and `expires_at`. */
export function goTime(date: Date = new Date()): string {
  return `${date.toISOString().slice(0, -1)}123456Z`;
}

/** Go's name for the kind of a JSON value, as in `cannot unmarshal array into …`. */
export function jsonKind(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}
