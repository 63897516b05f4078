// Watching turns in tests: joining one as a browser does, and what a list of events must be.
import { expect } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { readEvents, type StreamedEvent } from '../support/read-events.ts';
import type { TestClient } from '../support/test-client.ts';

export interface Watch {
  readonly status: number;
  readonly headers: Headers;
  readonly events: AsyncGenerator<StreamedEvent, void>;
  all(): Promise<StreamedEvent[]>;
  abort(): void;
}

/** Where a watcher was; both may be given, as by a browser that reconnects to an address with `?after=`. */
export interface Seen {
  readonly after?: number;
  readonly lastEventId?: number;
  /** false: only what there is. */
  readonly follow?: boolean;
}

/** Joins a turn as SSE. */
export async function watchTurn(
  server: Pick<TestClient, 'url'>,
  turnId: string,
  { after, lastEventId, follow }: Seen = {},
): Promise<Watch> {
  const controller = new AbortController();
  const query = new URLSearchParams({
    ...(after !== undefined && { after: String(after) }),
    ...(follow !== undefined && { follow: String(follow) }),
  });
  const response = await fetch(`${server.url}/api/v1/turns/${turnId}/stream?${query.toString()}`, {
    signal: controller.signal,
    headers: {
      accept: 'text/event-stream',
      ...(lastEventId !== undefined && { 'last-event-id': String(lastEventId) }),
    },
  });
  const events = readEvents(response);
  return {
    status: response.status,
    headers: response.headers,
    events,
    all: () => Array.fromAsync(events),
    abort: () => controller.abort(),
  };
}

/** Every event that a watcher sees from there to the end. */
export async function watchAll(
  server: Pick<TestClient, 'url'>,
  turnId: string,
  seen: Seen = {},
): Promise<StreamedEvent[]> {
  return (await watchTurn(server, turnId, seen)).all();
}

/** Reads on until an event matches; the stream stays open. @returns what was read, the match last */
export async function readUntil(
  { events }: Pick<Watch, 'events'>,
  matches: (event: StreamedEvent) => boolean,
): Promise<StreamedEvent[]> {
  const seen: StreamedEvent[] = [];
  for (;;) {
    const next = await events.next();
    if (next.done) throw new Error(`the stream ended after ${JSON.stringify(seen).slice(-500)}`);
    seen.push(next.value);
    if (matches(next.value)) return seen;
  }
}

export const isNamed = (name: string) => (event: StreamedEvent) => event.event === name;
export const isPhase = (phase: string) => (event: StreamedEvent) => event.data.phase === phase;
export const namesOf = (events: readonly StreamedEvent[]) => events.map(({ event }) => event);
export const closingOf = (events: readonly StreamedEvent[]) => events.slice(-2);

/** Phases in order, repetitions left out. */
export function phasesOf(events: readonly StreamedEvent[]): string[] {
  const phases = events.filter(isNamed('status')).map(({ data }) => String(data.phase));
  return phases.filter((phase, index) => phase !== phases[index - 1]);
}

/** What a watcher has on the screen: a snapshot replaces, deltas add, a new message begins anew. */
export function textOf(events: readonly StreamedEvent[]): string {
  let text = '';
  for (const { event, data } of events) {
    if (event === 'snapshot') text = data.message?.content ?? '';
    if (event === 'status' && data.message_id !== undefined) text = '';
    if (event === 'content_delta') text += data.content;
  }
  return text;
}

/** For texts that would fill the screen where they differ. */
export function expectSameText(text: string, whole: string): void {
  let differsAt = text === whole ? -1 : 0;
  while (differsAt !== -1 && text[differsAt] === whole[differsAt]) differsAt += 1;
  expect({ length: text.length, differsAt }).toEqual({ length: whole.length, differsAt: -1 });
}

/** Numbers without a gap or a double; the beginning first and the end last, each exactly once. */
export function expectWhole(events: readonly StreamedEvent[]): void {
  expect(events.map(({ id }) => id)).toEqual(events.map((_, index) => index + 1));
  expect(namesOf(events).filter((name) => name === 'turn_start' || name === 'done')).toEqual([
    'turn_start',
    'done',
  ]);
  expect([events[0]?.event, events.at(-1)?.event]).toEqual(['turn_start', 'done']);
}

/** A turn as snapshots have it: without what `GET /turns/{id}` looks up besides. */
export async function turnOf(server: TestClient, turnId: string): Promise<any> {
  const { body } = await server.get(`/turns/${turnId}`);
  const { agent_name: _agent, phase: _phase, round: _round, ...described } = body;
  const { parent_turn_id: _parent, agent_turns: _runs, approvals: _approvals, ...turn } = described;
  return turn;
}

/** Waits until no turn of the session is under way. */
export async function untilIdle(server: TestClient, sessionId: string): Promise<void> {
  await eventually(async () =>
    expect((await server.get(`/sessions/${sessionId}`)).body.active_turn).toBeNull(),
  );
}
