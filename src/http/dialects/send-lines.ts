// Lines of JSON that come one by one. What fails before the first has a true status.
import type { FastifyReply } from 'fastify';
import { MochiError } from '../../contract/errors.ts';
import type { LinesAnswer } from '../../dialects/dialect.ts';
import { jsonLine } from '../../kit/json-line.ts';
import { leftSignal, openStream, taken } from '../open-stream.ts';
import { STREAM_TYPES } from './told-bytes.ts';

/** @throws what the first line throws */
export async function sendLines(reply: FastifyReply, { lines, tellError }: LinesAnswer): Promise<void> {
  const left = leftSignal(reply);
  const reading = lines[Symbol.asyncIterator]();
  let step: IteratorResult<unknown>;
  try {
    step = await reading.next();
  } catch (error) {
    if (!left.aborted) throw error;
    reply.hijack();
    return;
  }
  const raw = openStream(reply, STREAM_TYPES.ndjson);
  try {
    while (!step.done && !left.aborted) {
      if (!raw.write(`${jsonLine(step.value)}\n`)) await taken(raw, 'drain', left);
      step = await reading.next();
    }
  } catch (error) {
    if (!left.aborted) raw.write(`${jsonLine(tellError(asMochiError(error)))}\n`);
  } finally {
    await reading.return?.();
    raw.end();
  }
}

function asMochiError(error: unknown): MochiError {
  return error instanceof MochiError ? error : new MochiError('internal_error', 'The server made a mistake.');
}
