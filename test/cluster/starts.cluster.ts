// Many messages to one session at the same moment, over three servers: one turn runs, the others do as they were told.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { text } from '../fake-ollama/chat-script.ts';
import { gateAfter, script } from '../fake-ollama/script-modifiers.ts';
import { useGates } from '../support/gates.ts';
import { ask, look } from './talking.ts';
import { type Cluster, type ClusterServer, openCluster } from './world.ts';

const STARTS = 20;
/** The one that runs, and eight in line. */
const TAKEN = 9;

let cluster: Cluster;
let servers: readonly ClusterServer[];
beforeAll(async () => {
  cluster = await openCluster();
  servers = await Promise.all([cluster.start(), cluster.start(), cluster.start()]);
}, 60_000);
afterAll(() => cluster.close());
const gates = useGates();
/** Resolves when it is opened, or the test ends. */
const gate = () => gates.make().opened;

const server = (index: number) => {
  const one = servers[index % servers.length];
  if (one === undefined) throw new Error('There are three.');
  return one;
};

/** All at once, of whatever kind. */
async function startAll(sessionId: string, onBusy: string) {
  return Promise.all(
    Array.from({ length: STARTS }, async (_, index) => {
      const message = `Message ${index}`;
      const body = { message, on_busy: onBusy, on_disconnect: 'continue' };
      return server(index).stream(`/chat/${sessionId}/stream`, body);
    }),
  );
}

/** Their turns, in the order in which the database took them. */
async function turnsOf(sessionId: string): Promise<{ readonly id: string; readonly state: string }[]> {
  return ask(cluster.url, 'select id, state from turns where session_id = $1 order by seq', [sessionId]);
}

const statusesOf = (streams: readonly { readonly status: number }[]) =>
  streams.map(({ status }) => status).toSorted((one, other) => one - other);
const someOf = (status: number, count: number): number[] => Array(count).fill(status);

it('twenty that queue: one runs, eight wait, the others are refused; the line goes in the order of arrival', async () => {
  const sessionId = await server(0).createSession();
  let isOver = false;
  const looking = look(cluster.url, () => isOver);
  cluster.ollama.reply(script(text('Answer'), gateAfter(0, gate())));
  cluster.ollama.setDefault(text('Answer'));
  const streams = await startAll(sessionId, 'queue');
  expect(statusesOf(streams)).toEqual([...someOf(200, TAKEN), ...someOf(409, STARTS - TAKEN)]);
  const taken = await turnsOf(sessionId);
  const waiting = taken.filter(({ state }) => state === 'queued');
  expect([taken.length, waiting.length]).toEqual([TAKEN, TAKEN - 1]);
  // Those that came to its server right after it may be stored before it.
  const accepted = [...taken.filter(({ state }) => state === 'running'), ...waiting];
  gates.openAll();
  for (const { all, status } of streams) {
    if (status === 200) expect((await all()).at(-1)?.data).toMatchObject({ state: 'completed' });
  }
  isOver = true;
  const { faults, looks } = await looking;
  expect(faults).toEqual([]);
  expect(looks).toBeGreaterThan(5);
  const messages = await server(1).messages(sessionId);
  expect(messages.map(({ role }) => role)).toEqual(accepted.flatMap(() => ['user', 'assistant']));
  const answers = messages.filter(({ role }) => role === 'assistant').map(({ turn_id: turnId }) => turnId);
  expect(answers).toEqual(accepted.map(({ id }) => id));
});

it('whoever waits is told from the start what its place is among those of all servers', async () => {
  const sessionId = await server(0).createSession();
  cluster.ollama.reply(script(text('Answer'), gateAfter(0, gate())));
  cluster.ollama.setDefault(text('Answer'));
  const streams = [];
  for (const index of [0, 0, 1, 0]) {
    const body = { message: 'Hello', on_busy: 'queue', on_disconnect: 'continue' };
    streams.push(await server(index).stream(`/chat/${sessionId}/stream`, body));
  }
  gates.openAll();
  const positions = [];
  for (const { all } of streams) {
    const told = (await all()).filter(({ event, data }) => event === 'status' && data.phase === 'queued');
    positions.push(told.map(({ data }) => data.position)[0] ?? null);
  }
  expect(positions).toEqual([null, 1, 2, 3]);
});

it('twenty that do not want to wait: one runs, and the others are refused', async () => {
  const sessionId = await server(0).createSession();
  cluster.ollama.reply(script(text('Answer'), gateAfter(0, gate())));
  const streams = await startAll(sessionId, 'reject');
  expect(statusesOf(streams)).toEqual([200, ...someOf(409, STARTS - 1)]);
  expect((await turnsOf(sessionId)).map(({ state }) => state)).toEqual(['running']);
  gates.openAll();
  for (const { all, status } of streams) if (status === 200) expect((await all()).at(-1)?.event).toBe('done');
});

it('twenty of which each takes the place of what runs: never two run, and each has an end', async () => {
  const sessionId = await server(0).createSession();
  let isOver = false;
  const looking = look(cluster.url, () => isOver);
  cluster.ollama.setDefault(text('Answer'));
  const streams = await startAll(sessionId, 'interrupt');
  const taken = streams.filter(({ status }) => status === 200);
  expect(statusesOf(streams).filter((status) => status !== 200 && status !== 409)).toEqual([]);
  const ends: string[] = await Promise.all(taken.map(async ({ all }) => (await all()).at(-1)?.data.state));
  isOver = true;
  expect((await looking).faults).toEqual([]);
  expect(ends.filter((end) => end !== 'completed' && end !== 'cancelled')).toEqual([]);
  expect(ends).toContain('completed');
  expect((await turnsOf(sessionId)).map(({ state }) => state).toSorted()).toEqual(ends.toSorted());
});
