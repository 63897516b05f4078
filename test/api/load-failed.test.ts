// A window for which the engine has not enough memory: the session goes on in the largest one that loads.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { httpError, text } from '../fake-ollama/chat-script.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

const MODEL = { name: 'm', capabilities: ['completion'], contextLength: 131_072 };

describe('a window that cannot be loaded', () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await startTestServer({ ollama: { models: [MODEL] } });
    server.ollama.setDefault(text('Fine.'));
  });
  afterEach(() => server.close());

  const windows = () => server.ollama.requestsTo('/api/chat').map(({ body }) => body?.options?.['num_ctx']);
  const words = (count: number) => 'word '.repeat(count);
  async function fill(sessionId: string, turns: number): Promise<any> {
    let last: any;
    for (let turn = 0; turn < turns; turn += 1) {
      last = await server.chat(sessionId, { message: `${turn}: ${words(1500)}` });
    }
    return last.body;
  }

  it('gives way to the largest that has loaded; history is left out, and the receipt says why', async () => {
    server.ollama.largestWindow = 8192;
    const sessionId = await server.createSession({ model: 'm' });
    await fill(sessionId, 3);
    const { context, context_window: told } = await fill(sessionId, 1);
    expect(context).toMatchObject({ window: 8192, window_reason: 'load_failed' });
    expect(context.messages_left_out).toBeGreaterThan(0);
    expect(told).toMatchObject({ current_window: 8192, reason: 'load_failed' });
    // Remembered: the engine is not made to fail at every turn.
    const { context: next } = await fill(sessionId, 1);
    expect(next).toMatchObject({ window: 8192, window_reason: 'load_failed' });
    const other = await server.createSession({ model: 'm' });
    const { body } = await server.chat(other, { message: 'Hi' });
    expect(body.context).toMatchObject({ window: 8192, window_reason: 'initial_setup' });
    expect(windows().filter((window) => window === 16_384)).toHaveLength(1);
    // "Hi" works, of course.
    expect((await server.chat(sessionId, { message: 'Hi' })).body.message.content).toBe('Fine.');
  });

  it('tells both plans on the stream', async () => {
    server.ollama.largestWindow = 8192;
    const sessionId = await server.createSession({ model: 'm' });
    await fill(sessionId, 3);
    const stream = await server.stream(`/chat/${sessionId}/stream`, { message: words(1500) });
    const receipts = (await stream.all()).filter(({ event }) => event === 'context').map(({ data }) => data);
    expect(receipts.map(({ window, window_reason: why }) => [window, why])).toEqual([
      [16_384, 'usage_threshold'],
      [8192, 'load_failed'],
    ]);
    // What was held is gone: it had to make room.
    expect(receipts[1]).toMatchObject({ loaded_window: null, reload_expected: true, prefix_reused: 0 });
  });

  it('refuses the message that fits no window which can be loaded, and takes it back', async () => {
    server.ollama.largestWindow = 8192;
    const sessionId = await server.createSession({ model: 'm' });
    await server.chat(sessionId, { message: 'Hello' });
    const { status, body } = await server.post(`/chat/${sessionId}`, { message: words(8000) });
    expect([status, body.detail.error.code]).toEqual([400, 'context_overflow']);
    expect(body.detail.error.message).toMatch(/could not be loaded.*MOCHI_MAX_CONTEXT_WINDOW/);
    expect(body.detail.error.details).toMatchObject({ window: 8192, message_taken_back: true });
    expect(await server.messages(sessionId)).toHaveLength(2);
    expect((await server.chat(sessionId, { message: 'Hi' })).body.context.window).toBe(8192);
    // The next of the kind is refused before anything is stored.
    const asked = windows().length;
    const again = await server.post(`/chat/${sessionId}`, { message: words(8000) });
    expect([again.status, windows().length]).toEqual([400, asked]);
    expect(again.body.detail.error.details.message_taken_back).toBeUndefined();
  });

  it('that is the first one is halved until one loads', async () => {
    server.ollama.largestWindow = 3000;
    const sessionId = await server.createSession({ model: 'm' });
    const { body } = await server.chat(sessionId, { message: 'Hi' });
    expect(windows()).toEqual([8192, 4096, 2048]);
    expect(body.context).toMatchObject({ window: 2048, window_reason: 'load_failed' });
    await server.chat(sessionId, { message: 'Again' });
    expect(windows().slice(3)).toEqual([2048]);
  });

  it('says what can be done where none loads', async () => {
    server.ollama.largestWindow = 100;
    const sessionId = await server.createSession({ model: 'm' });
    const { status, body } = await server.post(`/chat/${sessionId}`, { message: 'Hi' });
    expect([status, body.detail.error.code]).toEqual([502, 'ollama_error']);
    expect(body.detail.error.message).toMatch(/resource limitations.*MOCHI_MAX_CONTEXT_WINDOW/);
    expect(body.detail.error.details).toMatchObject({ load_failed: true, window: 2048 });
    expect(await server.messages(sessionId)).toHaveLength(1);
    server.ollama.largestWindow = Number.POSITIVE_INFINITY;
    expect((await server.chat(sessionId, { message: null })).body.message.content).toBe('Fine.');
  });

  it('is not blamed for a runner that dies of something else', async () => {
    const sessionId = await server.createSession({ model: 'm' });
    await server.chat(sessionId, { message: 'Hi' });
    const died = httpError(
      500,
      'model runner has unexpectedly stopped, this may be due to resource limitations or an internal error',
    );
    server.ollama.reply(died, died);
    for (let turn = 0; turn < 2; turn += 1) {
      expect((await server.post(`/chat/${sessionId}`, { message: 'Boom' })).status).toBe(502);
    }
    await server.chat(sessionId, { message: 'Hi' });
    expect(new Set(windows())).toEqual(new Set([8192]));
  });

  it('is not changed where it was set by hand, and nothing is remembered of it', async () => {
    server.ollama.largestWindow = 8192;
    const sessionId = await server.createSession({ model: 'm' });
    const byHand = { message: 'Hi', options: { num_ctx: 20_000 } };
    const { status, body } = await server.post(`/chat/${sessionId}`, byHand);
    expect(status).toBe(502);
    expect(body.detail.error.message).toMatch(/20000 tokens.*num_ctx by hand/);
    server.ollama.largestWindow = Number.POSITIVE_INFINITY;
    const { body: large } = await server.chat(sessionId, { message: words(8000) });
    expect(large.context).toMatchObject({ window: 16_384, window_reason: 'usage_threshold' });
  });

  it.each([true, false])('is tried again when the engine was started anew, seen down: %s', async (isSeen) => {
    server.ollama.largestWindow = 8192;
    const sessionId = await server.createSession({ model: 'm' });
    expect((await fill(sessionId, 4)).context.window_reason).toBe('load_failed');
    expect((await fill(sessionId, 1)).context.window_reason).toBe('load_failed');
    await server.ollama.stop();
    if (isSeen) expect((await server.post(`/chat/${sessionId}`, { message: 'Hi' })).status).toBe(502);
    server.ollama.largestWindow = Number.POSITIVE_INFINITY;
    await server.ollama.restart();
    const planned = async () =>
      (await server.post(`/chat/${sessionId}/preview`, { message: words(1500) })).body.context.window;
    await expect.poll(planned).toBe(16_384);
    const { context } = await fill(sessionId, 1);
    expect(context).toMatchObject({ window: 16_384, window_reason: 'usage_threshold', messages_left_out: 0 });
  });

  it('is tried again when the engine turns out to have lost what it held', async () => {
    server.ollama.largestWindow = 8192;
    server.ollama.loadDelayMs = 150;
    const sessionId = await server.createSession({ model: 'm' });
    await fill(sessionId, 4);
    await server.ollama.stop();
    server.ollama.largestWindow = Number.POSITIVE_INFINITY;
    await server.ollama.restart();
    // Nobody has seen it go: this turn finds that the model is loaded once more.
    await fill(sessionId, 1);
    expect((await fill(sessionId, 1)).context.window).toBe(16_384);
  });
});

describe('the num_ctx of a Modelfile', () => {
  let server: TestServer;
  beforeEach(async () => {
    const models = [
      { ...MODEL, name: 'small', numCtx: 2048 },
      { ...MODEL, name: 'large', numCtx: 32_768 },
      { ...MODEL, name: 'over', numCtx: 20_000, contextLength: 10_000 },
    ];
    server = await startTestServer({ ollama: { models } });
    server.ollama.setDefault(text('Fine.'));
  });
  afterEach(() => server.close());

  const windowOf = async (model: string, message = 'Hi') => {
    const sessionId = await server.createSession({ model });
    return (await server.chat(sessionId, { message })).body.context.window;
  };

  it('is the first window of the model: the operator has asked for it', async () => {
    expect([await windowOf('small'), await windowOf('large'), await windowOf('over')]).toEqual([
      2048, 32_768, 10_000,
    ]);
    // From there it climbs as ever.
    expect(await windowOf('small', 'word '.repeat(1500))).toBe(4096);
    expect(JSON.stringify((await server.get('/models')).body)).not.toMatch(/wished/i);
  });

  it('gives way to the largest window that the operator allows', async () => {
    await server.restart({ maxContextWindow: 16_384 });
    expect(await windowOf('large')).toBe(16_384);
  });
});
