// An engine that goes silent, goes away, and comes back.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mute, text } from '../fake-ollama/chat-script.ts';
import { firstTokenMs, hangAfter, script } from '../fake-ollama/script-modifiers.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

const asks = (message: string) => (request: { rawBody: string }) => request.rawBody.includes(message);

describe('an engine that never begins', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ config: { firstTokenTimeoutSeconds: 0.3 } });
  });
  afterAll(() => server.close());

  it('plain: 504, and the engine is left', async () => {
    const sessionId = await server.createSession();
    server.ollama.reply(mute());
    const { status, body } = await server.post(`/chat/${sessionId}`, { message: 'Mute, plain?' });
    expect([status, body.detail.error.code]).toEqual([504, 'engine_timeout']);
    expect(body.detail.error.details).toMatchObject({ phase: 'first_token', seconds: 0.3 });
    expect(body.detail.error.message).toContain('MOCHI_FIRST_TOKEN_TIMEOUT_SECONDS');
    await server.ollama.waitForAbort(asks('Mute, plain?'));
    expect(await server.messages(sessionId)).toHaveLength(1);
  });

  it('stream: an error event, then done', async () => {
    const sessionId = await server.createSession();
    server.ollama.reply(mute());
    const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'Mute, streamed?' });
    const [failure, done] = (await stream.all()).slice(-2);
    expect(failure?.data).toMatchObject({ code: 'engine_timeout', details: { phase: 'first_token' } });
    expect([done?.event, done?.data.state]).toEqual(['done', 'failed']);
    await server.ollama.waitForAbort(asks('Mute, streamed?'));
    expect(await server.messages(sessionId)).toHaveLength(1);
  });
});

describe('an engine that stops in the middle', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ config: { idleTimeoutSeconds: 0.6 } });
  });
  afterAll(() => server.close());

  it('plain: 504, with the part kept', async () => {
    const sessionId = await server.createSession();
    server.ollama.reply(script(text('Partial', '.'), hangAfter(1)));
    const { status, body } = await server.post(`/chat/${sessionId}`, { message: 'Hang, plain?' });
    expect([status, body.detail.error.code]).toEqual([504, 'engine_timeout']);
    expect(body.detail.error.details).toMatchObject({ phase: 'idle', seconds: 0.6 });
    expect(body.detail.error.message).toContain('MOCHI_IDLE_TIMEOUT_SECONDS');
    await server.ollama.waitForAbort(asks('Hang, plain?'));
    const [, part] = await server.messages(sessionId);
    expect(part).toMatchObject({
      content: 'Partial',
      status: 'partial',
      message_id: body.detail.error.details.message_id,
    });
    await server.chat(sessionId, { message: 'Again?' });
  });

  it('stream: an error event, then done', async () => {
    const sessionId = await server.createSession();
    server.ollama.reply(script(text('Partial', '.'), hangAfter(1)));
    const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'Hang, streamed?' });
    const [failure, done] = (await stream.all()).slice(-2);
    expect(failure?.data).toMatchObject({ code: 'engine_timeout', details: { phase: 'idle' } });
    expect([done?.event, done?.data.state]).toEqual(['done', 'failed']);
    expect((await server.messages(sessionId))[1]).toMatchObject({ content: 'Partial', status: 'partial' });
    await server.chat(sessionId, { message: 'Again?' });
  });

  it('may be silent before the first token for longer than between two', async () => {
    const sessionId = await server.createSession();
    server.ollama.reply(script(text('Good', ' morning.'), firstTokenMs(900)));
    const { body } = await server.chat(sessionId, { message: 'Awake?' });
    expect(body.message.content).toBe('Good morning.');
  });
});

describe('an engine that goes away', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ config: { engineInfoTimeoutSeconds: 1 } });
  });
  afterAll(() => server.close());

  it('is unreachable, keeps no session from working, and is back when it is back', async () => {
    const sessionId = await server.createSession();
    await server.chat(sessionId, { message: 'One' });
    await server.ollama.stop();
    const plain = await server.post(`/chat/${sessionId}`, { message: 'Two' });
    expect([plain.status, plain.body.detail.error.code]).toEqual([502, 'ollama_unreachable']);
    expect(plain.body.detail.error.message).toContain('MOCHI_OLLAMA_HOST');
    const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'Two' });
    expect((await stream.all()).slice(-2).map(({ data }) => data.code ?? data.state)).toEqual([
      'ollama_unreachable',
      'failed',
    ]);
    expect((await server.messages(sessionId)).map(({ content }) => content).slice(2)).toEqual(['Two']);

    await server.ollama.restart();
    await server.chat(sessionId, { message: 'Two' });
    expect((await server.messages(sessionId)).map(({ role }) => role)).toEqual([
      'user',
      'assistant',
      'user',
      'assistant',
    ]);
  });

  it('is not needed to read, and a message is stored without it, also right after a start', async () => {
    const sessionId = await server.createSession();
    await server.ollama.stop();
    await server.restart();
    try {
      const { status, body } = await server.post(`/chat/${sessionId}`, { message: 'Anybody?' });
      expect([status, body.detail.error.code]).toEqual([502, 'ollama_unreachable']);
      expect((await server.messages(sessionId)).map(({ content }) => content)).toEqual(['Anybody?']);
    } finally {
      await server.ollama.restart();
    }
    await server.chat(sessionId, { message: null });
  });

  it('is not blamed on a long message: nobody knows the model then', async () => {
    const sessionId = await server.createSession();
    await server.ollama.stop();
    await server.restart();
    try {
      const message = 'word '.repeat(10_000);
      const { status, body } = await server.post(`/chat/${sessionId}`, { message });
      expect([status, body.detail.error.code]).toEqual([502, 'ollama_unreachable']);
      expect(await server.messages(sessionId)).toHaveLength(1);
    } finally {
      await server.ollama.restart();
    }
    await server.chat(sessionId, { message: null });
  });

  it('may not tell about its models and chat all the same', async () => {
    const sessionId = await server.createSession({ model: 'qwen3:14b' });
    await server.restart();
    server.ollama.fault('/api/tags', 'mute');
    try {
      const { body } = await server.chat(sessionId, { message: 'Hello', think: true });
      expect(body.message.thinking).toBe('The user asks about France.');
      expect(body.context_window.current_window).toBe(8192);
    } finally {
      server.ollama.fault('/api/tags', null);
    }
  });
});
