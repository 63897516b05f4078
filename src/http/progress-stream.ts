// The progress of a model's fetching as server-sent events: `progress`*, then `done` or `error`.
import type { FastifyReply } from 'fastify';
import type { PullProgress } from '../contract/engine.ts';
import { MochiError } from '../contract/errors.ts';
import { type PULL_EVENTS, PULL_EXAMPLES, PullEvent } from '../contract/model-pull.ts';
import { framesOf } from './document.ts';
import { leftSignal, openStream, pingRegularly } from './open-stream.ts';

export interface ProgressStream {
  readonly run: (signal: AbortSignal) => AsyncIterable<PullProgress>;
  /** Data of the last event. */
  readonly done: Readonly<Record<string, unknown>>;
}

/** What fails before it has begun is a plain error; what fails later is the last event. */
export async function sendProgress(reply: FastifyReply, { run, done }: ProgressStream): Promise<void> {
  const left = leftSignal(reply);
  const progress = run(left)[Symbol.asyncIterator]();
  let step: IteratorResult<PullProgress>;
  try {
    step = await progress.next();
  } catch (error) {
    if (!left.aborted) throw error;
    // Nobody is left to be told.
    reply.hijack();
    return;
  }
  const raw = openStream(reply);
  const ping = pingRegularly(raw);
  try {
    while (!step.done) {
      // A slow reader misses steps, not the end: nothing is gathered for it.
      const { status, completed, total } = step.value;
      if (!raw.writableNeedDrain) raw.write(toFrame('progress', { status, completed, total }));
      step = await progress.next();
    }
    raw.write(toFrame('done', done));
  } catch (error) {
    if (!left.aborted) raw.write(toFrame('error', toBody(error)));
  } finally {
    clearInterval(ping);
    raw.end();
  }
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
