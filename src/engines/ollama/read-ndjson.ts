// NDJSON as it comes off a socket: any split of the bytes, several lines in one read, no final newline.
import { cutText } from '../../kit/whole-characters.ts';

/** A line longer than this is refused rather than gathered without end. Ollama's own client allows 8 MB. */
const MAX_LINE_LENGTH = 32 * 1024 * 1024;

/** A line that is not JSON, or is too long, or an answer that is. */
export class NdjsonError extends Error {
  override readonly name = 'NdjsonError';
}

const LINE_END = 0x0a;
/** Whole lines alone are decoded: no character goes over the end of one. */
const decoder = new TextDecoder();
const NOTHING: readonly Uint8Array[] = [];

/** Has a lifetime: that of one answer. Blank lines are skipped; bytes that are not UTF-8 become U+FFFD. */
export class NdjsonLines {
  readonly #maxBytes: number;
  /** Of a line that has not ended, as it came. */
  #rest = NOTHING;
  #restLength = 0;
  #length = 0;
  /** Why nothing more can be read: skipping a line that is not JSON could drop a part of an answer unseen. */
  failure: NdjsonError | null = null;
  isOver = false;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /**
   * @param bytes null: the answer is over
   * @returns the values of the lines that they complete; of those before a bad one, where there is one
   */
  read(bytes: Uint8Array | null): readonly unknown[] {
    if (bytes === null) {
      this.isOver = true;
      return this.#parse(this.#takeRest(NOTHING));
    }
    this.#length += bytes.length;
    if (this.#length > this.#maxBytes) {
      return this.#fail(`The answer is longer than ${this.#maxBytes} bytes.`);
    }
    const end = bytes.lastIndexOf(LINE_END) + 1;
    const whole = end === 0 ? '' : this.#takeRest([bytes.subarray(0, end)]);
    if (end < bytes.length) {
      const rest = bytes.subarray(end);
      this.#rest = [...this.#rest, rest];
      this.#restLength += rest.length;
    }
    return this.#restLength > MAX_LINE_LENGTH ? this.#fail('A line is too long.') : this.#parse(whole);
  }

  /** @param more what it goes on with */
  #takeRest(more: readonly Uint8Array[]): string {
    const [first, ...others] = [...this.#rest, ...more];
    this.#rest = NOTHING;
    this.#restLength = 0;
    if (first === undefined) return '';
    return decoder.decode(others.length === 0 ? first : Buffer.concat([first, ...others]));
  }

  #parse(text: string): readonly unknown[] {
    const values: unknown[] = [];
    for (const line of text.split('\n')) {
      const trimmed = line.trim();
      if (trimmed === '') continue;
      const parsed = parseLine(trimmed);
      if (parsed instanceof NdjsonError) {
        this.failure = parsed;
        break;
      }
      values.push(parsed);
    }
    return values;
  }

  #fail(reason: string): readonly unknown[] {
    this.failure = new NdjsonError(reason);
    return [];
  }
}

/**
 * Yields, per read, the values of the lines that it completed (never an empty list).
 * @throws NdjsonError for a line that is not JSON, and for more than so many bytes
 */
export async function* readNdjson(
  chunks: AsyncIterable<Uint8Array>,
  { maxBytes }: { readonly maxBytes: number },
): AsyncGenerator<readonly unknown[], void> {
  const lines = new NdjsonLines(maxBytes);
  for await (const chunk of chunks) {
    const values = lines.read(chunk);
    if (values.length > 0) yield values;
    if (lines.failure !== null) throw lines.failure;
  }
  const values = lines.read(null);
  if (values.length > 0) yield values;
  if (lines.failure !== null) throw lines.failure;
}

/** How much of a bad line an error shows. */
const EXCERPT_LENGTH = 200;

/** The value, or the error. */
function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return new NdjsonError(`A line is not JSON: ${cutText(line, EXCERPT_LENGTH)}`);
  }
}
