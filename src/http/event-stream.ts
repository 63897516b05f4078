// Turn events → SSE bytes. What waits together goes out in one write.
import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import type { NumberedEvent, WatchableTurn } from '../chat/live-turn.ts';

/** Proxies cut silent connections; clients give up on them. */
const PING_INTERVAL_MS = 15_000;
/** A reader that takes nothing for this long is gone. */
const STALLED_READER_MS = 60_000;

/**
 * Sends the events of a turn after number `after` until its last one, or until the reader is gone.
 * @returns whether the reader stayed to the end
 */
export async function sendEvents(reply: FastifyReply, turn: WatchableTurn, after: number): Promise<boolean> {
  const left = new AbortController();
  // Refused watchers get a plain error: this comes before the first byte.
  const batches = turn.watch(after, left.signal);
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
  const ping = setInterval(() => {
    if (!raw.writableNeedDrain) raw.write(': ping\n\n');
  }, PING_INTERVAL_MS);
  try {
    for await (const batch of batches) {
      if (!raw.write(toBytes(batch, turn.watcherCount > 1))) await drained(raw, left.signal);
      ping.refresh();
    }
  } finally {
    clearInterval(ping);
  }
  if (left.signal.aborted) return false;
  raw.end();
  return true;
}

/** Frames of turns with several watchers are made once. */
const sharedFrames = new WeakMap<NumberedEvent, string>();

function toBytes(batch: readonly NumberedEvent[], isShared: boolean): string {
  if (!isShared) return batch.map(toFrame).join('');
  return batch.map((numbered) => sharedFrames.get(numbered) ?? shareFrame(numbered)).join('');
}

function shareFrame(numbered: NumberedEvent): string {
  const frame = toFrame(numbered);
  sharedFrames.set(numbered, frame);
  return frame;
}

/** Line ends to some readers, although not to the standard; JSON leaves them as they are. */
const LINE_ENDS = /[\u0085\u2028\u2029]/g;

/** LF line ends, one line of JSON: no event can break out of its frame. */
function toFrame({ id, event }: NumberedEvent): string {
  const data = JSON.stringify(event.data).replace(LINE_ENDS, escapeCharacter);
  return `id: ${id}\nevent: ${event.event}\ndata: ${data}\n\n`;
}

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** Waits until the socket takes more; cuts a reader that stopped reading. */
function drained(raw: ServerResponse, left: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const stalled = setTimeout(() => raw.destroy(), STALLED_READER_MS);
    const done = () => {
      clearTimeout(stalled);
      raw.off('drain', done);
      left.removeEventListener('abort', done);
      resolve();
    };
    raw.once('drain', done);
    left.addEventListener('abort', done, { once: true });
  });
}
