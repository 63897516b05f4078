// An answer that is a stream of server-sent events: its beginning, its pauses, its reader.
import type { ServerResponse } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { OVER } from '../kit/over.ts';
import { noteStream } from './connections/probe-half-closed.ts';

/** Proxies cut silent connections; clients give up on them. */
export const PING_INTERVAL_MS = 15_000;
/** A reader that takes nothing for this long is gone: at most a piece and the buffers of the system wait for it. */
const STALLED_READER_MS = 60_000;

/** Aborted when the reader is gone; it may have left already. */
export function leftSignal({ raw }: FastifyReply): AbortSignal {
  const left = new AbortController();
  const leave = () => left.abort(OVER);
  raw.on('close', leave);
  if (raw.destroyed || raw.socket?.destroyed) leave();
  // Without a listener an error of the socket would end the process; `close` follows it.
  raw.on('error', leave);
  return left.signal;
}

/** Nothing can be a plain answer any more. @returns what is written to */
export function openStream(
  reply: FastifyReply,
  contentType = 'text/event-stream; charset=utf-8',
): ServerResponse {
  reply.hijack();
  const { raw, request } = reply;
  const given = Object.entries(reply.getHeaders()).filter(([, value]) => value !== undefined);
  // All at once: fields that are set one by one are kept by Node as long as the stream lasts.
  raw.writeHead(200, {
    ...Object.fromEntries(given),
    'content-type': contentType,
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  noteStream(raw, contentType);
  forget(request);
  // In one write with what follows at once, but a text of its own: Node keeps the head as long as the stream lasts, and
  // as the thirty pieces it was made of unless it was written so.
  const { socket } = raw;
  socket?.cork();
  raw.flushHeaders();
  process.nextTick(() => socket?.uncork());
  return raw;
}

const NO_FIELDS = {};
const NO_LIST: string[] = [];

/** What was asked is not read again: the fields of a browser alone take kilobytes, as long as the stream lasts. */
function forget(request: FastifyRequest): void {
  request.body = undefined;
  request.raw.headers = NO_FIELDS;
  request.raw.rawHeaders = NO_LIST;
}

/** A comment now and then, between frames. */
export function pingRegularly(raw: ServerResponse): NodeJS.Timeout {
  return setInterval(ping, PING_INTERVAL_MS, raw);
}

function ping(raw: ServerResponse): void {
  // Between the pieces of a long frame the socket is full: a comment there would end up inside of it.
  if (!raw.writableNeedDrain) raw.write(': ping\n\n');
}

/** Waits until the socket has taken what it was given; cuts a reader that stopped reading. */
export function taken(raw: ServerResponse, event: 'drain' | 'finish', left: AbortSignal): Promise<void> {
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
