// Requests with a key that are being accepted: a repetition at the same instant waits for the first.
import type { IdempotencyMark } from '../store/turns.ts';
import type { WatchableTurn } from './watch/live-turn.ts';

export interface IdempotentStarts {
  /**
   * @param scope within which a key stands for one request
   * @param start joins the turn of the first, or accepts the request
   */
  once(scope: string, mark: IdempotencyMark, start: () => Promise<WatchableTurn>): Promise<WatchableTurn>;
}

export function createIdempotentStarts(): IdempotentStarts {
  const starting = new Map<string, Promise<WatchableTurn>>();
  return {
    async once(scope, mark, start) {
      const name = JSON.stringify([scope, mark.key]);
      // One after the other: whoever waited looks again, since the first may have been refused.
      for (let first = starting.get(name); first; first = starting.get(name)) {
        await first.catch(() => undefined);
      }
      const started = start();
      starting.set(name, started);
      return started.finally(() => starting.delete(name));
    },
  };
}
