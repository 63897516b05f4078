// JSON.parse with rests: a long text is read member by member, and what comes of it is the same. Libraries that read
// JSON in pieces build each value in JavaScript, which takes several times as long as this does with JSON.parse.
import type { Stretches } from './stretches.ts';

/** Bytes that are parsed at once: two or three milliseconds. */
const PIECE = 256 * 1024;
/** Deeper than this a long value is parsed at once: it is looked for in lists and objects that hold nearly everything. */
const MAX_DESCENT = 8;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT, COMMA, COLON] = Buffer.from('[]{},:') as never as [
  number,
  number,
  number,
  number,
  number,
  number,
];
const BLANKS: readonly number[] = [0x20, 0x09, 0x0a, 0x0d];

/** So many bytes of a string, as keys have them, are looked through here. */
const NEAR = 32;

/** Where the string ends that begins there. UTF-8 has neither quote nor backslash inside of a character. */
export function endOfString(bytes: Uint8Array, start: number): number {
  for (let at = start; ; ) {
    const near = Math.min(bytes.length, at + NEAR);
    while (at < near && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
    if (at < near) return at;
    const quote = bytes.indexOf(QUOTE, at);
    if (quote === -1) return bytes.length;
    let escapes = 0;
    while (quote - escapes > at && bytes[quote - 1 - escapes] === BACKSLASH) escapes += 1;
    if (escapes % 2 === 0) return quote;
    at = quote + 1;
  }
}

/**
 * What JSON.parse makes of it: of a key that is there twice the last, `__proto__` as a member.
 * @param bytes UTF-8; may begin with the mark of a file
 * @throws SyntaxError; TypeError for what is not UTF-8
 */
export function* parseLongJson(bytes: Uint8Array): Stretches<unknown> {
  const hasMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  const text = new LongText(hasMark ? bytes.subarray(3) : bytes);
  const value = yield* text.read(0);
  text.skipBlanks();
  if (!text.isOver) throw new SyntaxError('There is something behind the value.');
  return value;
}

const isOpening = (byte: number | undefined) => byte === OPEN_LIST || byte === OPEN_OBJECT;
const isClosing = (byte: number | undefined) => byte === CLOSE_LIST || byte === CLOSE_OBJECT;

/** What lies together in a list or an object, at its own level. */
interface Stretch {
  /** Behind the last entry that is whole; null: not even the first one is. */
  readonly end: number | null;
  /** Whether that is where the list or the object ends. */
  readonly isLast: boolean;
}

class LongText {
  readonly #bytes: Uint8Array;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isOver(): boolean {
    return this.#at >= this.#bytes.length;
  }

  skipBlanks(): void {
    while (BLANKS.includes(this.#bytes[this.#at] ?? 0)) this.#at += 1;
  }

  /** The value that comes next. */
  *read(descent: number): Stretches<unknown> {
    this.skipBlanks();
    const opening = this.#bytes[this.#at];
    const isShort = this.#bytes.length - this.#at <= PIECE;
    if (isShort || descent > MAX_DESCENT || !isOpening(opening)) return this.#parseNext();
    this.#at += 1;
    return opening === OPEN_LIST ? yield* this.#readList(descent) : yield* this.#readObject(descent);
  }

  *#readList(descent: number): Stretches<unknown[]> {
    const list: unknown[] = [];
    for (;;) {
      const stretch = this.#lookAhead(CLOSE_LIST);
      if (stretch.end === null) {
        list.push(yield* this.read(descent + 1));
      } else {
        const found = this.#parse(this.#at, stretch.end, '[', ']') as unknown[];
        // Nothing stands between two commas, or before the end; only a list without entries has nothing in it.
        if (found.length === 0 && !(stretch.isLast && list.length === 0))
          throw new SyntaxError('An entry is missing.');
        for (const entry of found) list.push(entry);
        this.#at = stretch.end;
      }
      yield;
      if (this.#endsHere(CLOSE_LIST)) return list;
    }
  }

  *#readObject(descent: number): Stretches<object> {
    const object = {};
    let isEmpty = true;
    for (;;) {
      const stretch = this.#lookAhead(CLOSE_OBJECT);
      if (stretch.end === null) {
        const key = this.#readKey();
        setMember(object, key, yield* this.read(descent + 1));
      } else {
        const found = Object.entries(this.#parse(this.#at, stretch.end, '{', '}') as object);
        if (found.length === 0 && !(stretch.isLast && isEmpty)) throw new SyntaxError('A member is missing.');
        for (const [key, value] of found) setMember(object, key, value);
        this.#at = stretch.end;
      }
      isEmpty = false;
      yield;
      if (this.#endsHere(CLOSE_OBJECT)) return object;
    }
  }

  /** The key of a member, and its colon. */
  #readKey(): string {
    this.skipBlanks();
    if (this.#bytes[this.#at] !== QUOTE) throw new SyntaxError('A member has no key.');
    const end = endOfString(this.#bytes, this.#at + 1) + 1;
    const key = this.#parse(this.#at, end) as string;
    this.#at = end;
    this.skipBlanks();
    if (this.#bytes[this.#at] !== COLON) throw new SyntaxError('A key has no value.');
    this.#at += 1;
    return key;
  }

  /** Behind an entry. @returns whether that was the last one */
  #endsHere(closing: number): boolean {
    this.skipBlanks();
    const byte = this.#bytes[this.#at];
    this.#at += 1;
    if (byte === COMMA) return false;
    if (byte === closing) return true;
    throw new SyntaxError('A list or an object goes on in no way that is known.');
  }

  /** As many entries as are parsed at once. @param closing what ends it; another one is left to who parses */
  #lookAhead(closing: number): Stretch {
    const bytes = this.#bytes;
    const limit = Math.min(bytes.length, this.#at + PIECE);
    let end: number | null = null;
    let depth = 0;
    for (let at = this.#at; at < limit; at += 1) {
      const byte = bytes[at];
      if (byte === QUOTE) at = endOfString(bytes, at + 1);
      else if (isOpening(byte)) depth += 1;
      else if (isClosing(byte)) {
        if (depth === 0) {
          if (byte !== closing) throw new SyntaxError('A list or an object is closed as something else.');
          return { end: at, isLast: true };
        }
        depth -= 1;
      } else if (byte === COMMA && depth === 0) end = at;
    }
    return { end, isLast: false };
  }

  /** The next value, at once. */
  #parseNext(): unknown {
    const bytes = this.#bytes;
    const start = this.#at;
    let depth = 0;
    let at = start;
    for (; at < bytes.length; at += 1) {
      const byte = bytes[at];
      if (byte === QUOTE) at = endOfString(bytes, at + 1);
      else if (isOpening(byte)) depth += 1;
      else if (depth === 0 && (byte === COMMA || isClosing(byte))) break;
      else if (isClosing(byte)) depth -= 1;
    }
    this.#at = Math.min(at, bytes.length);
    return this.#parse(start, this.#at);
  }

  #parse(start: number, end: number, before = '', after = ''): unknown {
    return JSON.parse(`${before}${this.#decoder.decode(this.#bytes.subarray(start, end))}${after}`);
  }
}

function setMember(object: object, key: string, value: unknown): void {
  // Set like others, it would become the prototype.
  if (key !== '__proto__') Object.assign(object, { [key]: value });
  else Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true });
}
