// Turns: what became of a request, from anywhere and at any time.
import { type Api, type CallOptions, listOf, segment } from '../api.ts';
import { openTurn, type Turn, type TurnStart } from '../turn.ts';
import type { IssueStreamTokenAnswer, ListTurnsAnswer, Turn as TurnRecord } from '../wire.ts';

export interface WatchOptions extends CallOptions {
  /** The last event that was seen; default: from the start. */
  readonly after?: number;
  readonly onLink?: TurnStart['onLink'];
}

export function turns({ json, get, send, connection }: Api) {
  const at = (id: string, rest = '') => `/turns/${segment(id)}${rest}`;
  return {
    get: (id: string, options?: CallOptions) => get<TurnRecord>(at(id), {}, options),
    /** Of a session, the newest first. */
    list: (sessionId: string, query: { limit?: number; cursor?: string } = {}, options?: CallOptions) =>
      listOf(
        (cursor) =>
          get<ListTurnsAnswer>(
            `/sessions/${segment(sessionId)}/turns`,
            { ...query, cursor: cursor ?? query.cursor },
            options,
          ),
        (page) => page.turns,
      ),
    /** The model stops in whatever state the turn is, and the part is kept. */
    cancel: (id: string, { wait }: { readonly wait?: boolean } = {}, options?: CallOptions) =>
      json<TurnRecord>({
        method: 'POST',
        path: at(id, '/cancel'),
        query: { wait },
        repeated: 'safe',
        ...options,
      }),
    /** Leaving it, by whatever way, does nothing to the turn. */
    watch: (id: string, { after = 0, signal, onLink }: WatchOptions = {}): Turn =>
      openTurn(
        { connection, send },
        { post: null, turnId: id, after: after > 0 ? after : -1, leave: 'continue', signal, onLink },
      ),
    /** For the address of the turn's stream, where a key cannot be sent (`EventSource`). */
    streamToken: (id: string, options?: CallOptions) =>
      json<IssueStreamTokenAnswer>({
        method: 'POST',
        path: at(id, '/stream-token'),
        repeated: 'safe',
        ...options,
      }),
  };
}
