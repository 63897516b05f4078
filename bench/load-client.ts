// The client: raw buffers and a count of frames, so that it costs less than what it measures.
import { Agent, type IncomingMessage, request } from 'node:http';

export interface Call {
  readonly url: string;
  readonly body: unknown;
}

/** A call whose answer is a stream. */
export interface StreamCall extends Call {
  /** Frames that must come at least. */
  readonly frames: number;
  /** What ends a frame, one character or the same one twice. */
  readonly frameEnd: '\n' | '\n\n';
  /** In the last frame of an answer that is complete. */
  readonly lastMark: string;
}

/** Milliseconds since the request was made. */
export interface StreamTimes {
  readonly firstEvent: number;
  readonly firstDelta: number;
  readonly end: number;
}

const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
const LINE_FEED = 10;

/** @throws Error when the answer is no 200, is incomplete or has too few frames */
export function readStream(call: StreamCall): Promise<StreamTimes> {
  return new Promise((resolve, reject) => {
    const startedAt = performance.now();
    const counter = frameCounter(call.frameEnd);
    let firstEvent = 0;
    let firstDelta = 0;
    // The last frame may be cut in two.
    let last: [Buffer, Buffer] = [Buffer.alloc(0), Buffer.alloc(0)];
    send(call, reject, (response) => {
      response.on('data', (chunk: Buffer) => {
        if (firstDelta === 0) {
          const now = performance.now() - startedAt;
          if (firstEvent === 0) firstEvent = now;
          // The pipe has no events: its first line is the first token.
          if (call.frameEnd === '\n' || chunk.includes('event: content_delta')) firstDelta = now;
        }
        counter.add(chunk);
        last = [last[1], chunk];
      });
      response.once('end', () => {
        const end = performance.now() - startedAt;
        const tail = Buffer.concat(last).toString();
        const isComplete = counter.count >= call.frames && tail.includes(call.lastMark);
        if (response.statusCode === 200 && isComplete) resolve({ firstEvent, firstDelta, end });
        else {
          const said = `${response.statusCode}, ${counter.count} of ${call.frames} frames`;
          reject(new Error(`${call.url}: ${said}: ${tail.slice(-500)}`));
        }
      });
    });
  });
}

/** @returns milliseconds to the last byte, and the bytes @throws Error when the answer has another status */
export function readPlain(call: {
  readonly url: string;
  readonly body?: unknown;
  /** Default: 200. */
  readonly status?: number;
}): Promise<{ ms: number; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const startedAt = performance.now();
    const parts: Buffer[] = [];
    send(call, reject, (response) => {
      response.on('data', (chunk: Buffer) => parts.push(chunk));
      response.once('end', () => {
        const ms = performance.now() - startedAt;
        const body = Buffer.concat(parts);
        if (response.statusCode === (call.status ?? 200)) resolve({ ms, body });
        else reject(new Error(`${call.url}: ${response.statusCode} ${body.toString().slice(0, 500)}`));
      });
    });
  });
}

/** Closes the connections that are kept. */
export function closeConnections(): void {
  agent.destroy();
}

function send(
  { url, body }: { readonly url: string; readonly body?: unknown },
  onError: (error: Error) => void,
  onResponse: (response: IncomingMessage) => void,
): void {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const outgoing = request(url, {
    agent,
    method: text === undefined ? 'GET' : 'POST',
    headers:
      text === undefined
        ? {}
        : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) },
  });
  outgoing.once('error', onError);
  outgoing.once('response', (response) => {
    response.once('error', onError);
    onResponse(response);
  });
  outgoing.end(text);
}

/** Counts ends of frames in buffers that are cut anywhere. */
function frameCounter(frameEnd: StreamCall['frameEnd']) {
  let endsInHalf = false;
  return {
    count: 0,
    add(chunk: Buffer): void {
      let from = 0;
      if (endsInHalf && chunk[0] === LINE_FEED) {
        this.count += 1;
        from = 1;
      }
      let at = chunk.indexOf(frameEnd, from, 'latin1');
      while (at !== -1) {
        this.count += 1;
        from = at + frameEnd.length;
        at = chunk.indexOf(frameEnd, from, 'latin1');
      }
      endsInHalf = frameEnd.length === 2 && from < chunk.length && chunk.at(-1) === LINE_FEED;
    },
  };
}
