// An engine that says nothing: because it loads after all, because it answers somebody else, or because it has lost
// the request, as Ollama does when a client leaves at the wrong moment.
import { afterEach, expect, it } from 'vitest';
import { text } from '../fake-ollama/chat-script.ts';
import { errorAfter, script } from '../fake-ollama/script-modifiers.ts';
import { startTestServer, type TestServer, type TestServerOptions } from '../support/test-server.ts';
import { behave } from './behave.ts';
import { isNamed, isPhase, phasesOf, readUntil } from './watching.ts';

const MODEL = 'llama3.2:latest';
let server: TestServer;
afterEach(() => server.close());

async function start(options: TestServerOptions = {}): Promise<void> {
  server = await startTestServer({
    config: { engineStallSeconds: 0.4, engineParallel: 1 },
    ollama: { parallel: 1, loadDelayMs: 150 },
    ...options,
  });
  server.ollama.setDefault(behave);
  await server.chat(await server.createSession(), { message: 'The model is loaded now' });
}

const ask = async (message: string) =>
  server.stream(`/chat/${await server.createSession()}/stream`, { message });
const unloads = () => server.ollama.requestsTo('/api/chat').filter(({ body }) => body?.keep_alive === 0);
const chatsAbout = (message: string) =>
  server.ollama.requestsTo('/api/chat').filter(({ rawBody }) => rawBody.includes(message));

it('a lost slot is told, the model loaded anew, and the question asked again, once', async () => {
  await start();
  await server.ollama.leakSlot(MODEL);
  const events = await (await ask('Are you there?')).all();
  expect(phasesOf(events)).toEqual([
    'evaluating_prompt',
    'waiting_for_engine',
    'engine_stalled',
    'loading_model',
    'generating',
  ]);
  const receipts = events.filter(isNamed('context')).map(({ data }) => data);
  expect(receipts.map((receipt) => [receipt.engine_restarted, receipt.reload_expected])).toEqual([
    [undefined, false],
    [true, true],
  ]);
  const complete = events.find(isNamed('message_complete'))?.data;
  expect([complete.message.content, complete.context.engine_restarted]).toEqual(['Fine.', true]);
  expect([unloads().length, chatsAbout('Are you there?').length]).toEqual([1, 2]);
  // The next turn knows nothing of it.
  const next = await (await ask('And now?')).all();
  expect(phasesOf(next)).toEqual(['evaluating_prompt', 'generating']);
  expect(next.find(isNamed('context'))?.data.engine_restarted).toBeUndefined();
});

it('those that wait for the lost slot with it are taken back and asked again as well', async () => {
  await start({ config: { engineStallSeconds: 0.4, engineParallel: null } });
  await server.ollama.leakSlot(MODEL);
  const turns = await Promise.all(['One', 'Two', 'Three'].map(ask));
  const lists = await Promise.all(turns.map((turn) => turn.all()));
  for (const events of lists) {
    expect(events.at(-1)?.data.state).toBe('completed');
    expect(phasesOf(events).at(-1)).toBe('generating');
  }
  expect(unloads()).toHaveLength(1);
});

it('a turn that is cancelled while the engine is being restarted ends at once', async () => {
  await start();
  await server.ollama.leakSlot(MODEL);
  const turn = await ask('Never mind');
  const seen = await readUntil(turn, isPhase('engine_stalled'));
  await server.post(`/turns/${seen[0]?.data.turn_id}/cancel?wait=true`);
  expect((await turn.all()).at(-1)?.data.state).toBe('cancelled');
  expect((await (await ask('Next')).all()).at(-1)?.data.state).toBe('completed');
});

it('a model that is answering is not unloaded for one that waits behind it', async () => {
  await start({ config: { engineStallSeconds: 0.4, engineParallel: 2 } });
  const holder = await ask('hang 1');
  await readUntil(holder, isNamed('content_delta'));
  // Two at once, says the operator; the engine answers one.
  const waiting = await ask('Patience');
  await readUntil(waiting, isPhase('engine_stalled'));
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect([unloads().length, chatsAbout('Patience').length]).toEqual([0, 1]);
  holder.abort();
  expect((await waiting.all()).at(-1)?.data.state).toBe('completed');
});

it('is waited for without end where the operator says so', async () => {
  await start({ config: { engineStallSeconds: 0 } });
  const asked = server.ollama.requestsTo('/api/ps').length;
  await server.ollama.leakSlot(MODEL);
  const turn = await ask('Hello?');
  const before = server.ollama.requestsTo('/api/ps').length;
  await readUntil(turn, isPhase('evaluating_prompt'));
  await new Promise((resolve) => setTimeout(resolve, 600));
  expect([unloads().length, server.ollama.requestsTo('/api/ps').length - before]).toEqual([0, 0]);
  expect(before).toBeGreaterThan(asked);
  turn.abort();
});

it('a runner that died without a word is loading, and told so', async () => {
  await start();
  server.ollama.loadDelayMs = 1000;
  server.ollama.killRunner(MODEL);
  const events = await (await ask('Who is there?')).all();
  expect(phasesOf(events)).toEqual(['evaluating_prompt', 'loading_model', 'generating']);
  expect(unloads()).toEqual([]);
});

it('after a runner has died in an answer, the next turn waits for a load', async () => {
  await start();
  const died =
    'model runner has unexpectedly stopped, this may be due to resource limitations or an internal error, check ollama server logs for details';
  server.ollama.reply(script(text('Half'), errorAfter(1, died)));
  expect((await (await ask('Go')).all()).at(-1)?.data.state).toBe('failed');
  server.ollama.killRunner(MODEL);
  const sessionId = await server.createSession({ model: 'tiny' });
  await server.request('PATCH', `/sessions/${sessionId}`, { model: 'llama3.2' });
  const events = await (await server.stream(`/chat/${sessionId}/stream`, { message: 'Again' })).all();
  expect(phasesOf(events)).toEqual(['loading_model', 'generating']);
});
