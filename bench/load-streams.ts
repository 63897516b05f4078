// Streams that stay open: who sent which token when, against when it arrived.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import type { Call } from './load-client.ts';
import { systemMicroseconds } from './load-clock.ts';
import type { Program } from './processes.ts';

const agent = new Agent({ keepAlive: false, maxSockets: Number.POSITIVE_INFINITY });
const TOKEN = /"content":"(\d+):(\d+) "/g;

/** Delays in milliseconds from the engine's send to this process's read, while it is on. */
export class DelayRecorder {
  isOn = false;
  delays: number[] = [];
  /** All tokens, counted whether it is on or off. */
  tokens = 0;

  add(sentAt: number): void {
    this.tokens += 1;
    if (this.isOn) this.delays.push((systemMicroseconds() - sentAt) / 1000);
  }
}

export interface OpenStream {
  close(): Promise<void>;
}

/** With a body, a turn is begun, else one is watched that goes on. Resolves with the first token. @throws Error when the answer is no 200 */
export function openStream(
  call: Partial<Call> & { readonly url: string },
  recorder: DelayRecorder,
): Promise<OpenStream> {
  return new Promise((resolve, reject) => {
    const text = call.body === undefined ? undefined : JSON.stringify(call.body);
    const outgoing = request(call.url, {
      agent,
      ...(text !== undefined && {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) },
      }),
    });
    const isClosed = new Promise<void>((closed) => {
      outgoing.once('close', () => closed());
    });
    const stream: OpenStream = {
      close() {
        outgoing.off('error', fail).on('error', () => undefined);
        outgoing.destroy();
        return isClosed;
      },
    };
    // A stream that breaks is nothing that a figure could tell: the run ends.
    const fail = (error: Error) => {
      reject(error);
      if (isOpen) throw error;
    };
    let isOpen = false;
    outgoing.once('error', fail);
    outgoing.once('response', (response) => {
      if (response.statusCode !== 200) return fail(new Error(`${call.url}: ${response.statusCode}`));
      read(response, recorder, () => {
        isOpen = true;
        resolve(stream);
      });
      response.once('end', () => fail(new Error(`${call.url}: the stream ended`)));
      response.once('error', () => undefined);
    });
    outgoing.end(text);
  });
}

function read(response: IncomingMessage, recorder: DelayRecorder, onFirst: () => void): void {
  let rest = '';
  // Whoever comes later is told what was said before as one text.
  let expected: number | null = null;
  response.setEncoding('latin1');
  response.on('data', (chunk: string) => {
    const text = rest + chunk;
    const end = text.lastIndexOf('\n') + 1;
    rest = text.slice(end);
    for (const [, number, sentAt] of text.slice(0, end).matchAll(TOKEN)) {
      if (expected === null) onFirst();
      else if (Number(number) !== expected) throw new Error(`token ${number} came in place of ${expected}`);
      expected = Number(number) + 1;
      recorder.add(Number(sentAt));
    }
  });
}

export async function startEngine(): Promise<Program> {
  const spawnedAt = performance.now();
  const child = fork(new URL('./load-engine.ts', import.meta.url));
  const [url] = await once(child, 'message');
  return {
    url: String(url),
    pid: child.pid as number, // it has sent something, so it runs
    readyMs: performance.now() - spawnedAt,
    spawnedAt,
    async stop() {
      child.disconnect();
      const [status] = await once(child, 'exit');
      return status;
    },
  };
}
