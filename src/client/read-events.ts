// Server-sent events: bytes into frames, and a limit of silence.
import { MochiError } from './errors.ts';
import { parseEvents } from './parse-events.ts';

export interface Frame {
  /** Null: it is about this connection, and no event of the stream. */
  readonly id: number | null;
  readonly event: string;
  readonly data: unknown;
}

export interface ReadOptions {
  readonly idleMs: number;
  /** Anything came, be it a comment. */
  readonly onBytes?: () => void;
}

/** Ends with the stream. @throws MochiError `stalled` after a silence, or what the connection broke with */
export async function* readEvents(response: Response, options: ReadOptions): AsyncGenerator<Frame, void> {
  const frames: Frame[] = [];
  const feed = parseEvents(({ id = '', event = 'message', data }) =>
    frames.push({ id: /^\d+$/.test(id) ? Number(id) : null, event, data: parse(data) }),
  );
  if (response.body === null) {
    // Some runtimes have it whole only.
    feed(await response.text());
    yield* frames;
    return;
  }
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  try {
    for (;;) {
      const { done, value } = await within(reader.read(), options.idleMs);
      if (done) return;
      options.onBytes?.();
      feed(decoder.decode(value, { stream: true }));
      yield* frames.splice(0);
    }
  } finally {
    // Closes the connection; one that is broken says so again.
    reader.cancel().catch(() => undefined);
  }
}

function parse(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch (cause) {
    const message = `An event is no JSON: ${data.slice(0, 200)}`;
    throw new MochiError({ code: 'not_mochi', message, cause });
  }
}

/** @throws MochiError `stalled` when it takes longer; the promise goes on by itself then */
export async function within<T>(promise: Promise<T>, ms: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const silence = new Promise<never>((_resolve, reject) => {
    const message = `Nothing came for ${Math.round(ms / 1000)} s.`;
    timer = setTimeout(() => reject(new MochiError({ code: 'stalled', message })), ms);
  });
  try {
    return await Promise.race([promise, silence]);
  } finally {
    clearTimeout(timer);
  }
}
