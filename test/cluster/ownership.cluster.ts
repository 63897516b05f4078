// Whose a turn is: what becomes of it when its server is killed, stands still, or stops, in every state.
import { Client } from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { text, toolCall } from '../fake-ollama/chat-script.ts';
import { gateAfter, script } from '../fake-ollama/script-modifiers.ts';
import { askedOf, decide } from '../support/deciding.ts';
import { useGates } from '../support/gates.ts';
import { readEvents } from '../support/read-events.ts';
import { type Cluster, type ClusterServer, contentsOf, openCluster, openTurn, untilState } from './world.ts';

let cluster: Cluster;
let one: ClusterServer;
let other: ClusterServer;

beforeAll(async () => {
  cluster = await openCluster();
  other = await cluster.start();
}, 60_000);
afterAll(() => cluster.close());
const gates = useGates();
/** Resolves when it is opened, or the test ends. */
const gate = () => gates.make().opened;

const chats = () => cluster.ollama.requests.filter(({ path }) => path === '/api/chat');

it('a turn with a part ends as interrupted when its server is killed, and the session goes on elsewhere', async () => {
  one = await cluster.start();
  const sessionId = await one.createSession();
  cluster.ollama.reply(script(text('Half', ' more'), gateAfter(1, gate())));
  const turnId = await openTurn(one, sessionId, 'Hello');
  await one.kill('SIGKILL');
  await untilState(other, turnId, 'interrupted');
  expect(await contentsOf(other, sessionId)).toEqual(['user Hello complete', 'assistant Half partial']);
  cluster.ollama.reply(text('Whole.'));
  await other.chat(sessionId, { message: 'Again' });
  expect((await contentsOf(other, sessionId)).slice(2)).toEqual([
    'user Again complete',
    'assistant Whole. complete',
  ]);
});

it('a turn of which nothing was seen is answered by whoever takes it', async () => {
  one = await cluster.start();
  const sessionId = await one.createSession();
  cluster.ollama.reply(script(text('Never'), gateAfter(0, gate())));
  const options = { temperature: 0.125 };
  const before = chats().length;
  const { events } = await one.stream(`/chat/${sessionId}/stream`, { message: 'Hello', options });
  const { value } = await events.next();
  await expect.poll(() => chats().length).toBe(before + 1);
  cluster.ollama.reply(text('Here.'));
  await one.kill('SIGKILL');
  const turnId = value?.data.turn_id;
  await untilState(other, turnId, 'completed');
  expect(await contentsOf(other, sessionId)).toEqual(['user Hello complete', 'assistant Here. complete']);
  expect(chats().at(-1)?.body).toMatchObject({ options: { temperature: 0.125 } });
});

it('those in line are answered by whoever takes them, in their order', async () => {
  one = await cluster.start();
  const sessionId = await one.createSession();
  cluster.ollama.reply(script(text('Half', ' more'), gateAfter(1, gate())));
  const first = await openTurn(one, sessionId, 'First');
  cluster.ollama.reply(text('Two.'));
  cluster.ollama.reply(text('Three.'));
  const second = await openTurn(one, sessionId, 'Second', 'queued');
  const third = await openTurn(one, sessionId, 'Third', 'queued');
  await one.kill('SIGKILL');
  await untilState(other, third, 'completed');
  await untilState(other, first, 'interrupted');
  await untilState(other, second, 'completed');
  expect(await contentsOf(other, sessionId)).toEqual([
    'user First complete',
    'assistant Half partial',
    'user Second complete',
    'assistant Two. complete',
    'user Third complete',
    'assistant Three. complete',
  ]);
});

it('those that were asked to stop while their server was dead end as cancelled, and none of them is answered', async () => {
  one = await cluster.start();
  const sessionId = await one.createSession();
  cluster.ollama.reply(script(text('Half', ' more'), gateAfter(1, gate())));
  const running = await openTurn(one, sessionId, 'First');
  const inLine = await openTurn(one, sessionId, 'Second', 'queued');
  const unseenSession = await one.createSession();
  cluster.ollama.reply(script(text('Never'), gateAfter(0, gate())));
  const before = chats().length;
  const { events } = await one.stream(`/chat/${unseenSession}/stream`, { message: 'Unseen' });
  const unseen = (await events.next()).value?.data.turn_id;
  await expect.poll(() => chats().length).toBe(before + 1);
  await one.kill('SIGKILL');
  const asked = chats().length;
  for (const turnId of [running, inLine, unseen]) {
    const { status, body } = await other.post(`/turns/${turnId}/cancel`);
    expect([status, body.finished_at]).toEqual([200, null]);
  }
  for (const turnId of [running, inLine, unseen]) {
    await untilState(other, turnId, 'cancelled');
    expect((await other.get(`/turns/${turnId}`)).body.error.code).toBe('turn_cancelled');
  }
  expect(await contentsOf(other, sessionId)).toEqual([
    'user First complete',
    'assistant Half partial',
    'user Second complete',
  ]);
  expect(await contentsOf(other, unseenSession)).toEqual(['user Unseen complete']);
  expect(chats()).toHaveLength(asked);
});

it('one that stands still longer than its lease has lost its turns: it writes nothing more of them, and serves on', async () => {
  one = await cluster.start();
  const sessionId = await one.createSession();
  const goOn = gate();
  cluster.ollama.reply(script(text('Half', ' more'), gateAfter(1, goOn)));
  const turnId = await openTurn(one, sessionId, 'Hello');
  one.freeze();
  await untilState(other, turnId, 'interrupted');
  const before = await contentsOf(other, sessionId);
  const { body } = await other.get(`/turns/${turnId}`);
  gates.openAll();
  one.thaw();
  // It hears of the rest of the answer, and that it is another's turn now; then it has a lease again.
  await one.printed('stderr', /others have taken its turns/);
  await expect.poll(async () => (await one.get('/readyz')).status).toBe(200);
  cluster.ollama.reply(text('Whole.'));
  await one.chat(sessionId, { message: 'Again' });
  expect((await contentsOf(one, sessionId)).slice(0, 2)).toEqual(before);
  expect((await one.get(`/turns/${turnId}`)).body).toEqual(body);
  await one.kill('SIGTERM');
});

it('one that stops hands over those in line at once, and the next server begins them', async () => {
  one = await cluster.start();
  const sessionId = await one.createSession();
  cluster.ollama.reply(script(text('Half', ' more'), gateAfter(1, gate())));
  const first = await openTurn(one, sessionId, 'First');
  cluster.ollama.reply(text('Two.'));
  const second = await openTurn(one, sessionId, 'Second', 'queued');
  await one.kill('SIGTERM');
  await untilState(other, second, 'completed');
  expect((await other.get(`/turns/${first}`)).body.state).toBe('interrupted');
  expect((await contentsOf(other, sessionId)).slice(2)).toEqual([
    'user Second complete',
    'assistant Two. complete',
  ]);
});

it('one turn of a session runs at a time, whichever servers they come to', async () => {
  one = await cluster.start();
  const third = await cluster.start();
  const sessionId = await one.createSession();
  const servers = [one, other, third, one, other, third, one, other, third];
  for (let index = 0; index < 9; index += 1) cluster.ollama.reply(text(`Answer ${index}.`));
  const sent = await Promise.all(
    servers.map((server, index) =>
      server.post(`/chat/${sessionId}`, { message: `Message ${index}`, on_busy: 'queue' }),
    ),
  );
  expect(sent.map(({ status }) => status)).toEqual(Array(9).fill(200));
  const messages = await other.messages(sessionId);
  expect(messages.map(({ role }) => role)).toEqual(
    Array.from({ length: 18 }, (_, index) => (index % 2 === 0 ? 'user' : 'assistant')),
  );
  expect(new Set(messages.map(({ content }) => content)).size).toBe(18);
  // Busy is busy everywhere.
  cluster.ollama.reply(script(text('Half', ' more'), gateAfter(1, gate())));
  const turnId = await openTurn(one, sessionId, 'Long');
  const refused = await other.post(`/chat/${sessionId}`, { message: 'No', on_busy: 'reject' });
  expect(refused).toMatchObject({
    status: 409,
    body: { detail: { error: { code: 'session_busy', details: { turn_id: turnId } } } },
  });
  await one.kill('SIGTERM');
  await third.kill('SIGTERM');
});

/** A turn that waits to be let call a tool. */
async function openWaiting(
  server: ClusterServer,
): Promise<{ sessionId: string; turnId: string; approval: string }> {
  const tools = { tools: ['current_time'], execution_policy: 'always_confirm', tool_policies: {} };
  const sessionId = await server.createSession({ tool_settings: tools });
  cluster.ollama.reply(toolCall('current_time', {}));
  const turnId = await openTurn(server, sessionId, 'Reckon', 'waiting_for_approval');
  const [asked] = await askedOf(server, sessionId);
  return { sessionId, turnId, approval: asked.confirmation_id };
}

it('a turn that waits for a person hears what was decided elsewhere, and waits on elsewhere when its server is killed', async () => {
  one = await cluster.start();
  const heard = await openWaiting(one);
  const left = await openWaiting(one);
  cluster.ollama.reply(text('Late.'));
  await decide(other, heard.approval, { decision: 'approve' });
  await untilState(other, heard.turnId, 'completed');
  expect((await contentsOf(one, heard.sessionId)).at(-1)).toBe('assistant Late. complete');
  await one.kill('SIGKILL');
  await expect
    .poll(async () => (await other.get(`/turns/${left.turnId}`)).body.last_event_id)
    .toBeGreaterThan(1_000_000);
  expect((await other.get(`/turns/${left.turnId}`)).body.state).toBe('waiting');
  cluster.ollama.reply(text('Too late.'));
  await decide(other, left.approval, { decision: 'approve' });
  await untilState(other, left.turnId, 'completed');
});

it('who listens to the events of one server hears of what happens on another', async () => {
  one = await cluster.start();
  const listening = new AbortController();
  const response = await fetch(`${other.url}/api/v1/events`, { signal: listening.signal });
  const events = readEvents(response);
  expect((await events.next()).value?.event).toBe('hello');
  const sessionId = await one.createSession();
  cluster.ollama.reply(text('Yes.'));
  const { body } = await one.chat(sessionId, { message: 'Hello' });
  const told: string[] = [];
  for await (const { event, data } of events) {
    if (event === 'turn') told.push(data.turn_id);
    if (event === 'turn' && data.state === 'completed') break;
  }
  expect(told).toContain(body.turn_id);
  listening.abort();
  await one.kill('SIGTERM');
});

it('a change of a session that meets the begin of a turn elsewhere is refused, however close they are', async () => {
  one = await cluster.start();
  const sessionId = await one.createSession();
  cluster.ollama.reply(text('First.'));
  const { body } = await one.chat(sessionId, { message: 'Hello' });
  const lock = new Client({ connectionString: cluster.url });
  await lock.connect();
  const waiting = async () => {
    const [row] = await cluster.rows(
      `select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    return Number(row?.['count']);
  };
  await lock.query('begin');
  await lock.query('select 1 from session_rows where id = $1 for no key update', [sessionId]);
  cluster.ollama.reply(script(text('Second', '.'), gateAfter(1, gate())));
  const turn = openTurn(one, sessionId, 'And now?');
  await expect.poll(waiting).toBe(1);
  const moved = other.request('PUT', `/sessions/${sessionId}/head`, { message_id: body.message.message_id });
  await expect.poll(waiting).toBe(2);
  await lock.query('commit');
  await lock.end();
  expect(await moved).toMatchObject({
    status: 409,
    body: { detail: { error: { code: 'session_busy', details: { turn_id: await turn } } } },
  });
  await one.kill('SIGTERM');
});
