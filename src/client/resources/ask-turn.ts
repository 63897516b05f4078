// A request that becomes a turn, and its answer whole or as it comes.
import type { Api, CallOptions } from '../api.ts';
import { openTurn, type Turn, type TurnStart } from '../turn.ts';
import type { ChatAnswer } from '../wire.ts';

export interface SendOptions extends CallOptions {
  /** The same key and the same body are the same turn, for 24 hours; default: a new one. */
  readonly idempotencyKey?: string;
}

export interface StreamOptions extends SendOptions {
  /** What breaking off the reading, or the signal, does to the turn; default: `cancel`. */
  readonly leave?: 'cancel' | 'continue';
  readonly onLink?: TurnStart['onLink'];
}

export function askTurn({ json, send, connection }: Api) {
  const asked = (path: string, body: object, key: string) =>
    ({
      method: 'POST',
      path,
      // The connection decides nothing: whoever wants the turn to stop says so.
      body: { ...body, on_disconnect: 'continue' },
      headers: { 'idempotency-key': key },
      repeated: 'joins',
    }) as const;
  return {
    /** Waits for the answer; the signal ends the waiting, and the turn goes on. @throws MochiError what it failed with */
    whole: (path: string, body: object, { signal, idempotencyKey = newKey() }: SendOptions = {}) =>
      json<ChatAnswer>({ ...asked(path, body, idempotencyKey), signal }),
    /** Begins at once; the turn has one reader. */
    stream(path: string, body: object, options: StreamOptions = {}): Turn {
      const { signal, leave = 'cancel', idempotencyKey = newKey(), onLink } = options;
      const exchange = asked(path, body, idempotencyKey);
      const post = (polls: boolean, signal: AbortSignal) =>
        send(
          {
            ...exchange,
            ...(polls && { query: { follow: false } }),
            accept: 'events',
            withinMs: connection.retry.idleMs,
            signal,
          },
          (response) => response,
        );
      return openTurn({ connection, send }, { post, turnId: null, after: -1, leave, signal, onLink });
    },
  };
}

/** An idempotency key. `crypto.randomUUID` is missing where a page came without TLS. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
