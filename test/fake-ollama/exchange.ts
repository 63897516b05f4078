// One HTTP exchange: reads the request, records it, and notices who ended it.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RequestBody } from './chat-request.ts';
import type { RecordedRequest, RequestLog } from './request-log.ts';

/** A request with everything that is needed to answer it. */
export type Exchange = {
  readonly request: RecordedRequest;
  readonly response: ServerResponse;
  /** Aborted when the connection has gone, whoever closed it. */
  readonly signal: AbortSignal;
  /** Closes the connection after what was written; not counted as an abort by the client. */
  readonly drop: () => void;
};

/** Reads and records a request. `isStopped` tells whether it is the fake itself that closes connections. */
export async function openExchange(
  incoming: IncomingMessage,
  response: ServerResponse,
  log: RequestLog,
  isStopped: () => boolean,
): Promise<Exchange> {
  const startedAt = Date.now();
  const gone = new AbortController();
  let endedByFake = false;
  let request: RecordedRequest | undefined;
  response.on('error', () => {}); // A write that crosses the client's close; 'close' tells the rest.
  const leave = () => {
    incoming.socket.off('end', leave);
    if (gone.signal.aborted) return;
    endedByFake ||= response.writableFinished || isStopped();
    if (request && !endedByFake) log.markAborted(request);
    gone.abort();
  };
  // The end of the client's bytes is noticed before any request that it sends afterwards; 'close' comes later.
  incoming.socket.once('end', leave);
  response.once('close', leave);

  const rawBody = await readBody(incoming);
  request = {
    method: incoming.method ?? '',
    path: (incoming.url ?? '').replace(/\?.*$/, ''),
    headers: incoming.headers,
    body: parseOrNull(rawBody),
    rawBody,
    startedAt,
    aborted: false,
    abortedAt: null,
  };
  log.add(request);
  const drop = () => {
    endedByFake = true;
    response.socket?.destroySoon();
  };
  return { request, response, signal: gone.signal, drop };
}

async function readBody(incoming: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of incoming) parts.push(part as Buffer); // no encoding is set, so these are Buffers
  return Buffer.concat(parts).toString('utf8');
}

function parseOrNull(rawBody: string): RequestBody | null {
  try {
    return JSON.parse(rawBody) as RequestBody | null; // as sent; tests look at it, checks parse anew
  } catch {
    return null;
  }
}
