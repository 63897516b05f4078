// The shape of a JSON text, read from its bytes: what would block everybody else is refused before it is built.
import { randomBytes } from 'node:crypto';
import { endOfString } from '../kit/parse-long-json.ts';
import type { Stretches } from '../kit/stretches.ts';

/** Far more than any real body has; far less than what overflows the stack of those who walk it. */
const MAX_DEPTH = 64;
/** A session of 10 000 messages has half of them; JSON.parse takes up to a microsecond for each. */
const MAX_VALUES = 200_000;

/** A body has the same keys again and again; each other one takes JSON.parse up to two microseconds. */
const MAX_DISTINCT_KEYS = 10_000;

const QUOTE = 0x22;

const PLAIN = 0;
const STRING = 1;
const SEPARATOR = 2;
const OPENING = 3;
const CLOSING = 4;
const COLON = 5;

/** What a byte outside of strings means. A table: most bytes cost one look. */
const MEANINGS = new Uint8Array(256);
MEANINGS[QUOTE] = STRING;
for (const [text, meaning] of [
  [',', SEPARATOR],
  ['[{', OPENING],
  [']}', CLOSING],
  [':', COLON],
] as const) {
  for (const byte of Buffer.from(text)) MEANINGS[byte] = meaning;
}

/** Bytes that are looked at before others have a turn. */
const STRETCH = 1024 ** 2;

/**
 * Linear and without allocation: a few milliseconds per megabyte. What is no JSON is read as if it were.
 * @returns what is wrong with the shape, as the end of a sentence about the body; null when it may be parsed
 */
export function* shapeFault(bytes: Uint8Array, maxDepth = MAX_DEPTH): Stretches<string | null> {
  let depth = 0;
  let values = 1;
  let keys = 0;
  let rest = STRETCH;
  for (let at = 0; at < bytes.length; at += 1) {
    if (at > rest) {
      rest = at + STRETCH;
      yield;
    }
    const meaning = MEANINGS[bytes[at] ?? 0];
    if (meaning === PLAIN) continue;
    if (meaning === STRING) {
      at = endOfString(bytes, at + 1);
      continue;
    }
    if (meaning === COLON) {
      keys += 1;
      continue;
    }
    if (meaning === CLOSING) {
      depth -= 1;
      continue;
    }
    if (meaning === OPENING) depth += 1;
    if (depth > maxDepth) return `is nested over ${maxDepth} levels deep`;
    values += 1;
    if (values > MAX_VALUES) return `holds more than ${MAX_VALUES} values`;
  }
  if (keys <= MAX_DISTINCT_KEYS || !(yield* hasTooManyKeys(bytes))) return null;
  return `holds more than ${MAX_DISTINCT_KEYS} distinct keys`;
}

const SLOT_BITS = 20;
/** Nobody who writes a body knows which keys share a slot. */
const MULTIPLIER = randomBytes(4).readUInt32LE() | 1;

/** About right: of as many keys as are allowed, one in a hundred shares a slot with another. */
function* hasTooManyKeys(bytes: Uint8Array): Stretches<boolean> {
  const isTaken = new Uint8Array(2 ** SLOT_BITS);
  let count = 0;
  let start = 0;
  let end = 0;
  let rest = STRETCH;
  for (let at = 0; at < bytes.length; at += 1) {
    if (at > rest) {
      rest = at + STRETCH;
      yield;
    }
    const meaning = MEANINGS[bytes[at] ?? 0];
    if (meaning === STRING) {
      start = at + 1;
      end = at = endOfString(bytes, start);
    } else if (meaning === COLON) {
      const slot = slotOf(bytes, start, end);
      if (isTaken[slot] === 0) count += 1;
      if (count > MAX_DISTINCT_KEYS) return true;
      isTaken[slot] = 1;
    }
  }
  return false;
}

function slotOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = end - start;
  for (let at = start; at < end; at += 1) hash = (Math.imul(hash, MULTIPLIER) + (bytes[at] ?? 0)) | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> (32 - SLOT_BITS);
}
