// Events sent to a reader, as fast as it reads.
import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import { type NumberedEvent, toPieces } from './frames.ts';

/** Proxies cut silent connections; clients give up on them. */
const PING_INTERVAL_MS = 15_000;
/** A reader that takes nothing for this long is gone: at most a piece and the buffers of the system wait for it. */
const STALLED_READER_MS = 60_000;

/** What has events to send, and how many are sent them. */
export interface EventSource<Seen> {
  readonly watcherCount: number;
  watch(after: Seen, signal: AbortSignal, reach: WatchReach): AsyncGenerator<readonly NumberedEvent[], void>;
}

/** How far a reader is sent events: to the last one, or as far as there are any. */
type WatchReach = 'end' | 'there';

/**
 * Sends the events after what was seen until the last one, or until the reader is gone.
 * @returns whether the reader stayed to the end
 */
export async function sendEvents<Seen>(
  reply: FastifyReply,
  source: EventSource<Seen>,
  { after, reach = 'end' }: { readonly after: Seen; readonly reach?: WatchReach },
): Promise<boolean> {
  const left = new AbortController();
  // Refused watchers get a plain error: this comes before the first byte.
  const batches = source.watch(after, left.signal, reach);
  reply.hijack();
  const { raw } = reply;
  raw.once('close', () => left.abort());
  // It may have left while the turn was being accepted.
  if (raw.destroyed || raw.socket?.destroyed) left.abort();
  // Without a listener an error of the socket would end the process; `close` follows it.
  raw.on('error', () => left.abort());
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    if (value !== undefined) raw.setHeader(name, value);
  }
  raw.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  // Between the pieces of a long frame the socket is full: a comment there would end up inside of it.
  const ping = setInterval(() => {
    if (!raw.writableNeedDrain) raw.write(': ping\n\n');
  }, PING_INTERVAL_MS);
  try {
    for await (const batch of batches) {
      for (const piece of toPieces(batch, source.watcherCount > 1)) {
        if (!raw.write(piece)) await taken(raw, 'drain', left.signal);
        if (left.signal.aborted) return false;
      }
      ping.refresh();
    }
  } finally {
    clearInterval(ping);
  }
  if (left.signal.aborted) return false;
  raw.end();
  if (!raw.writableFinished) await taken(raw, 'finish', left.signal);
  return raw.writableFinished;
}

/** Waits until the socket has taken what it was given; cuts a reader that stopped reading. */
function taken(raw: ServerResponse, event: 'drain' | 'finish', left: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const stalled = setTimeout(() => raw.destroy(), STALLED_READER_MS);
    const done = () => {
      clearTimeout(stalled);
      raw.off(event, done);
      left.removeEventListener('abort', done);
      resolve();
    };
    raw.once(event, done);
    left.addEventListener('abort', done, { once: true });
    if (left.aborted) done();
  });
}
