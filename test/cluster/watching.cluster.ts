// Watching and cancelling from any server of a database: through the one that drives the turn, or from its rows.
import { connect, createServer, type Server, type Socket } from 'node:net';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectError } from '../api/wire-formats.ts';
import { text } from '../fake-ollama/chat-script.ts';
import { gateAfter, hangAfter, script } from '../fake-ollama/script-modifiers.ts';
import { useGates } from '../support/gates.ts';
import { startLosingProxy } from '../support/postgres-proxy.ts';
import { readEvents, type StreamedEvent } from '../support/read-events.ts';
import { type Cluster, type ClusterServer, contentsOf, openCluster, openTurn, untilState } from './world.ts';

let cluster: Cluster;
let one: ClusterServer;
let other: ClusterServer;

beforeAll(async () => {
  cluster = await openCluster();
  [one, other] = await Promise.all([cluster.start(), cluster.start()]);
}, 60_000);
afterAll(() => cluster.close());
const gates = useGates();
/** Resolves when it is opened, or the test ends. */
const gate = () => gates.make().opened;

/** What a watcher is told until its stream ends. */
async function watch(server: ClusterServer, turnId: string, after = 0): Promise<StreamedEvent[]> {
  return Array.fromAsync(await eventsOf(server, turnId, after));
}

async function eventsOf(server: ClusterServer, turnId: string, after = 0) {
  return readEvents(await fetch(`${server.url}/api/v1/turns/${turnId}/stream?after=${after}`));
}

/** The text as a client has it after these events. */
function textOf(told: readonly StreamedEvent[]): string {
  let content = '';
  for (const { event, data } of told) {
    if (event === 'snapshot') content = data.message?.content ?? '';
    if (event === 'content_delta') content += data.content;
    // Of one that is told from its rows it is the rest, too.
    if (event === 'message_complete') content = data.message.content;
  }
  return content;
}

describe('a turn that another server drives', () => {
  it('is told with the same events and numbers, from its start and from the middle', async () => {
    const sessionId = await one.createSession();
    const held = gate();
    cluster.ollama.reply(script(text('Mochi ', 'is ', 'rice.'), gateAfter(2, held)));
    const turnId = await openTurn(one, sessionId, 'What?');
    const watchers = [
      watch(other, turnId),
      watch(other, turnId),
      watch(one, turnId),
      watch(other, turnId, 5),
    ];
    await expect.poll(async () => (await other.get(`/turns/${turnId}`)).body.state).toBe('running');
    gates.openAll();
    const [first, second, own, late] = await Promise.all(watchers);
    expect(first).toEqual(own);
    expect(second).toEqual(own);
    expect(textOf(own ?? [])).toBe('Mochi is rice.');
    expect(own?.at(-1)).toMatchObject({ event: 'done', data: { state: 'completed' } });
    expect(late).toEqual(own?.filter(({ id }) => (id ?? 0) > 5));
    expect((await other.get(`/turns/${turnId}/stream?after=${own?.at(-1)?.id}`)).status).toBe(204);
  });

  it('is joined by a request that repeats its key, streamed and whole', async () => {
    const sessionId = await one.createSession();
    cluster.ollama.reply(script(text('Once', ' only'), gateAfter(1, gate())));
    const ask = (server: ClusterServer, path: string) =>
      server.post(path, { message: 'Once?' }, { 'idempotency-key': 'k1' });
    const turnId = await openTurnWithKey(one, sessionId, 'Once?', 'k1');
    const whole = ask(other, `/chat/${sessionId}/stream`);
    gates.openAll();
    expect((await whole).body).toContain('"state":"completed"');
    await untilState(other, turnId, 'completed');
    expect(await contentsOf(other, sessionId)).toEqual([
      'user Once? complete',
      'assistant Once only complete',
    ]);
  });

  it('is cancelled while it runs, while it stands in line, and by its session; the part is kept', async () => {
    const sessionId = await one.createSession();
    cluster.ollama.reply(script(text('Part', ' never'), hangAfter(1)));
    const running = await openTurn(one, sessionId, 'Long');
    const queued = await openTurn(one, sessionId, 'Next', 'queued');
    const first = await other.post(`/turns/${queued}/cancel?wait=true`);
    expect([first.status, first.body.state]).toEqual([200, 'cancelled']);
    const second = await other.post(`/chat/${sessionId}/cancel?wait=true`);
    expect([second.body.turn_id, second.body.state]).toEqual([running, 'cancelled']);
    expect(await contentsOf(other, sessionId)).toContain('assistant Part partial');
    expect((await other.post(`/turns/${running}/cancel`)).body.state).toBe('cancelled');
  });

  it('stops when its session is deleted at another server', async () => {
    const sessionId = await one.createSession();
    cluster.ollama.reply(script(text('Part'), hangAfter(1)));
    const turnId = await openTurn(one, sessionId, 'Long');
    expect((await other.request('DELETE', `/sessions/${sessionId}`)).status).toBe(204);
    expect((await one.get(`/turns/${turnId}`)).status).toBe(404);
    expect((await one.get(`/sessions/${sessionId}`)).status).toBe(404);
  });

  it('keeps its session from changes elsewhere', async () => {
    const sessionId = await one.createSession();
    cluster.ollama.reply(script(text('Part', ' on'), gateAfter(1, gate())));
    const turnId = await openTurn(one, sessionId, 'Long');
    const refused = await other.request('PUT', `/sessions/${sessionId}/system-prompt`, { content: 'New' });
    expect(expectError(refused, 409, 'session_busy')).toMatchObject({ turn_id: turnId });
    gates.openAll();
    await untilState(other, turnId, 'completed');
  });
});

describe('a server that cannot be asked', () => {
  it('is not waited for: the rows say what there is, and the end', async () => {
    const hidden = await cluster.start({ MOCHI_INSTANCE_URL: 'http://127.0.0.1:9' });
    const sessionId = await hidden.createSession();
    const held = gate();
    cluster.ollama.reply(script(text('Seen', ' from', ' rows'), gateAfter(1, held)));
    const turnId = await openTurn(hidden, sessionId, 'Hello');
    const told = watch(other, turnId);
    await expect
      .poll(async () => (await other.get(`/turns/${turnId}/stream?follow=false`)).body)
      .toContain('Seen');
    gates.openAll();
    const events = await told;
    expect(events.map(({ event }) => event).filter((event) => event !== 'snapshot')).toEqual([
      'message_complete',
      'done',
    ]);
    expect(events.at(-2)?.data.message.content).toBe('Seen from rows');
    await hidden.kill('SIGTERM');
  });

  it('is named to the others at last, though the database was lost when it said where it is', async () => {
    let isToBeLost = true;
    const proxy = await startLosingProxy(cluster.url, (sent) => {
      if (!isToBeLost || !sent.includes('update "instances" set "url"')) return 'passes';
      isToBeLost = false;
      return 'before it arrives';
    });
    const late = await cluster.start({ MOCHI_DATABASE_URL: proxy.url });
    const named = () => cluster.rows(`select id from instances where url = '${late.url}'`);
    await expect.poll(async () => (await named()).length).toBe(1);
    expect(isToBeLost).toBe(false);
    await late.kill('SIGTERM');
    await proxy.close();
  });

  it('whose link is cut ends the streams without an end of the turn, and who comes back is told all', async () => {
    const link = await openLink();
    const far = await cluster.start({ MOCHI_INSTANCE_URL: link.url });
    link.leadTo(new URL(far.url).port);
    const sessionId = await far.createSession();
    cluster.ollama.reply(script(text('Cut', ' and', ' whole'), gateAfter(1, gate())));
    const turnId = await openTurn(far, sessionId, 'Hello');
    const told: StreamedEvent[] = [];
    for await (const event of await eventsOf(other, turnId)) {
      told.push(event);
      if (event.event === 'content_delta') link.cut();
    }
    expect([textOf(told), told.some(({ event }) => event === 'done')]).toEqual(['Cut', false]);
    gates.openAll();
    const rest = await watch(other, turnId, told.at(-1)?.id ?? 0);
    // As it is told by its driver, or, where it has ended by then, from its rows.
    expect(rest.find(({ event }) => event === 'message_complete')?.data.message.content).toBe(
      'Cut and whole',
    );
    expect(rest.at(-1)).toMatchObject({ event: 'done', data: { state: 'completed' } });
    await far.kill('SIGTERM');
    await link.close();
  });

  it('that stands still ends the streams within seconds, and its turn is told by whoever takes it', async () => {
    const frozen = await cluster.start();
    const sessionId = await frozen.createSession();
    cluster.ollama.reply(script(text('Half'), hangAfter(1)));
    const turnId = await openTurn(frozen, sessionId, 'Hello');
    let last = '';
    for await (const { event } of await eventsOf(other, turnId)) {
      if (event === 'content_delta') frozen.freeze();
      last = event;
    }
    expect(last).toBe('content_delta');
    await untilState(other, turnId, 'interrupted');
    expect((await watch(other, turnId)).at(-1)).toMatchObject({ data: { state: 'interrupted' } });
    await frozen.kill('SIGKILL');
  });
});

it('a token for a stream that one server issued opens it at another', async () => {
  const key = 'k'.repeat(32);
  const [issuer, opener] = await Promise.all([1, 2].map(() => cluster.start({ MOCHI_API_KEYS: key })));
  const headers = { authorization: `Bearer ${key}` };
  const created = await issuer?.post('/sessions', { model: 'llama3.2:latest' }, headers);
  cluster.ollama.reply(text('Once.'));
  const { body } =
    (await issuer?.post(`/chat/${created?.body.session_id}`, { message: 'Hi' }, headers)) ?? {};
  const path = `/turns/${body.turn_id}/stream`;
  const issued = await issuer?.post(`${path}-token`, undefined, headers);
  expect((await opener?.get(path))?.status).toBe(401);
  const told = await opener?.get(`${path}?token=${issued?.body.token}`);
  expect([told?.status, String(told?.body).includes('Once.')]).toEqual([200, true]);
  for (const server of [issuer, opener]) await server?.kill('SIGTERM');
});

it('lets only instances in: 401 without the secret, 426 for a newer protocol, 404 for what is not driven there', async () => {
  const url = new URL('/internal/turns/turn_1/events', one.url);
  expect((await fetch(url)).status).toBe(401);
  expect((await fetch(url, { headers: { authorization: 'Bearer wrong' } })).status).toBe(401);
  const secret = await readSecret();
  const asked = (protocol: string) =>
    fetch(url, { headers: { authorization: `Bearer ${secret}`, 'x-mochi-protocol': protocol } });
  expect((await asked('999')).status).toBe(426);
  expect((await asked('1')).status).toBe(404);
});

/** What instances show each other. */
async function readSecret(): Promise<string> {
  const client = new Client({ connectionString: cluster.url });
  await client.connect();
  const { rows } = await client.query("select value from meta where key = 'cluster_secret'");
  await client.end();
  return rows[0]?.value ?? '';
}

async function openTurnWithKey(
  server: ClusterServer,
  sessionId: string,
  message: string,
  key: string,
): Promise<string> {
  const { events } = await server.stream(
    `/chat/${sessionId}/stream`,
    { message, on_disconnect: 'continue' },
    { 'idempotency-key': key },
  );
  let turnId = '';
  for await (const { event, data } of events) {
    if (event === 'turn_start') turnId = data.turn_id;
    if (event === 'content_delta') break;
  }
  return turnId;
}

interface Link {
  readonly url: string;
  leadTo(port: string): void;
  /** Connections that are open; new ones are let through. */
  cut(): void;
  close(): Promise<void>;
}

/** A way to a server that can be cut. */
async function openLink(): Promise<Link> {
  const sockets = new Set<Socket>();
  let target = 0;
  const server: Server = createServer((socket) => {
    const way = connect(target, '127.0.0.1');
    for (const end of [socket, way]) {
      sockets.add(end);
      end.on('error', () => undefined).on('close', () => sockets.delete(end));
    }
    socket.pipe(way).pipe(socket);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`,
    leadTo: (port) => {
      target = Number(port);
    },
    cut,
    async close() {
      cut();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}
