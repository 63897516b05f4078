// What a worker prints: the end of it is kept for the log of a call, the rest is read and forgotten.
import type { Readable } from 'node:stream';

const MAX_LOG_BYTES = 64 * 1024;
/** A mark that does not come, since the tool has closed its stdout: then the log is what has come. Milliseconds. */
const MARK_PATIENCE_MS = 300;

/** Has a lifetime: that of a worker. */
export class OutputTail {
  #chunks: Buffer[] = [];
  #size = 0;
  #mark: Buffer | null = null;
  readonly #streams: StreamEnd[];

  constructor(streams: readonly Readable[]) {
    this.#streams = streams.map((stream) => followStream(stream, this));
  }

  get mark(): Buffer | null {
    return this.#mark;
  }

  /** From here on it belongs to a call, and ends with a mark on each stream. */
  begin(mark: string): void {
    this.#chunks = [];
    this.#size = 0;
    this.#mark = Buffer.from(mark);
    for (const stream of this.#streams) stream.restart();
  }

  add(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    for (let first = this.#chunks[0]; first !== undefined && this.#size - first.length >= MAX_LOG_BYTES; ) {
      this.#chunks.shift();
      this.#size -= first.length;
      first = this.#chunks[0];
    }
  }

  /** Resolves when everything that the call has printed is here. */
  async settled(): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, MARK_PATIENCE_MS);
    await Promise.race([Promise.all(this.#streams.map((stream) => stream.complete())), late]);
    clearTimeout(timer);
  }

  /** The end of it, in whole characters. @returns null: nothing was printed */
  take(): string | null {
    const bytes = Buffer.concat(this.#chunks).subarray(-MAX_LOG_BYTES);
    if (bytes.length === 0) return null;
    // What was cut may begin inside a character: at most three bytes of it are left.
    let start = 0;
    while (start < 3 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start += 1;
    return bytes.subarray(start).toString('utf8');
  }
}

interface StreamEnd {
  restart(): void;
  /** Resolves at the mark, or at the end of the stream. */
  complete(): Promise<void>;
}

function followStream(stream: Readable, tail: OutputTail): StreamEnd {
  let complete = Promise.withResolvers<void>();
  let isOver = false;
  let held: Buffer = Buffer.alloc(0);
  stream.on('data', (chunk: Buffer) => {
    const data = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    held = Buffer.alloc(0);
    const { mark } = tail;
    const at = mark === null ? -1 : data.indexOf(mark);
    if (mark === null || at < 0) {
      const kept = mark === null ? 0 : beginningOf(mark, data);
      held = data.subarray(data.length - kept);
      if (data.length > kept) tail.add(data.subarray(0, data.length - kept));
      return;
    }
    if (at > 0) tail.add(data.subarray(0, at));
    if (data.length > at + mark.length) tail.add(data.subarray(at + mark.length));
    complete.resolve();
  });
  const end = () => {
    isOver = true;
    complete.resolve();
  };
  stream.once('close', end).on('error', end);
  return {
    restart() {
      held = Buffer.alloc(0);
      complete = Promise.withResolvers<void>();
      if (isOver) complete.resolve();
    },
    complete: () => complete.promise,
  };
}

/** How many bytes at the end of the data may be the beginning of the mark. */
function beginningOf(mark: Buffer, data: Buffer): number {
  for (let length = Math.min(mark.length - 1, data.length); length > 0; length -= 1) {
    if (data.subarray(data.length - length).equals(mark.subarray(0, length))) return length;
  }
  return 0;
}
