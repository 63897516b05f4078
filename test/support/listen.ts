// Listening to what happens on the server, and what a client makes of it.
import { readEvents, type StreamedEvent } from './read-events.ts';
import type { TestClient } from './test-client.ts';

export interface Listener {
  readonly status: number;
  readonly headers: Headers;
  readonly events: AsyncGenerator<StreamedEvent, void>;
  leave(): void;
}

export async function listenTo(
  server: Pick<TestClient, 'url'>,
  query: Readonly<Record<string, string | number | boolean>> = {},
  headers: Readonly<Record<string, string>> = {},
): Promise<Listener> {
  const controller = new AbortController();
  const given = Object.entries(query).map(([name, value]): [string, string] => [name, String(value)]);
  const response = await fetch(`${server.url}/api/v1/events?${new URLSearchParams(given).toString()}`, {
    signal: controller.signal,
    headers,
  });
  return {
    status: response.status,
    headers: response.headers,
    events: readEvents(response),
    leave: () => controller.abort(),
  };
}

/** What there is after a number; left out: what somebody is told who begins to listen. */
export async function whatHappened(
  server: Pick<TestClient, 'url'>,
  after?: number,
): Promise<StreamedEvent[]> {
  const { events } = await listenTo(server, { follow: false, ...(after !== undefined && { after }) });
  return Array.fromAsync(events);
}

/** A client's sessions after some events: by their ids, those that are there. */
export function applyEvents(
  sessions: Map<string, Record<string, unknown>>,
  events: readonly StreamedEvent[],
): void {
  for (const { event, data } of events) {
    if (event === 'reset') throw new Error('the client would have to read the list anew');
    if (event !== 'session') continue;
    const { deleted, session_id: id, ...shown } = data;
    if (deleted) sessions.delete(id);
    else sessions.set(id, shown);
  }
}

/** The same of `GET /sessions`. */
export async function listedSessions(server: TestClient): Promise<Map<string, Record<string, unknown>>> {
  const { body } = await server.get('/sessions');
  return new Map(
    body.sessions.map(
      ({ session_id: id, title, updated_at, message_count, active_turn }: Record<string, unknown>) => [
        id,
        { title, updated_at, message_count, active_turn },
      ],
    ),
  );
}
