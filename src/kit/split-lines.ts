// Bytes → lines, numbered from 1. Only LF ends a line: JSON text may hold every other line end as it is.

export interface NumberedLine {
  readonly number: number;
  /** Without the line end; null for a line that is too long to be kept. */
  readonly bytes: Buffer | null;
}

/** Longest line that is kept: what a text in memory can hold, with room to spare. 256 MiB. */
const MAX_LINE_BYTES = 256 * 1024 * 1024;

/** An empty rest after the last line end is no line. */
export async function* splitLines(
  chunks: AsyncIterable<Buffer> | Iterable<Buffer>,
  maxBytes = MAX_LINE_BYTES,
): AsyncGenerator<NumberedLine, void> {
  let number = 0;
  let parts: Buffer[] = [];
  let length = 0;
  const add = (part: Buffer) => {
    length += part.length;
    if (length > maxBytes) parts = [];
    else parts.push(part);
  };
  const take = (): NumberedLine => {
    const bytes = length > maxBytes ? null : Buffer.concat(parts);
    parts = [];
    length = 0;
    number += 1;
    return { number, bytes };
  };
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      add(chunk.subarray(start, end));
      yield take();
      start = end + 1;
    }
    if (start < chunk.length) add(chunk.subarray(start));
  }
  if (length > 0) yield take();
}
