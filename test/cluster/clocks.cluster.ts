// Servers of one database whose clocks differ by minutes: one is seven ahead, one seven behind. Nothing goes by them.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { text, toolCall } from '../fake-ollama/chat-script.ts';
import { gateAfter, script } from '../fake-ollama/script-modifiers.ts';
import { askedOf, decide } from '../support/deciding.ts';
import { type Cluster, type ClusterServer, contentsOf, openCluster, openTurn, untilState } from './world.ts';

const MINUTE = 60_000;
const PRELOAD = new URL('../support/shift-date.ts', import.meta.url).href;
const KEY = 'k'.repeat(32);

let cluster: Cluster;
let folder: string;
let ahead: ClusterServer;
let behind: ClusterServer;
let right: ClusterServer;

/** One whose clock is so many minutes ahead. */
async function startAt(minutes: number, env: Readonly<Record<string, string>> = {}): Promise<ClusterServer> {
  const file = join(folder, String(minutes));
  writeFileSync(file, String(minutes * MINUTE));
  return cluster.start({ ...env, NODE_OPTIONS: `--import ${PRELOAD}`, TEST_DATE_SHIFT: file });
}

beforeAll(async () => {
  cluster = await openCluster();
  folder = mkdtempSync(join(tmpdir(), 'mochi-clocks-'));
  [ahead, behind, right] = await Promise.all([startAt(7), startAt(-7), startAt(0)]);
}, 60_000);
afterAll(async () => {
  await cluster.close();
  rmSync(folder, { recursive: true });
});

/** A whole number: 0 within half a minute. */
const minutesOff = (timestamp: string) => Math.round((Date.parse(timestamp) - Date.now()) / MINUTE) || 0;

it('what is stored has the time of the database, and a conversation goes on in its order', async () => {
  cluster.ollama.setDefault(text('Yes.'));
  const sessionId = await behind.createSession();
  const turns: string[] = [];
  for (const server of [ahead, behind, right, behind, ahead]) {
    turns.push((await server.chat(sessionId, { message: 'Now?' })).body.turn_id);
  }
  const messages = await right.messages(sessionId);
  const session = (await right.get(`/sessions/${sessionId}`)).body;
  const listed = (await ahead.get(`/sessions/${sessionId}/turns`)).body.turns;
  expect(listed.map(({ turn_id: turnId }: { turn_id: string }) => turnId)).toEqual(turns.toReversed());
  const times = [
    session.created_at,
    session.updated_at,
    ...messages.map(({ timestamp }) => timestamp),
    ...listed.flatMap((turn: Record<string, string>) => [turn['created_at'], turn['finished_at']]),
  ];
  expect(times.map(minutesOff)).toEqual(times.map(() => 0));
  const told = messages.map(({ timestamp }) => String(timestamp));
  expect(told).toEqual(told.toSorted());
});

it('the session that was changed last is the first of the list, wherever it was changed', async () => {
  const ids = await Promise.all(Array.from({ length: 4 }, () => right.createSession()));
  const servers = [ahead, behind, ahead, behind];
  for (const [index, server] of servers.entries()) await server.chat(ids[index] ?? '', { message: 'Hello' });
  const { body } = await right.get('/sessions?limit=4');
  expect(body.sessions.map(({ session_id: id }: { session_id: string }) => id)).toEqual(ids.toReversed());
});

it('a request that is repeated at another server joins its turn, both ways', async () => {
  for (const [first, second] of [
    [ahead, behind],
    [behind, ahead],
  ] as const) {
    const sessionId = await first.createSession();
    const ask = (server: ClusterServer) =>
      server.post(`/chat/${sessionId}`, { message: 'Once' }, { 'idempotency-key': 'once' });
    const [one, other] = [await ask(first), await ask(second)];
    expect([one.status, other.body.turn_id]).toEqual([200, one.body.turn_id]);
  }
});

it('a line goes in the order of arrival, and the turns of one that is killed are taken: not before', async () => {
  const doomed = await startAt(-7);
  const sessionId = await right.createSession();
  const { promise: never, resolve: goOn } = Promise.withResolvers<void>();
  cluster.ollama.reply(script(text('Half', ' more'), gateAfter(1, never)));
  const first = await openTurn(doomed, sessionId, 'First');
  for (const [index, server] of [ahead, behind, right, behind, ahead].entries()) {
    await openTurn(server, sessionId, `Next ${index}`, 'queued');
  }
  // As long as a lease: whoever went by its own clock would have taken it.
  await expect
    .poll(async () => (await ahead.get(`/turns/${first}`)).body.state, { timeout: 4500, interval: 500 })
    .not.toBe('running')
    .catch(() => undefined);
  expect((await ahead.get(`/turns/${first}`)).body.state).toBe('running');
  await doomed.kill('SIGKILL');
  await untilState(ahead, first, 'interrupted');
  await expect
    .poll(async () => (await contentsOf(right, sessionId)).filter((line) => line.startsWith('user')).length)
    .toBe(6);
  expect((await contentsOf(right, sessionId)).filter((line) => line.startsWith('user'))).toEqual([
    'user First complete',
    ...[0, 1, 2, 3, 4].map((index) => `user Next ${index} complete`),
  ]);
  goOn();
});

it('a question to a person is open as long at every server', async () => {
  const tools = { tools: ['current_time'], execution_policy: 'always_confirm' };
  const env = { MOCHI_CONFIRM_TIMEOUT_SECONDS: '300' };
  const [early, late] = await Promise.all([startAt(-7, env), startAt(7, env)]);
  for (const [asking, deciding] of [
    [early, late],
    [late, early],
  ] as const) {
    const sessionId = await asking.createSession({ tool_settings: tools });
    cluster.ollama.reply(toolCall('current_time', {}));
    const turnId = await openTurn(asking, sessionId, 'When?', 'waiting_for_approval');
    const [asked] = await askedOf(deciding, sessionId);
    expect(minutesOff(asked.expires_at)).toBe(5);
    cluster.ollama.reply(text('Then.'));
    await decide(deciding, asked.confirmation_id, { decision: 'approve' });
    await untilState(deciding, turnId, 'completed');
  }
  for (const server of [early, late]) await server.kill('SIGTERM');
});

it('a token for a stream opens it at every server', async () => {
  const env = { MOCHI_API_KEYS: KEY };
  const [early, late] = await Promise.all([startAt(-7, env), startAt(7, env)]);
  const headers = { authorization: `Bearer ${KEY}` };
  const created = await early.post('/sessions', { model: 'llama3.2:latest' }, headers);
  const { body } = await early.post(`/chat/${created.body.session_id}`, { message: 'Hi' }, headers);
  const path = `/turns/${body.turn_id}/stream`;
  for (const [issuer, opener] of [
    [early, late],
    [late, early],
  ] as const) {
    const { token } = (await issuer.post(`${path}-token`, undefined, headers)).body;
    expect((await opener.get(`${path}?token=${token}`)).status).toBe(200);
  }
  for (const server of [early, late]) await server.kill('SIGTERM');
});
