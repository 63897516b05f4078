// Answers of any length, read from a snapshot and written piece by piece.
import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** A reader that takes nothing for this long is gone: it holds back the clearing of the write-ahead log. */
const STALLED_READER_MS = 60_000;

export interface SlowText {
  readonly text: AsyncGenerator<string, void>;
  /** Also when the text was not read to its end. */
  close(): Promise<void>;
}

/** @returns what the reply is to send */
export function streamText(
  { text, close }: SlowText,
  reply: FastifyReply,
  { log, id }: Pick<FastifyRequest, 'log' | 'id'>,
): Readable {
  const stream = Readable.from(text, { objectMode: false });
  stream.once('close', () => {
    close().catch((error: unknown) =>
      log.error({ request_id: id, err: error }, 'a snapshot could not be closed'),
    );
  });
  reply.raw.setTimeout(STALLED_READER_MS, () => reply.raw.destroy());
  return stream;
}
