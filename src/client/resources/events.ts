// What happens on the server: sessions, turns, pulls; never the text of a message.
import type { Api, CallOptions } from '../api.ts';
import { followStream } from '../follow-stream.ts';
import type { Link } from '../options.ts';
import type { Frame } from '../read-events.ts';
import { SERVER_EVENT_NAMES, type ServerEvent as ServerEventData } from '../wire.ts';

/** Numbers rise, over restarts of the server too. */
export type ServerEvent = { readonly id: number } & ServerEventData;

export interface EventsOptions extends CallOptions {
  /** The last event that was seen; default: from now on. */
  readonly after?: number;
  readonly onLink?: (link: Link) => void;
}

/** Goes on until it is left. `hello` comes with every connection; after `reset` the lists must be read anew. */
export async function* events(
  { send, connection }: Api,
  { after = -1, signal, onLink = () => undefined }: EventsOptions = {},
): AsyncGenerator<ServerEvent, void> {
  const follower = { signal: signal ?? new AbortController().signal, onLink, renew: () => undefined };
  const open = (place: { after: number; polls: boolean; signal: AbortSignal }) =>
    send(
      {
        method: 'GET',
        path: '/events',
        query: {
          after: place.after < 0 ? undefined : place.after,
          follow: place.polls ? false : undefined,
        },
        accept: 'events',
        repeated: 'never',
        withinMs: connection.retry.idleMs,
        signal: place.signal,
      },
      (response) => response,
    );
  for await (const frame of followStream(connection, { open }, follower, after)) {
    if (isServerEvent(frame)) yield frame;
    else connection.onUnknown?.(frame);
  }
}

const names: ReadonlySet<string> = new Set(SERVER_EVENT_NAMES);

function isServerEvent(frame: Frame): frame is ServerEvent {
  return frame.id !== null && names.has(frame.event);
}
