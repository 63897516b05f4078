// Events sent to a reader, as fast as it reads.
import type { FastifyReply } from 'fastify';
import { type SentEvent, toPieces } from './frames.ts';
import { leftSignal, openStream, pingRegularly, taken } from './open-stream.ts';

/** What has events to send, and how many are sent them. */
export interface EventSource<Seen> {
  readonly watcherCount: number;
  watch(after: Seen, signal: AbortSignal, reach: WatchReach): AsyncGenerator<readonly SentEvent[], void>;
}

/** How far a reader is sent events: to the last one, or as far as there are any. */
type WatchReach = 'end' | 'there';

/**
 * Sends the events after what was seen until the last one, or until the reader is gone.
 * @returns whether the reader stayed to the end
 */
export async function sendEvents<Seen>(
  reply: FastifyReply,
  source: EventSource<Seen>,
  { after, reach = 'end' }: { readonly after: Seen; readonly reach?: WatchReach },
): Promise<boolean> {
  const left = leftSignal(reply);
  // Refused watchers get a plain error: this comes before the first byte.
  const batches = source.watch(after, left, reach);
  const raw = openStream(reply);
  const ping = pingRegularly(raw);
  try {
    for await (const batch of batches) {
      for (const piece of toPieces(batch, source.watcherCount > 1)) {
        if (!raw.write(piece)) await taken(raw, 'drain', left);
        if (left.aborted) return false;
      }
      ping.refresh();
    }
  } finally {
    clearInterval(ping);
  }
  if (left.aborted) return false;
  raw.end();
  if (!raw.writableFinished) await taken(raw, 'finish', left);
  return raw.writableFinished;
}
