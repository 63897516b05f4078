// One engine for several servers: together they ask it as much as one of them would, and none is passed over.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { text } from '../fake-ollama/chat-script.ts';
import { everyMs, gateAfter, script } from '../fake-ollama/script-modifiers.ts';
import { type Gate, useGates } from '../support/gates.ts';
import { type Cluster, type ClusterServer, openCluster, openTurn, untilState } from './world.ts';

const SLOTS = 4;
const ENV = { MOCHI_ENGINE_PARALLEL: String(SLOTS) };

let cluster: Cluster;
let servers: ClusterServer[];
beforeAll(async () => {
  cluster = await openCluster();
  servers = await Promise.all([0, 1, 2].map(() => cluster.start(ENV)));
}, 60_000);
afterAll(() => cluster.close());

const gates = useGates();
beforeEach(() => {
  cluster.ollama.setDefault(text('Fine', '.'));
  cluster.ollama.mostAtOnce = 0;
});
afterEach(async () => {
  gates.openAll();
  await expect.poll(() => slots()).toEqual([]);
});

/** The next answer ends when its gate is opened. */
function gated(): Gate {
  const gate = gates.make();
  cluster.ollama.reply(script(text('Slow', 'ly.'), gateAfter(1, gate.opened)));
  return gate;
}

const at = (index: number): ClusterServer => servers[index % servers.length] as ClusterServer;
const slots = () => cluster.rows('select line, slot, owner, is_spare from engine_slots order by slot');
const waiters = () => cluster.rows('select owner from engine_waiters');
const asked = () =>
  cluster.ollama
    .requestsTo('/api/chat')
    .map(({ body }) => (body as { messages: { content: string }[] }).messages.at(-1)?.content);

async function begin(index: number, message: string, until?: string): Promise<string> {
  return openTurn(at(index), await at(index).createSession(), message, until);
}

it('three servers never have more calls under way than the engine answers, and all are answered', async () => {
  cluster.ollama.setDefault(script(text(...'one two three four five six'.split(' ')), everyMs(4)));
  const sessions = await Promise.all(Array.from({ length: 20 }, (_, index) => at(index).createSession()));
  await Promise.all(
    Array.from({ length: 60 }, async (_, index) => {
      const { status, body } = await at(index).post(`/chat/${sessions[index % 20]}`, { message: `${index}` });
      expect([status, body.message?.content]).toEqual([200, 'onetwothreefourfivesix']);
    }),
  );
  expect(cluster.ollama.mostAtOnce).toBe(SLOTS);
  await expect.poll(waiters).toEqual([]);
});

it('whoever has waited longest is next, whichever server it is with', async () => {
  const held = Array.from({ length: SLOTS }, gated);
  for (let index = 0; index < SLOTS; index += 1) await begin(index, `holds ${index}`);
  const order = [1, 0, 2, 1];
  const turns: [number, string][] = [];
  for (const [place, server] of order.entries()) {
    turns.push([server, await begin(server, `waits ${place}`, 'queued')]);
    // Listed, so that the next one is behind it.
    await expect.poll(async () => (await waiters()).length).toBe(Math.min(place + 1, 3));
  }
  expect(cluster.ollama.mostAtOnce).toBe(SLOTS);
  held[0]?.open();
  for (const [server, turnId] of turns) await untilState(at(server), turnId, 'completed');
  expect(asked().filter((message) => message?.startsWith('waits'))).toEqual(
    order.map((_, place) => `waits ${place}`),
  );
  expect(cluster.ollama.mostAtOnce).toBe(SLOTS);
});

it('what a server had that was killed is free when its lease is over', async () => {
  const doomed = await cluster.start(ENV);
  const session = await doomed.createSession();
  for (let index = 0; index < SLOTS; index += 1) {
    gated();
    await openTurn(doomed, index === 0 ? session : await doomed.createSession(), `holds ${index}`);
  }
  const turnId = await begin(1, 'waits', 'queued');
  await doomed.kill('SIGKILL');
  await untilState(at(1), turnId, 'completed');
});

async function untilTitled(sessionId: string): Promise<void> {
  await expect
    .poll(async () => (await at(0).get(`/sessions/${sessionId}`)).body.title, { timeout: 10_000 })
    .toBe('About titles');
}

/** As after a crash: unlogged tables are empty, and every connection is gone. */
async function forgetSlots(): Promise<void> {
  await cluster.rows('truncate engine_slots, engine_waiters');
  await cutConnections();
}

async function cutConnections(): Promise<void> {
  await cluster.rows(
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`,
  );
}

it('says again what it has where the database has forgotten it', async () => {
  const held = Array.from({ length: SLOTS }, gated);
  for (let index = 0; index < SLOTS; index += 1) await begin(index, `holds ${index}`);
  const before = (await slots()).length;
  await forgetSlots();
  await expect.poll(async () => (await slots()).length, { timeout: 10_000 }).toBe(before);
  const turnId = await begin(1, 'waits', 'queued');
  held[0]?.open();
  await untilState(at(1), turnId, 'completed');
  expect(cluster.ollama.mostAtOnce).toBe(SLOTS);
});

it('has none that it does not know of, as after an answer of the database that was lost', async () => {
  const held = gated();
  const turnId = await begin(0, 'holds');
  await cluster.rows(`insert into engine_slots select line, slot + 2, owner, false from engine_slots`);
  await cluster.rows(
    `insert into engine_slots select line, slot + 1, owner, true from engine_slots where slot = 1`,
  );
  expect((await slots()).length).toBe(3);
  await cutConnections();
  await expect.poll(async () => (await slots()).length, { timeout: 10_000 }).toBe(1);
  held.open();
  await untilState(at(0), turnId, 'completed');
});

describe('a server that was away for longer than its lease', () => {
  const alone = { MOCHI_ENGINE_PARALLEL: '1' };
  beforeAll(async () => {
    for (const server of servers.splice(0)) await server.kill('SIGTERM');
    servers = [await cluster.start({ ...alone, MOCHI_TITLES_ENABLED: 'true' }), await cluster.start(alone)];
  });

  it('ends what nobody waits for, whose slots are others', async () => {
    cluster.ollama.reply(text('An answer.'));
    gated();
    const sessionId = await at(0).createSession();
    await at(0).chat(sessionId, { message: 'What is a title?' });
    await expect.poll(async () => (await slots()).length).toBe(1);
    at(0).freeze();
    await expect.poll(slots, { timeout: 15_000 }).toEqual([]);
    at(0).thaw();
    await cluster.ollama.waitForAbort();
    cluster.ollama.setDefault(text('{"title": "About titles"}'));
    await untilTitled(sessionId);
  });

  it('counts what goes on', async () => {
    const passing = gated();
    const answered = fetch(`${at(0).url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'llama3.2', messages: [{ role: 'user', content: 'passes' }] }),
    });
    await expect.poll(async () => (await slots()).length).toBe(1);
    at(0).freeze();
    await expect.poll(slots, { timeout: 15_000 }).toEqual([]);
    const held = gated();
    await begin(1, 'holds');
    at(0).thaw();
    await expect.poll(async () => (await slots()).length, { timeout: 10_000 }).toBe(2);
    const waiting = await begin(1, 'waits', 'queued');
    held.open();
    await expect.poll(async () => (await waiters()).length).toBe(1);
    cluster.ollama.mostAtOnce = 0;
    passing.open();
    expect((await answered).status).toBe(200);
    await untilState(at(1), waiting, 'completed');
    expect(cluster.ollama.mostAtOnce).toBeLessThan(2);
  });
});

describe('work in the background', () => {
  it('takes no slot that a turn of another server wants, and gives its own up', async () => {
    for (const server of servers.splice(0)) await server.kill('SIGTERM');
    const alone = { MOCHI_ENGINE_PARALLEL: '1' };
    servers = [await cluster.start({ ...alone, MOCHI_TITLES_ENABLED: 'true' }), await cluster.start(alone)];
    const sessionId = await at(0).createSession();
    cluster.ollama.reply(text('An answer.'));
    const title = gated();
    await at(0).chat(sessionId, { message: 'What is a title?' });
    const spare = async () => (await slots()).map(({ is_spare }) => is_spare);
    await expect.poll(spare).toEqual([true]);
    await forgetSlots();
    await expect.poll(spare, { timeout: 10_000 }).toEqual([true]);
    const { body } = await at(1).chat(await at(1).createSession(), { message: 'Mine first' });
    expect(body.message.content).toBe('Fine.');
    await cluster.ollama.waitForAbort();
    title.open();
    cluster.ollama.setDefault(text('{"title": "About titles"}'));
    expect(cluster.ollama.mostAtOnce).toBe(1);
    // It is tried again, and done.
    await untilTitled(sessionId);
  });
});
