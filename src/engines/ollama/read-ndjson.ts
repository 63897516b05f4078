// NDJSON as it comes off a socket: any split of the bytes, several lines in one read, no final newline.
import { cutText } from '../../kit/whole-characters.ts';

/** A line longer than this is refused rather than gathered without end. Ollama's own client allows 8 MB. */
const MAX_LINE_LENGTH = 32 * 1024 * 1024;

/** A line that is not JSON, or is too long, or an answer that is. */
export class NdjsonError extends Error {
  override readonly name = 'NdjsonError';
}

/**
 * Yields, per read, the values of the lines that it completed (never an empty list). Blank lines are
 * skipped. Bytes that are not UTF-8 become U+FFFD.
 * @throws NdjsonError for a line that is not JSON (skipping it could drop a part of an answer unseen), and for
 * more than so many bytes
 */
export async function* readNdjson(
  chunks: AsyncIterable<Uint8Array>,
  { maxBytes }: { readonly maxBytes: number },
): AsyncGenerator<readonly unknown[], void> {
  const decoder = new TextDecoder();
  let rest = '';
  let length = 0;
  for await (const chunk of chunks) {
    length += chunk.length;
    if (length > maxBytes) throw new NdjsonError(`The answer is longer than ${maxBytes} bytes.`);
    const text = decoder.decode(chunk, { stream: true });
    const lastBreak = text.lastIndexOf('\n');
    if (lastBreak === -1) {
      rest += text;
      if (rest.length > MAX_LINE_LENGTH) throw new NdjsonError('A line is too long.');
      continue;
    }
    yield* parseLines(rest + text.slice(0, lastBreak));
    rest = text.slice(lastBreak + 1);
  }
  yield* parseLines(rest + decoder.decode());
}

/** What stands before a bad line is told before the line is refused. */
function* parseLines(text: string): Generator<readonly unknown[], void> {
  const values: unknown[] = [];
  for (const line of text.split('\n')) {
    const trimmed = line.trim();
    if (trimmed === '') continue;
    const parsed = parseLine(trimmed);
    if (parsed instanceof NdjsonError) {
      if (values.length > 0) yield values;
      throw parsed;
    }
    values.push(parsed);
  }
  if (values.length > 0) yield values;
}

/** How much of a bad line an error shows. */
const EXCERPT_LENGTH = 200;

/** The value, or the error: thrown by the caller, in its place. */
function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return new NdjsonError(`A line is not JSON: ${cutText(line, EXCERPT_LENGTH)}`);
  }
}
