// Events sent to a reader, as fast as it reads.
import type { ServerResponse } from 'node:http';
import type { FastifyBaseLogger, FastifyReply } from 'fastify';
import { type SentEvent, toPieces } from './frames.ts';
import { leftSignal, openStream, pingRegularly, taken } from './open-stream.ts';

/** What has events to send, and how many are sent them. */
export interface EventSource<Seen> {
  readonly watcherCount: number;
  watch(after: Seen, signal: AbortSignal, reach: WatchReach): AsyncIterable<readonly SentEvent[]>;
}

/** How far a reader is sent events: to the last one, or as far as there are any. */
type WatchReach = 'end' | 'there';

/**
 * Sends the events after what was seen until the last one, or until the reader is gone. A route that has begun this
 * need not wait for it: what waits is held, and a stream may last for hours.
 * @returns whether the reader stayed to the end; never rejects
 * @throws what `watch` throws: before the first byte
 */
export function sendEvents<Seen>(
  reply: FastifyReply,
  source: EventSource<Seen>,
  { after, reach = 'end' }: { readonly after: Seen; readonly reach?: WatchReach },
): Promise<boolean> {
  const left = leftSignal(reply);
  const batches = source.watch(after, left, reach);
  const { log } = reply;
  return sendAll(source, batches, { raw: openStream(reply), left, log });
}

interface Reader {
  readonly raw: ServerResponse;
  readonly left: AbortSignal;
  readonly log: FastifyBaseLogger;
}

async function sendAll(
  source: Pick<EventSource<unknown>, 'watcherCount'>,
  batches: AsyncIterable<readonly SentEvent[]>,
  reader: Reader,
): Promise<boolean> {
  const { raw, left } = reader;
  const ping = pingRegularly(raw);
  try {
    for await (const batch of batches) {
      const rest = write(reader, toPieces(batch, source.watcherCount > 1));
      if (rest !== null) await rest;
      if (left.aborted) return false;
      ping.refresh();
    }
  } catch (err) {
    reader.log.error({ err }, 'a stream of events was cut');
    // Whoever reads comes back.
    raw.destroy();
    return false;
  } finally {
    clearInterval(ping);
  }
  if (left.aborted) return false;
  raw.end();
  if (!raw.writableFinished) await taken(raw, 'finish', left);
  return raw.writableFinished;
}

type Pieces = Generator<string | Buffer, void>;

/** @returns null: the socket has taken all; else resolves when it has, or when the reader is gone */
function write(reader: Reader, pieces: Pieces): Promise<void> | null {
  for (let next = pieces.next(); !next.done; next = pieces.next()) {
    if (!reader.raw.write(next.value)) return writeSlowly(reader, pieces);
  }
  return null;
}

/** What waits for a reader that is slower: a piece is made when the one before was taken. */
async function writeSlowly({ raw, left }: Reader, pieces: Pieces): Promise<void> {
  await taken(raw, 'drain', left);
  for (const piece of pieces) {
    if (left.aborted) return;
    if (!raw.write(piece)) await taken(raw, 'drain', left);
  }
}
