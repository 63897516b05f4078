// Whatever is done over the API: a client that reads the list once and then applies events has what the list says.
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { applyEvents, type Listener, listedSessions, listenTo, whatHappened } from '../support/listen.ts';
import type { StreamedEvent } from '../support/read-events.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

/** What is done to which session; a pick is taken modulo what there is to pick from. */
interface Step {
  readonly name: keyof typeof STEPS;
  readonly session: number;
  readonly pick: number;
  /** Events are read before the next one. */
  readonly looks: boolean;
}

const messageIds = async (id: string): Promise<string[]> =>
  (await server.get(`/sessions/${id}/tree`)).body.messages?.map(
    (message: { message_id: string }) => message.message_id,
  ) ?? [];

const STEPS = {
  create: () => server.post('/sessions', { model: 'llama3.2:latest', title: 'new' }),
  'create with prompt': () =>
    server.post('/sessions', { model: 'llama3.2:latest', system_prompt: 'Be brief.' }),
  title: (id: string, pick: number) => server.request('PATCH', `/sessions/${id}`, { title: `title ${pick}` }),
  'no title': (id: string) => server.request('PATCH', `/sessions/${id}`, { title: null }),
  metadata: (id: string, pick: number) => server.request('PATCH', `/sessions/${id}`, { metadata: { pick } }),
  chat: (id: string) => server.post(`/chat/${id}`, { message: 'Hello' }),
  regenerate: (id: string) => server.post(`/chat/${id}`, { message: null }),
  stream: (id: string) => server.post(`/chat/${id}/stream`, { message: 'Hello' }),
  'no model': (id: string) => server.post(`/chat/${id}`, { message: 'Hello', format: { type: 'nonsense' } }),
  'two at once': (id: string) =>
    Promise.all(['one', 'two'].map((message) => server.post(`/chat/${id}`, { message }))),
  edit: (id: string, pick: number) =>
    server.request('PUT', `/sessions/${id}/messages/${pick % 3}`, { content: 'Edited' }),
  head: async (id: string, pick: number) => {
    const ids = await messageIds(id);
    const target = ids[pick % Math.max(1, ids.length)] ?? 'none';
    await server.request('PUT', `/sessions/${id}/head`, { message_id: target, descend: pick % 2 === 0 });
  },
  prompt: (id: string) => server.request('PUT', `/sessions/${id}/system-prompt`, { content: 'Other.' }),
  'no prompt': (id: string) => server.request('DELETE', `/sessions/${id}/system-prompt`),
  fork: (id: string) => server.post(`/sessions/${id}/fork`, {}),
  'export and import': async (id: string, pick: number) => {
    const { body } = await server.get(`/sessions/${id}/export`);
    if (pick % 2 === 0) await server.request('DELETE', `/sessions/${id}`);
    await server.post('/sessions/import', body);
  },
  delete: (id: string) => server.request('DELETE', `/sessions/${id}`),
  'delete while it answers': async (id: string) => {
    const stream = await server.stream(`/chat/${id}/stream`, { message: 'Hello' });
    await server.request('DELETE', `/sessions/${id}`);
    await stream.all().catch(() => undefined);
  },
  'leave while it answers': async (id: string) => {
    const stream = await server.stream(`/chat/${id}/stream`, { message: 'Hello' });
    stream.abort();
    await expect.poll(async () => (await server.get(`/sessions/${id}`)).body.active_turn ?? null).toBeNull();
  },
} satisfies Record<string, (id: string, pick: number) => Promise<unknown>>;

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    name: fc.constantFrom(...(Object.keys(STEPS) as (keyof typeof STEPS)[])),
    session: fc.nat(50),
    pick: fc.nat(50),
    looks: fc.boolean(),
  }),
  { minLength: 1, maxLength: 14, size: 'max' },
);

it('events tell what the list of sessions says, and how turns stand, whatever was done', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (script) => {
      const listener = await listenTo(server);
      const sessions = await listedSessions(server);
      const polled = new Map(sessions);
      let seen = (await whatHappened(server)).at(-1)?.id ?? 0;
      const look = async () => {
        const events = await whatHappened(server, seen);
        applyEvents(polled, events);
        const ids = events.slice(1).map(({ id }) => id);
        expect(ids).toEqual(ids.toSorted((left, right) => left - right));
        seen = events.at(-1)?.id ?? seen;
      };
      for (const { name, session, pick, looks } of script) {
        const ids = [...(await listedSessions(server)).keys()].toSorted();
        await STEPS[name](ids[session % Math.max(1, ids.length)] ?? 'none', pick);
        if (looks) await look();
      }
      const marker = await server.createSession();
      const heard = await hear(listener, marker);
      applyEvents(sessions, heard);
      await look();
      const listed = await listedSessions(server);
      expect([sessions, polled]).toEqual([listed, listed]);
      for (const [turnId, state] of turnsOf(heard)) {
        const { status, body } = await server.get(`/turns/${turnId}`);
        // It went with its session.
        if (status !== 404) expect([turnId, body.state]).toEqual([turnId, state]);
      }
    }),
    { numRuns: 15 },
  );
}, 60_000);

/** What was told as it happened, until a session was told. */
async function hear({ events, leave }: Listener, sessionId: string): Promise<StreamedEvent[]> {
  const heard: StreamedEvent[] = [];
  while (heard.at(-1)?.data.session_id !== sessionId) {
    const next = await events.next();
    if (next.done) throw new Error('the stream ended');
    heard.push(next.value);
  }
  leave();
  return heard;
}

/** How turns stand, as far as was told. */
function turnsOf(events: readonly StreamedEvent[]): Map<string, string> {
  const turns = events.filter(({ event }) => event === 'turn');
  return new Map(turns.map(({ data }) => [data.turn_id, data.state]));
}
