// The progress of a model's fetching as server-sent events: `progress`*, then `done` or `error`.
import type { FastifyReply } from 'fastify';
import type { PullProgress } from '../contract/engine.ts';
import { MochiError } from '../contract/errors.ts';
import { type PULL_EVENTS, PULL_EXAMPLES, PullEvent } from '../contract/model-pull.ts';
import { framesOf } from './document.ts';

/** Proxies cut silent connections. */
const PING_INTERVAL_MS = 15_000;

export interface ProgressStream {
  readonly run: (signal: AbortSignal) => AsyncIterable<PullProgress>;
  /** Data of the last event. */
  readonly done: Readonly<Record<string, unknown>>;
}

/** What fails before it has begun is a plain error; what fails later is the last event. */
export async function sendProgress(reply: FastifyReply, { run, done }: ProgressStream): Promise<void> {
  const left = new AbortController();
  const { raw } = reply;
  raw.once('close', () => left.abort());
  // Without a listener an error of the socket would end the process; `close` follows it.
  raw.on('error', () => left.abort());
  const progress = run(left.signal)[Symbol.asyncIterator]();
  let step: IteratorResult<PullProgress>;
  try {
    step = await progress.next();
  } catch (error) {
    if (!left.signal.aborted) throw error;
    // Nobody is left to be told.
    reply.hijack();
    return;
  }
  openStream(reply);
  const ping = setInterval(() => raw.write(': ping\n\n'), PING_INTERVAL_MS);
  try {
    while (!step.done) {
      // A slow reader misses steps, not the end: nothing is gathered for it.
      if (!raw.writableNeedDrain) raw.write(toFrame('progress', step.value));
      step = await progress.next();
    }
    raw.write(toFrame('done', done));
  } catch (error) {
    if (!left.signal.aborted) raw.write(toFrame('error', toBody(error)));
  } finally {
    clearInterval(ping);
    raw.end();
  }
}

function openStream(reply: FastifyReply): void {
  reply.hijack();
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    if (value !== undefined) reply.raw.setHeader(name, value);
  }
  reply.raw.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
}

function toFrame(event: keyof typeof PULL_EVENTS, data: unknown): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

function toBody(error: unknown): unknown {
  if (error instanceof MochiError) return error.toBody();
  return new MochiError('internal_error', 'The server made a mistake.').toBody();
}

/** The stream as the OpenAPI document shows it. */
export const PROGRESS_STREAM_ANSWER = {
  description:
    'Frames: `event: NAME`, `data: {one line of JSON}`. Closing the connection stops the pull, unless `on_disconnect` or another connection says otherwise; the next one goes on where it stopped.',
  content: {
    'text/event-stream': {
      schema: framesOf(PullEvent),
      example: toFrame('progress', PULL_EXAMPLES.progress) + toFrame('done', PULL_EXAMPLES.done),
    },
  },
};
