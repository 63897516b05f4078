// One stream of what happens on the server: sessions, turns, pulls; resumed, polled, and honest about what it forgot.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { openStore } from '../../src/store/open-store.ts';
import { insertSession } from '../../src/store/sessions.ts';
import { VERSION } from '../../src/version.ts';
import { text, toolCall } from '../fake-ollama/chat-script.ts';
import { hangAfter, script } from '../fake-ollama/script-modifiers.ts';
import { type Listener, listenTo, whatHappened } from '../support/listen.ts';
import { newSession } from '../support/open-test-store.ts';
import type { StreamedEvent } from '../support/read-events.ts';
import { ScriptedSource } from '../support/scripted-source.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { expectError, TIMESTAMP } from './wire-formats.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

const namesOf = (events: readonly StreamedEvent[]) => events.map(({ event }) => event);
const lastIdOf = async () => (await whatHappened(server)).at(-1)?.id ?? 0;
const ofSession = (events: readonly StreamedEvent[], id: string) =>
  events.filter(({ event, data }) => event === 'session' && data.session_id === id);

/** Reads until each of them has come, in whatever order. */
async function untilAll(
  listener: Listener,
  ...wanted: readonly ((event: StreamedEvent) => boolean)[]
): Promise<void> {
  const missing = new Set(wanted);
  while (missing.size > 0) {
    const event = await until(listener, (next) => wanted.some((matches) => matches(next)));
    for (const matches of missing) if (matches(event)) missing.delete(matches);
  }
}

async function until(listener: Listener, matches: (event: StreamedEvent) => boolean): Promise<StreamedEvent> {
  for (;;) {
    const next = await listener.events.next();
    if (next.done) throw new Error('the stream ended');
    if (matches(next.value)) return next.value;
  }
}

describe('GET /events', () => {
  it('begins with hello and goes on with what happens, in order, numbers rising', async () => {
    const listener = await listenTo(server);
    expect([listener.status, listener.headers.get('content-type')]).toEqual([
      200,
      'text/event-stream; charset=utf-8',
    ]);
    const hello = await listener.events.next();
    expect(hello.value).toMatchObject({ event: 'hello', data: { version: VERSION } });
    const sessionId = await server.createSession({ title: 'Capitals', system_prompt: 'S' });
    const created = await until(listener, ({ event }) => event === 'session');
    expect(created.data).toEqual({
      session_id: sessionId,
      title: 'Capitals',
      updated_at: expect.stringMatching(TIMESTAMP),
      message_count: 1,
      active_turn: null,
      deleted: false,
    });
    expect(created.id).toBeGreaterThan(hello.value?.id ?? 0);
    await server.request('DELETE', `/sessions/${sessionId}`);
    const gone = await until(listener, ({ data }) => data.deleted);
    expect(gone.data).toEqual({
      session_id: sessionId,
      title: null,
      updated_at: null,
      message_count: 0,
      active_turn: null,
      deleted: true,
    });
    listener.leave();
  });

  it('tells the states of a turn, and which one holds a session', async () => {
    const sessionId = await server.createSession();
    const listener = await listenTo(server);
    server.ollama.reply(script(text('Once upon'), hangAfter(1)));
    const stream = await server.stream(`/chat/${sessionId}/stream`, {
      message: 'Tell me',
      on_disconnect: 'continue',
    });
    const turnId = stream.headers.get('x-turn-id');
    await untilAll(
      listener,
      ({ event, data }) => event === 'session' && data.active_turn === turnId,
      ({ event, data }) => event === 'turn' && data.turn_id === turnId && data.state === 'running',
    );
    // Another one waits in line.
    const waiting = await server.stream(`/chat/${sessionId}/stream`, { message: 'And then?' });
    const queued = await until(listener, ({ data }) => data.state === 'queued');
    expect(queued.data.turn_id).toBe(waiting.headers.get('x-turn-id'));
    await server.post(`/turns/${turnId}/cancel?wait=true`);
    await untilAll(
      listener,
      ({ data }) => data.turn_id === turnId && data.state === 'cancelled',
      ({ data }) => data.turn_id === queued.data.turn_id && data.state === 'completed',
      ({ event, data }) => event === 'session' && data.active_turn === null && data.message_count === 4,
    );
    stream.abort();
    waiting.abort();
    listener.leave();
  });

  it('never carries what was said', async () => {
    const sessionId = await server.createSession({ system_prompt: 'secret one' });
    const before = await lastIdOf();
    server.ollama.reply(text('secret two'));
    await server.chat(sessionId, { message: 'secret three' });
    await server.request('PUT', `/sessions/${sessionId}/messages/1`, { content: 'secret four' });
    const events = await whatHappened(server, before);
    expect(namesOf(events)).toEqual(expect.arrayContaining(['hello', 'session', 'turn']));
    expect(JSON.stringify(events)).not.toContain('secret');
  });
});

describe('where it begins', () => {
  it('after a number: what has changed since, each thing once, as it is now', async () => {
    const sessionId = await server.createSession();
    const before = await lastIdOf();
    for (const title of ['one', 'two', 'three']) {
      await server.request('PATCH', `/sessions/${sessionId}`, { title });
    }
    const events = await whatHappened(server, before);
    expect(namesOf(events)).toEqual(['hello', 'session']);
    expect([events[0]?.id, events[1]?.data.title]).toEqual([before, 'three']);
    expect(namesOf(await whatHappened(server, events[1]?.id))).toEqual(['hello']);
  });

  it('after the larger of the header and the query, as browsers give them', async () => {
    const before = await lastIdOf();
    const sessionId = await server.createSession();
    const middle = await lastIdOf();
    await server.createSession();
    const query = { follow: false, after: before };
    const listener = await listenTo(server, query, { 'last-event-id': String(middle) });
    const events = await Array.fromAsync(listener.events);
    expect(namesOf(events)).toEqual(['hello', 'session']);
    expect(ofSession(events, sessionId)).toEqual([]);
  });

  it.each([0, 1, 12_345, 999_999_999_999_999])('says reset after %i, which it never gave', async (after) => {
    await server.createSession();
    const events = await whatHappened(server, after);
    expect(namesOf(events)).toEqual(['hello', 'reset']);
    // From there it goes on.
    const sessionId = await server.createSession();
    expect(ofSession(await whatHappened(server, events[1]?.id), sessionId)).toHaveLength(1);
  });

  it('says reset after a restart, whose numbers are greater than all before', async () => {
    await server.createSession();
    const before = await lastIdOf();
    await server.restart();
    await server.createSession();
    const events = await whatHappened(server, before);
    expect(namesOf(events)).toEqual(['hello', 'reset']);
    expect(events[1]?.id).toBeGreaterThan(before);
  });

  it.each(['after=-1', 'after=x', 'after=', 'follow=no', 'after=1.5'])('refuses %s', async (query) => {
    expectError(await server.get(`/events?${query}`), 422, 'validation_error');
  });
});

describe('pulls', () => {
  let letGo: () => void;
  beforeEach(() => {
    letGo = server.ollama.holdPulls();
  });
  afterEach(() => letGo());

  it('are told while they go on, also to whoever begins to listen, and when they end', async () => {
    const listener = await listenTo(server);
    const pull = server.post('/models/pull', { name: 'large' });
    const first = await until(listener, ({ event }) => event === 'pull');
    expect(first.data).toMatchObject({ name: 'large', state: 'running' });
    await expect
      .poll(async () => (await whatHappened(server)).at(-1)?.data)
      .toEqual({ name: 'large', completed: 500, total: 1000, state: 'running' });
    letGo();
    await pull;
    const last = await until(listener, ({ data }) => data.name === 'large' && data.state !== 'running');
    expect(last.data.state).toBe('completed');
    // Nothing is under way any more.
    expect(namesOf(await whatHappened(server))).toEqual(['hello']);
    listener.leave();
  });

  it('say that they failed, and that they were given up', async () => {
    const listener = await listenTo(server);
    await server.post('/models/pull', { name: 'missing' });
    await until(listener, ({ data }) => data.name === 'missing' && data.state === 'failed');
    const controller = new AbortController();
    const pull = fetch(`${server.url}/api/v1/models/pull`, {
      method: 'POST',
      signal: controller.signal,
      headers: { 'content-type': 'application/json' },
      body: '{"name": "larger"}',
    });
    await until(listener, ({ data }) => data.name === 'larger' && data.state === 'running');
    await pull;
    controller.abort();
    await until(listener, ({ data }) => data.name === 'larger' && data.state === 'cancelled');
    listener.leave();
  });
});

it('asks for a key like everything else', async () => {
  await server.restart({ apiKeys: ['a-key-of-sixteen-characters'] });
  const refused = await listenTo(server);
  expect(refused.status).toBe(401);
  const allowed = await listenTo(server, {}, { authorization: 'Bearer a-key-of-sixteen-characters' });
  expect((await allowed.events.next()).value).toMatchObject({ event: 'hello' });
  allowed.leave();
  await server.restart({ apiKeys: [] });
});

it('says reset when another process has written, such as an import beside the server', async () => {
  const listener = await listenTo(server);
  await listener.events.next();
  const store = await openStore({ dataDir: server.dataDir, exclusive: false });
  await insertSession(store.db, newSession('imported'));
  await store.close();
  const reset = await until(listener, ({ event }) => event !== 'hello');
  expect(reset).toMatchObject({ event: 'reset', data: {} });
  // What this server itself does is told as ever.
  await server.request('PATCH', '/sessions/imported', { title: 'Mine' });
  const told = await until(listener, () => true);
  expect([told.event, told.data.title]).toEqual(['session', 'Mine']);
  listener.leave();
});

it('ends when the server stops, which does not wait for listeners', async () => {
  const listeners = await Promise.all([listenTo(server), listenTo(server)]);
  for (const { events } of listeners) await events.next();
  const [ended] = [Promise.all(listeners.map(({ events }) => Array.fromAsync(events)))];
  await server.restart();
  await ended;
});

it('tells what a person is asked, and what became of it', async () => {
  const inputSchema = { type: 'object', properties: { path: { type: 'string' } } };
  const asking = await startTestServer({
    toolSources: [new ScriptedSource('files', { tools: [{ name: 'delete_file', inputSchema }] })],
  });
  onTestFinished(() => asking.close());
  const sessionId = await asking.createSession({ tool_settings: { tools: ['delete_file'] } });
  const listener = await listenTo(asking);
  asking.ollama.reply(toolCall('delete_file', { path: 'draft.txt' }), text('Gone.'));
  const stream = await asking.stream(`/chat/${sessionId}/stream`, { message: 'Delete it' });
  const turnId = stream.headers.get('x-turn-id');
  const seen: StreamedEvent[] = [];
  const note = (matches: (event: StreamedEvent) => boolean) => (event: StreamedEvent) => {
    if (matches(event)) seen.push(event);
    return matches(event);
  };
  await untilAll(
    listener,
    note(({ event }) => event === 'approval'),
    ({ event, data }) => event === 'turn' && data.turn_id === turnId && data.state === 'waiting',
  );
  const [asked] = seen;
  const { body: inbox } = await asking.get('/approvals');
  expect(asked?.data).toEqual(inbox.approvals[0]);
  const decide = { decision: 'approve', scope: 'once' };
  await asking.post(`/approvals/${asked?.data.confirmation_id}/decide`, decide);
  await untilAll(
    listener,
    ({ event, data }) => event === 'approval' && data.state === 'approved',
    ({ event, data }) => event === 'turn' && data.state === 'completed',
  );
  stream.abort();
  listener.leave();
});
