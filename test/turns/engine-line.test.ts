// Turns of ours that the engine cannot answer at once: who waits is told so, and where.
import { afterEach, expect, it } from 'vitest';
import { text } from '../fake-ollama/chat-script.ts';
import { eventually } from '../support/eventually.ts';
import { startTestServer, type TestServer, type TestServerOptions } from '../support/test-server.ts';
import { behave } from './behave.ts';
import { isNamed, isPhase, phasesOf, readUntil } from './watching.ts';

let server: TestServer;
afterEach(() => server.close());

async function start(options: TestServerOptions = {}): Promise<void> {
  server = await startTestServer({ ollama: { parallel: 1 }, ...options });
  server.ollama.setDefault(behave);
  await server.chat(await server.createSession(), { message: 'The model is loaded now' });
}

const ask = async (message: string) =>
  server.stream(`/chat/${await server.createSession()}/stream`, { message });
type Turn = Awaited<ReturnType<typeof ask>>;
const asked = () => server.ollama.requestsTo('/api/chat').length;

/** A turn that has begun to answer and goes on until it is left. */
async function hold(): Promise<Turn> {
  const turn = await ask('hang 1');
  await readUntil(turn, isNamed('content_delta'));
  return turn;
}

/** One turn has to wait in the engine: from then on it is known that it answers one at a time. */
async function learn(): Promise<void> {
  const holder = await hold();
  const waiting = await ask('Next');
  await readUntil(waiting, isPhase('waiting_for_engine'));
  await server.ollama.waitForRequest('/api/chat', ({ rawBody }) => rawBody.includes('Next'));
  // Long enough to be told from the time that sending takes.
  await new Promise((resolve) => setTimeout(resolve, 300));
  holder.abort();
  expect(phasesOf(await waiting.all())).toEqual(['evaluating_prompt', 'generating']);
}

it('what waits inside the engine is told so, then what the engine does', async () => {
  await start();
  await learn();
});

it('turns beyond what the engine answers are queued, move up, and are sent in their order', async () => {
  await start();
  await learn();
  const holder = await hold();
  const before = asked();
  const [second, third] = [await ask('Second'), await ask('Third')];
  const seen = await readUntil(second, isPhase('queued'));
  expect(seen.at(-1)?.data).toEqual({ phase: 'queued', position: 0, model: 'llama3.2:latest' });
  const inLine = await readUntil(third, isPhase('queued'));
  expect(inLine.at(-1)?.data).toMatchObject({ position: 1 });
  expect(asked()).toBe(before);
  // It has begun: the message is on the path, and nobody else of its session waits.
  const turnId = inLine[0]?.data.turn_id;
  expect((await server.get(`/turns/${turnId}`)).body.state).toBe('running');
  holder.abort();
  expect(phasesOf(await second.all())).toEqual(['evaluating_prompt', 'generating']);
  const rest = await third.all();
  expect(rest[0]?.data).toMatchObject({ phase: 'queued', position: 0 });
  expect(phasesOf(rest)).toEqual(['queued', 'evaluating_prompt', 'generating']);
  const order = server.ollama.requestsTo('/api/chat').slice(before);
  expect(order.map(({ body }) => body?.messages?.at(-1)?.content)).toEqual(['Second', 'Third']);
});

it('the operator can say how many there are', async () => {
  await start({ config: { engineParallel: 1 } });
  const holder = await hold();
  const before = asked();
  const queued = await ask('Next');
  await readUntil(queued, isPhase('queued'));
  expect(asked()).toBe(before);
  holder.abort();
  expect(phasesOf(await queued.all())).toEqual(['evaluating_prompt', 'generating']);
});

it('a turn that is left while it waits never reaches the engine, and holds nobody up', async () => {
  await start({ config: { engineParallel: 1 } });
  const holder = await hold();
  const before = asked();
  const left = await ask('Left');
  const [first] = await readUntil(left, isPhase('queued'));
  const last = await ask('Last');
  await readUntil(last, isPhase('queued'));
  await server.post(`/turns/${first?.data.turn_id}/cancel?wait=true`);
  expect((await left.all()).map(({ event }) => event)).toEqual(['error', 'done']);
  holder.abort();
  await last.all();
  const messages = server.ollama.requestsTo('/api/chat').slice(before);
  expect(messages.map(({ body }) => body?.messages?.at(-1)?.content)).toEqual(['Last']);
});

it('turns of different models do not wait for each other', async () => {
  await start({ config: { engineParallel: 1 } });
  const holder = await hold();
  const sessionId = await server.createSession({ model: 'tiny' });
  expect((await server.chat(sessionId, { message: 'Hello' })).status).toBe(200);
  holder.abort();
  await holder.all().catch(() => undefined);
});

it('a summary that a client waits for takes its place among them', async () => {
  await start({ config: { engineParallel: 1 } });
  const sessionId = await server.createSession();
  await server.chat(sessionId, { message: 'Hello' });
  const holder = await hold();
  const before = asked();
  const summary = server.post(`/sessions/${sessionId}/summarize`);
  // It has come in line when a turn is second there.
  const last = await eventually(async () => {
    const turn = await ask('Last');
    const seen = await readUntil(turn, isPhase('queued'));
    if (seen.at(-1)?.data.position === 0) turn.abort();
    expect(seen.at(-1)?.data.position).toBe(1);
    return turn;
  });
  expect(asked()).toBe(before);
  server.ollama.reply(text('{"summary":"They met.","topics":[]}'));
  holder.abort();
  expect((await summary).body.summary).toBe('They met.');
  expect((await last.all()).at(-1)?.data.state).toBe('completed');
});
