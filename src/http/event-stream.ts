// A turn sent to a reader, as fast as it reads.
import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import type { WatchableTurn, WatchReach } from '../chat/watch/live-turn.ts';
import { toPieces } from './frames.ts';

/** Proxies cut silent connections; clients give up on them. */
const PING_INTERVAL_MS = 15_000;
/** A reader that takes nothing for this long is gone: at most a piece and the buffers of the system wait for it. */
const STALLED_READER_MS = 60_000;

/**
 * Sends the events of a turn after number `after` until its last one, or until the reader is gone.
 * @returns whether the reader stayed to the end
 */
export async function sendEvents(
  reply: FastifyReply,
  turn: WatchableTurn,
  { after, reach = 'end' }: { readonly after: number; readonly reach?: WatchReach },
): Promise<boolean> {
  const left = new AbortController();
  // Refused watchers get a plain error: this comes before the first byte.
  const batches = turn.watch(after, left.signal, reach);
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
      for (const piece of toPieces(batch, turn.watcherCount > 1)) {
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
