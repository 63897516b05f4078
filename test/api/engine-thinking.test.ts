// Thinking: shown and kept when it was asked for, and only then.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { httpError, text, thinking } from '../fake-ollama/chat-script.ts';
import { cutAfter, finalFields, script } from '../fake-ollama/script-modifiers.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

const thoughts = thinking(['First', ' this.'], ['Then', ' that.']);

describe('thinking', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server.close());

  const thinker = () => server.createSession({ model: 'qwen3:14b' });
  const sentThink = () => server.ollama.requestsTo('/api/chat').map(({ body }) => body?.think);

  async function stream(sessionId: string, body: object) {
    const { all } = await server.stream(`/chat/${sessionId}/stream`, { message: 'Hello', ...body });
    const events = await all();
    const textOf = (name: string) =>
      events.flatMap(({ event, data }) => (event === name ? [data.content] : [])).join('');
    return {
      events,
      thinking: textOf('thinking_delta'),
      content: textOf('content_delta'),
      message: events.find(({ event }) => event === 'message_complete')?.data.message,
    };
  }

  it.each([true, 'low', 'medium', 'high'])(
    'is streamed, told and stored when asked for: %s',
    async (think) => {
      const sessionId = await thinker();
      server.ollama.reply(thoughts);
      const told = await stream(sessionId, { think });
      expect(told).toMatchObject({ thinking: 'First this.', content: 'Then that.' });
      expect(told.message).toMatchObject({ thinking: 'First this.', content: 'Then that.' });
      expect((await server.messages(sessionId)).at(-1)).toMatchObject({ thinking: 'First this.' });
      expect(sentThink().at(-1)).toBe(think);
    },
  );

  it.each([{}, { think: false }, { think: null }])(
    'is left out when nobody asked, though the model thinks all the same: %j',
    async (body) => {
      const sessionId = await thinker();
      server.ollama.reply(thoughts, thoughts);
      const told = await stream(sessionId, body);
      expect(told).toMatchObject({ thinking: '', content: 'Then that.' });
      expect(told.message.thinking).toBeNull();
      const plain = await server.chat(sessionId, { message: 'And plain?', ...body });
      expect(plain.body.message).toMatchObject({ thinking: null, content: 'Then that.' });
      expect((await server.messages(sessionId)).map(({ thinking }) => thinking)).toEqual([
        null,
        null,
        null,
        null,
      ]);
      expect(sentThink().at(-1)).toBe(false);
    },
  );

  it('is silently off for a model that cannot', async () => {
    const sessionId = await server.createSession({ model: 'llama3.2' });
    const before = server.ollama.requestsTo('/api/chat').length;
    const { body } = await server.chat(sessionId, { message: 'Think!', think: 'high' });
    expect(body.message.thinking).toBeNull();
    expect(sentThink().slice(before)).toEqual([false]);
  });

  it('is given up when the engine refuses it after all', async () => {
    const sessionId = await thinker();
    const before = server.ollama.requestsTo('/api/chat').length;
    const refusal = httpError(400, 'think value "low" is not supported for this model');
    server.ollama.reply(refusal, text('Without thinking.'));
    const { body } = await server.chat(sessionId, { message: 'Think a little.', think: 'low' });
    expect(body.message).toMatchObject({ content: 'Without thinking.', thinking: null });
    expect(sentThink().slice(before)).toEqual(['low', false]);
  });

  it('is asked for twice at most: a refusal of the request itself is told', async () => {
    const sessionId = await thinker();
    const before = server.ollama.requestsTo('/api/chat').length;
    const refusal = httpError(400, '"qwen3:14b" does not support thinking');
    server.ollama.reply(refusal, refusal);
    const { status, body } = await server.post(`/chat/${sessionId}`, { message: 'Think!', think: true });
    expect([status, body.detail.error.code]).toEqual([502, 'ollama_error']);
    expect(sentThink().slice(before)).toEqual([true, false]);
    // Another 400 is no reason to ask again.
    server.ollama.reply(httpError(400, 'invalid model name'));
    await server.post(`/chat/${sessionId}`, { message: 'Think!', think: true });
    expect(sentThink().slice(before)).toEqual([true, false, true]);
  });

  it('can be all that came before the tokens ran out', async () => {
    const sessionId = await thinker();
    server.ollama.reply(script(thinking(['On and', ' on']), finalFields({ done_reason: 'length' })));
    const { body } = await server.chat(sessionId, { message: 'Think long.', think: true });
    expect(body.message).toMatchObject({ content: '', thinking: 'On and on' });
  });

  it('is kept as a part when the answer is cut while the model thinks', async () => {
    const sessionId = await thinker();
    server.ollama.reply(script(thoughts, cutAfter(2)));
    const { status } = await server.post(`/chat/${sessionId}`, { message: 'Think.', think: true });
    expect(status).toBe(502);
    expect((await server.messages(sessionId)).at(-1)).toMatchObject({
      role: 'assistant',
      content: '',
      thinking: 'First this.',
      status: 'partial',
    });
    await server.chat(sessionId, { message: null, mode: 'continue' });
  });

  it('is no part when nobody asked to see it', async () => {
    const sessionId = await thinker();
    server.ollama.reply(script(thoughts, cutAfter(2)));
    await server.post(`/chat/${sessionId}`, { message: 'Just answer.' });
    expect(await server.messages(sessionId)).toHaveLength(1);
  });
});
