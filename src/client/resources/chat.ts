// Chat: a message, and its answer whole or as it comes.
import { type Api, type CallOptions, segment } from '../api.ts';
import { openTurn, type Turn, type TurnStart } from '../turn.ts';
import type { ChatAnswer, ChatPreview, ChatRequest, Turn as TurnRecord } from '../wire.ts';

/** The connection decides nothing: whoever wants the turn to stop says so. */
export type ChatBody = Omit<ChatRequest, 'on_disconnect'>;

export interface SendOptions extends CallOptions {
  /** The same key and the same body are the same turn, for 24 hours; default: a new one. */
  readonly idempotencyKey?: string;
}

export interface StreamOptions extends SendOptions {
  /** What breaking off the reading, or the signal, does to the turn; default: `cancel`. */
  readonly leave?: 'cancel' | 'continue';
  readonly onLink?: TurnStart['onLink'];
}

export function chat({ json, send, connection }: Api) {
  const at = (id: string, rest = '') => `/chat/${segment(id)}${rest}`;
  const asked = (path: string, body: ChatBody, key: string) =>
    ({
      method: 'POST',
      path,
      body: { ...body, on_disconnect: 'continue' },
      headers: { 'idempotency-key': key },
      repeated: 'joins',
    }) as const;
  return {
    /** Waits for the answer; the signal ends the waiting, and the turn goes on. @throws MochiError what it failed with */
    send: (id: string, body: ChatBody, { signal, idempotencyKey = newKey() }: SendOptions = {}) =>
      json<ChatAnswer>({ ...asked(at(id), body, idempotencyKey), signal }),
    /** Begins at once; the turn has one reader. */
    stream(id: string, body: ChatBody, options: StreamOptions = {}): Turn {
      const { signal, leave = 'cancel', idempotencyKey = newKey(), onLink } = options;
      const exchange = asked(at(id, '/stream'), body, idempotencyKey);
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
    /** The exact request to the engine; nothing is sent, and nothing stored. */
    preview: (id: string, body: ChatBody, options?: CallOptions) =>
      json<ChatPreview>({ method: 'POST', path: at(id, '/preview'), body, repeated: 'safe', ...options }),
    /** The turn that holds the session, whoever asked for it. */
    cancel: (id: string, { wait }: { readonly wait?: boolean } = {}) =>
      json<TurnRecord>({ method: 'POST', path: at(id, '/cancel'), query: { wait } }),
  };
}

/** An idempotency key. `crypto.randomUUID` is missing where a page came without TLS. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
