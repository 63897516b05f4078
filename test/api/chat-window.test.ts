// The context window that a chat asks for: one step per model, manual where somebody said so, never a silent cut.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defaultModels } from '../fake-ollama/fake-model.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

const capabilities = ['completion', 'tools'];
const models = [
  ...defaultModels,
  { name: 'long:latest', capabilities, contextLength: 131_072 },
  { name: 'longer:latest', capabilities, contextLength: 131_072 },
  { name: 'longest:latest', capabilities, contextLength: 131_072 },
  { name: 'close:latest', capabilities, contextLength: 4096 },
  { name: 'chinese:latest', capabilities, contextLength: 131_072 },
  { name: 'odd:latest', capabilities, contextLength: 10_000 },
  { name: 'unknown:latest', capabilities, contextLength: null },
  ...['hand-small', 'hand-large', 'hand-huge'].map((name) => ({
    name,
    capabilities,
    contextLength: 131_072,
  })),
];

describe('the context window', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ ollama: { models } });
  });
  afterAll(() => server.close());

  const lastOptions = (): any => server.ollama.requestsTo('/api/chat').at(-1)?.body?.options;
  const windowOf = async (sessionId: string) =>
    (await server.get(`/sessions/${sessionId}`)).body.context_window;

  async function chatWith(model: string, body: object = {}, settings: object = {}) {
    const sessionId = await server.createSession({ model, ...settings });
    return { sessionId, ...(await server.chat(sessionId, { message: 'Hello', ...body })).body };
  }

  it.each([
    ['a large model', 'llama3.2', 8192],
    ['a model trained for less', 'tiny', 4096],
    ['a model whose length nobody tells', 'unknown', 8192],
  ])('starts at 8192 or the trained length: %s', async (_name, model, window) => {
    const { sessionId, context_window: told, context } = await chatWith(model);
    expect(lastOptions().num_ctx).toBe(window);
    expect(told).toMatchObject({ current_window: window, reason: 'initial_setup' });
    expect(context.window).toBe(window);
    expect((await windowOf(sessionId)).current_window).toBe(window);
    const next = await server.chat(sessionId, { message: 'Again' });
    expect(next.body.context_window).toMatchObject({ current_window: window, reason: 'no_adjustment' });
    expect(lastOptions().num_ctx).toBe(window);
  });

  it('climbs for a long message, and every session of the model stays on that step', async () => {
    const before = await chatWith('long');
    expect(lastOptions().num_ctx).toBe(8192);
    const sessionId = await server.createSession({ model: 'long' });
    const { body } = await server.chat(sessionId, { message: 'word '.repeat(8000) });
    expect(lastOptions().num_ctx).toBe(16_384);
    expect(body.context_window.current_window).toBe(16_384);
    expect(await windowOf(sessionId)).toMatchObject({ current_window: 16_384, manual_override: false });
    expect((await windowOf(sessionId)).adjustment_history).toHaveLength(1);

    await server.chat(before.sessionId, { message: 'Short.' });
    expect(lastOptions().num_ctx).toBe(16_384);
    await chatWith('long:latest');
    expect(lastOptions().num_ctx).toBe(16_384);
    expect(server.ollama.reloads['long:latest']).toBe(1);
    // Another model has a step of its own.
    await chatWith('longer');
    expect(lastOptions().num_ctx).toBe(8192);
  });

  it('is not moved by a turn that never reached the engine', async () => {
    const { sessionId } = await chatWith('longest');
    await server.ollama.stop();
    const long = await server.post(`/chat/${sessionId}`, { message: 'word '.repeat(8000) });
    await server.ollama.restart();
    expect(long.body.detail.error.code).toBe('ollama_unreachable');
    await chatWith('longest');
    expect(lastOptions().num_ctx).toBe(8192);
  });

  it('climbs to the trained length itself where that is the last step', async () => {
    const { context_window: told } = await chatWith('odd', { message: 'word '.repeat(5600) });
    expect(lastOptions().num_ctx).toBe(10_000);
    expect(told.current_window).toBe(10_000);
  });

  it('holds a message that comes close to it: the margin of an estimate refuses nothing', async () => {
    const sessionId = await server.createSession({ model: 'close' });
    const { status, body } = await server.post(`/chat/${sessionId}`, { message: 'word '.repeat(2700) });
    expect([status, body.context?.window]).toEqual([200, 4096]);
    expect(body.context.planned_tokens).toBeGreaterThan(4096 * 0.9);
  });

  it('climbs for Chinese before anybody has counted any', async () => {
    const { context } = await chatWith('chinese', { message: '中文'.repeat(1900) });
    expect(context).toMatchObject({ window: 16_384, window_reason: 'usage_threshold' });
  });

  it('makes room for the reply that was asked for', async () => {
    await chatWith('longer', { options: { num_predict: 6000 }, message: 'word '.repeat(2000) });
    expect(lastOptions()).toEqual({ num_predict: 6000, num_ctx: 16_384 });
  });

  it.each([
    ['hand-small', 2048, 2048, 8192],
    ['hand-large', 20_000, 20_000, 20_000],
    ['hand-huge', 1_000_000, 131_072, 131_072],
  ])('is what the request says, for its turn only: %s', async (model, asked, sent, next) => {
    const { sessionId, context_window: told } = await chatWith(model, { options: { num_ctx: asked } });
    expect(lastOptions().num_ctx).toBe(sent);
    expect(told).toMatchObject({ current_window: sent, reason: 'manual_override' });
    expect(await windowOf(sessionId)).toMatchObject({ current_window: 8192, manual_override: false });
    // A larger window than needed is used while the model is loaded with it: another one would cost a reload.
    const { body } = await server.chat(sessionId, { message: 'Again' });
    expect(lastOptions().num_ctx).toBe(next);
    expect(body.context).toMatchObject({ reload_expected: next !== sent, loaded_window: next });
  });

  it("is the session's own where it was set by hand", async () => {
    const manual = { context_window: { current_window: 4096, manual_override: true } };
    const { sessionId, context_window: told } = await chatWith('llama3.2', {}, manual);
    expect(lastOptions().num_ctx).toBe(4096);
    expect(told).toMatchObject({ current_window: 4096, reason: 'manual_override' });
    // The request wins over the session.
    await server.chat(sessionId, { message: 'Again', options: { num_ctx: 6000 } });
    expect(lastOptions().num_ctx).toBe(6000);
    await server.request('PATCH', `/sessions/${sessionId}`, { context_window: { manual_override: false } });
    await server.chat(sessionId, { message: 'And now' });
    expect(lastOptions().num_ctx).toBe(8192);
  });

  it('set by hand is clamped to what the model was trained for', async () => {
    const manual = { context_window: { current_window: 100_000, manual_override: true } };
    const { context_window: told } = await chatWith('tiny', {}, manual);
    expect(lastOptions().num_ctx).toBe(4096);
    expect(told.current_window).toBe(4096);
  });

  it('is left to the engine where the session says so', async () => {
    await chatWith('llama3.2', {}, { context_window: { dynamic_enabled: false } });
    expect(server.ollama.requestsTo('/api/chat').at(-1)?.body).not.toHaveProperty('options');
    await chatWith('llama3.2', { options: { seed: 1 } }, { context_window: { dynamic_enabled: false } });
    expect(lastOptions()).toMatchObject({ seed: 1 });
    expect(lastOptions()).not.toHaveProperty('num_ctx');
  });

  it('changes with the model, and says why', async () => {
    const { sessionId } = await chatWith('llama3.2');
    await server.request('PATCH', `/sessions/${sessionId}`, { model: 'tiny' });
    const { body } = await server.chat(sessionId, { message: 'Again' });
    expect(lastOptions().num_ctx).toBe(4096);
    expect(body.context_window).toMatchObject({ current_window: 4096, reason: 'model_change' });
    const next = await server.chat(sessionId, { message: 'And now' });
    expect(next.body.context_window.reason).toBe('no_adjustment');
  });

  it('notes real changes only', async () => {
    const { sessionId } = await chatWith('llama3.2');
    for (let turn = 0; turn < 12; turn += 1) await server.chat(sessionId, { message: `Turn ${turn}` });
    expect((await windowOf(sessionId)).adjustment_history).toEqual([]);
  });

  describe.each(['/chat/SESSION', '/chat/SESSION/stream'])('%s', (route) => {
    const post = (sessionId: string, body: unknown) => server.post(route.replace('SESSION', sessionId), body);

    async function expectOverflow(sessionId: string, body: unknown, stored: number) {
      const requests = server.ollama.requestsTo('/api/chat').length;
      const { status, headers, body: answer } = await post(sessionId, body);
      expect([status, answer.detail?.error.code]).toEqual([400, 'context_overflow']);
      expect(headers.get('content-type')).toContain('application/json');
      const { details, message } = answer.detail.error;
      const sizes = Object.values(details).filter((value) => typeof value === 'number');
      expect(sizes.length).toBeGreaterThanOrEqual(2);
      expect(message).toMatch(/\d/);
      expect(server.ollama.requestsTo('/api/chat')).toHaveLength(requests);
      expect(await server.messages(sessionId)).toHaveLength(stored);
    }

    it('refuses a message that no window of the model holds', async () => {
      const { sessionId } = await chatWith('tiny');
      await expectOverflow(sessionId, { message: 'word '.repeat(8000) }, 2);
      await server.chat(sessionId, { message: 'Shorter.' });
    });

    it('refuses a message that the window set by hand does not hold', async () => {
      const { sessionId } = await chatWith('llama3.2');
      await expectOverflow(sessionId, { message: 'word '.repeat(3000), options: { num_ctx: 2048 } }, 2);
    });

    it('refuses a message that does not fit beside the system prompt', async () => {
      const sessionId = await server.createSession({ model: 'tiny', system_prompt: 'word '.repeat(1500) });
      await expectOverflow(sessionId, { message: 'word '.repeat(1500) }, 1);
      await server.chat(sessionId, { message: 'Hello' });
    });

    it('refuses to answer a stored message that no window of a new model holds', async () => {
      const sessionId = await server.createSession({ model: 'long' });
      await server.chat(sessionId, { message: 'word '.repeat(8000) });
      await server.request('PATCH', `/sessions/${sessionId}`, { model: 'tiny' });
      await expectOverflow(sessionId, { message: null }, 2);
    });
  });
});

describe('the context window with the server switch off', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ config: { dynamicContextWindowEnabled: false } });
  });
  afterAll(() => server.close());

  it('is left to the engine for every session, unless it was set by hand', async () => {
    const sessionId = await server.createSession();
    await server.chat(sessionId, { message: 'Hello' });
    const requests = () => server.ollama.requestsTo('/api/chat');
    expect(requests().at(-1)?.body).not.toHaveProperty('options');
    await server.chat(sessionId, { message: 'Again', options: { num_ctx: 2048 } });
    expect(requests().at(-1)?.body?.options).toMatchObject({ num_ctx: 2048 });
    const manual = await server.createSession({
      context_window: { current_window: 3000, manual_override: true },
    });
    await server.chat(manual, { message: 'Hello' });
    expect(requests().at(-1)?.body?.options).toMatchObject({ num_ctx: 3000 });
  });
});
