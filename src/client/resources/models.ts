// Models of the engine.
import { type Api, type CallOptions, segment } from '../api.ts';
import { followStream } from '../follow-stream.ts';
import type { Frame } from '../read-events.ts';
import type { ListLoadedModelsAnswer, ListModelsAnswer, Model, PullEvent } from '../wire.ts';

export interface PullOptions extends CallOptions {
  /** What breaking off the reading, or the signal, does to the pull; default: `cancel`. */
  readonly leave?: 'cancel' | 'continue';
}

export function models({ json, get, send, connection }: Api) {
  // Names have slashes, which are part of the path.
  const at = (name: string) => `/models/${name.split('/').map(segment).join('/')}`;

  async function* pull(
    model: string,
    { signal, leave = 'cancel' }: PullOptions = {},
  ): AsyncGenerator<PullEvent, void> {
    const reading = new AbortController();
    const onAbort = () => reading.abort(signal?.reason);
    if (signal?.aborted) onAbort();
    signal?.addEventListener('abort', onAbort);
    const follower = { signal: reading.signal, onLink: () => undefined, renew: () => undefined };
    const open = (place: { readonly signal: AbortSignal }) =>
      send(
        {
          method: 'POST',
          path: '/models/pull',
          body: { model, on_disconnect: leave },
          accept: 'events',
          repeated: 'never',
          ...place,
        },
        (response) => response,
      );
    try {
      const streaming = { ...connection, transport: 'stream' } as const;
      for await (const frame of followStream(streaming, { open, isLost }, follower)) {
        if (!isPullEvent(frame)) continue;
        yield { event: frame.event, data: frame.data } as PullEvent;
        if (frame.event !== 'progress') return;
      }
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  return {
    list: (options?: CallOptions) => get<ListModelsAnswer>('/models', {}, options),
    get: (name: string, options?: CallOptions) => get<Model>(at(name), {}, options),
    /** Those in the memory of the engine. */
    loaded: (options?: CallOptions) => get<ListLoadedModelsAnswer>('/models/loaded', {}, options),
    delete: (name: string, options?: CallOptions) =>
      json<void>({ method: 'DELETE', path: at(name), ...options }),
    /** How far it is, again and again; `done` or `error` comes last. A connection that breaks is followed by another. */
    pull,
  };
}

function isPullEvent({ event }: Frame): boolean {
  return event === 'progress' || event === 'done' || event === 'error';
}

/** The server has not said that it will not. */
function isLost({ code }: { readonly code: string }): boolean {
  return code === 'unreachable' || code === 'stalled';
}
