// The shape of a JSON text, read from its bytes: what would block everybody else is refused before it is built.

/** Far more than any real body has; far less than what overflows the stack of those who walk it. */
const MAX_DEPTH = 64;
/** A session of 10 000 messages has half of them; JSON.parse takes up to a microsecond for each. */
const MAX_VALUES = 200_000;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

const PLAIN = 0;
const STRING = 1;
const SEPARATOR = 2;
const OPENING = 3;
const CLOSING = 4;

/** What a byte outside of strings means. A table: most bytes cost one look. */
const MEANINGS = new Uint8Array(256);
MEANINGS[QUOTE] = STRING;
for (const [text, meaning] of [
  [',', SEPARATOR],
  ['[{', OPENING],
  [']}', CLOSING],
] as const) {
  for (const byte of Buffer.from(text)) MEANINGS[byte] = meaning;
}

/**
 * Linear and without allocation: a few milliseconds per megabyte. What is no JSON is read as if it were.
 * @returns what is wrong with the shape, as the end of a sentence about the body; null when it may be parsed
 */
export function shapeFault(bytes: Uint8Array): string | null {
  let depth = 0;
  let values = 1;
  for (let at = 0; at < bytes.length; at += 1) {
    const meaning = MEANINGS[bytes[at] ?? 0];
    if (meaning === PLAIN) continue;
    if (meaning === STRING) {
      at = endOfString(bytes, at + 1);
      continue;
    }
    if (meaning === CLOSING) {
      depth -= 1;
      continue;
    }
    if (meaning === OPENING) depth += 1;
    if (depth > MAX_DEPTH) return `is nested over ${MAX_DEPTH} levels deep`;
    values += 1;
    if (values > MAX_VALUES) return `holds more than ${MAX_VALUES} values`;
  }
  return null;
}

/** Where the string ends that begins there. UTF-8 has neither quote nor backslash inside of a character. */
function endOfString(bytes: Uint8Array, start: number): number {
  let at = start;
  while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
  return at;
}
