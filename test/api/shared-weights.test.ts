// Names of the same weights share what the engine has loaded, and are told what is true of it.
import { afterEach, expect, it } from 'vitest';
import type { FakeModel } from '../fake-ollama/fake-model.ts';
import { startTestServer, type TestServer, type TestServerOptions } from '../support/test-server.ts';
import { isNamed, phasesOf } from '../turns/watching.ts';

const capabilities = ['completion', 'tools'];
const base = { capabilities, contextLength: 131_072 };
const DIGEST = 'a'.repeat(64);
/** `ollama cp base copy`, and `FROM base` with a SYSTEM: the first has the same digest, the second another one. */
const models: readonly FakeModel[] = [
  { ...base, name: 'base:latest', digest: DIGEST },
  { ...base, name: 'copy:latest', digest: DIGEST },
  { ...base, name: 'pirate:latest', digest: 'b'.repeat(64), weights: DIGEST, system: 'Speak as a pirate.' },
  { ...base, name: 'stranger:latest' },
];
const LONG = 'word '.repeat(8000);

let server: TestServer;
afterEach(() => server.close());

async function start(options: TestServerOptions['ollama'] = {}): Promise<void> {
  server = await startTestServer({ ollama: { models, ...options } });
}

async function ask(sessionId: string, message = 'Hello') {
  const stream = await server.stream(`/chat/${sessionId}/stream`, { message });
  const events = await stream.all();
  // A new session waits for what the engine says it holds.
  await server.createSession({ model: 'base' });
  const context = events.find(isNamed('context'))?.data;
  return { context, phases: phasesOf(events) };
}

const windows = () => server.ollama.requestsTo('/api/chat').map(({ body }) => body?.options?.['num_ctx']);

it.each(['copy', 'pirate'])('a base and its %s take turns without a reload', async (name) => {
  await start();
  const first = await server.createSession({ model: 'base' });
  const second = await server.createSession({ model: name });
  // The base climbs, so that a window of its own would be another one for the other name.
  await server.chat(first, { message: LONG });
  const seen = [];
  for (let turn = 0; turn < 4; turn += 1) {
    for (const sessionId of [second, first]) {
      const { context, phases } = await ask(sessionId);
      seen.push([context.reload_expected, context.loaded_window, phases[0]]);
    }
  }
  expect(seen).toEqual(Array.from({ length: 8 }, () => [false, 16_384, 'evaluating_prompt']));
  expect(new Set(windows())).toEqual(new Set([16_384]));
  expect(server.ollama.reloads).toEqual({});
});

it('the weights are known by what the engine says of a name that nobody has used here', async () => {
  await start();
  // Another program has loaded the model under another name of it, with a window of its own.
  await fetch(`${server.ollama.url}/api/chat`, {
    method: 'POST',
    body: JSON.stringify({ model: 'pirate', options: { num_ctx: 20_000 } }),
  });
  const sessionId = await server.createSession({ model: 'base' });
  expect((await ask(sessionId)).context).toMatchObject({ loaded_window: 20_000, reload_expected: false });
  expect(server.ollama.reloads).toEqual({});
});

it('after a restart as well', async () => {
  await start();
  const sessionId = await server.createSession({ model: 'base' });
  await server.chat(sessionId, { message: LONG });
  await server.restart();
  const other = await server.createSession({ model: 'pirate' });
  expect((await ask(other)).context).toMatchObject({ window: 16_384, reload_expected: false });
  expect(server.ollama.reloads).toEqual({});
});

it('another name with another window is a reload for all of them, and told as one', async () => {
  await start();
  const first = await server.createSession({ model: 'base' });
  const second = await server.createSession({
    model: 'pirate',
    context_window: { current_window: 4096, manual_override: true },
  });
  await ask(first);
  const small = await ask(second);
  expect([small.context.reload_expected, small.phases[0]]).toEqual([true, 'loading_model']);
  const back = await ask(first);
  expect([back.context.reload_expected, back.phases[0]]).toEqual([true, 'loading_model']);
  expect(back.context).toMatchObject({ prefix_reused: 0, cache_break: 'reload' });
  expect(server.ollama.reloads).toEqual({ 'pirate:latest': 1, 'base:latest': 1 });
});

it('nothing counts as read by a model that the engine has let go of', async () => {
  await start();
  const sessionId = await server.createSession({ model: 'base' });
  await ask(sessionId);
  expect((await ask(sessionId)).context).toMatchObject({ prefix_reused: 1, cache_break: null });
  await server.ollama.restart();
  await server.createSession({ model: 'base' });
  expect((await ask(sessionId)).context).toMatchObject({
    reload_expected: true,
    prefix_reused: 0,
    cache_break: 'reload',
  });
});

it.each([
  ['behind', -600_000],
  ['ahead', 600_000],
])('a clock of the engine that is minutes %s changes nothing', async (_name, clockOffsetMs) => {
  await start({ clockOffsetMs });
  const sessionId = await server.createSession({ model: 'base' });
  await ask(sessionId, LONG);
  const other = await server.createSession({ model: 'base' });
  const { context, phases } = await ask(other);
  expect(context).toMatchObject({ window: 16_384, loaded_window: 16_384, reload_expected: false });
  expect(phases[0]).toBe('evaluating_prompt');
  expect(server.ollama.reloads).toEqual({});
  const [held] = (await server.get('/models/loaded')).body.models;
  expect(held.expires_in_seconds).toBeGreaterThan(250);
  expect(held.expires_in_seconds).toBeLessThanOrEqual(301);
});
