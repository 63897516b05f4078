// The seed's flows over real sockets: the plain answer and the stream are one turn.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { text } from '../fake-ollama/chat-script.ts';
import { emptyAnswer } from '../fake-ollama/http-answer.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;

describe('chat', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server.close());

  it("answers in the seed's shape, exactly", async () => {
    const sessionId = await server.createSession();
    const { body, headers } = await server.chat(sessionId, { message: 'What is the capital of France?' });
    const { turn_id: turnId, context, ...seed } = body;
    expect(seed).toEqual({
      session_id: sessionId,
      message: {
        role: 'assistant',
        content: 'The capital of France is Paris.',
        thinking: null,
        model: 'llama3.2:latest',
        message_id: expect.stringMatching(/^[0-9a-f]{10}$/),
        timestamp: expect.stringMatching(TIMESTAMP),
        eval_count: 7,
        prompt_eval_count: 31,
        finish_reason: 'stop',
        tool_calls: null,
      },
      tool_calls_executed: [],
      context_window: { current_window: 8192, usage_tokens: 38, reason: 'initial_setup' },
    });
    expect(context).toMatchObject({
      window: 8192,
      window_reason: 'initial_setup',
      prompt_tokens: 31,
      output_tokens: 7,
      messages_sent: 1,
      messages_left_out: 0,
    });
    expect(turnId).toMatch(/^turn_[0-9a-f]{12}$/);
    expect(headers.get('x-turn-id')).toBe(turnId);
    expect(headers.get('location')).toBe(`/api/v1/turns/${turnId}`);
    expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
  });

  it('stores the question and the answer as they were told', async () => {
    const sessionId = await server.createSession({ system_prompt: 'Be brief.' });
    const { body } = await server.chat(sessionId, { message: 'Hello' });
    const messages = await server.messages(sessionId);
    expect(messages.map(({ role, content }) => [role, content])).toEqual([
      ['system', 'Be brief.'],
      ['user', 'Hello'],
      ['assistant', 'The capital of France is Paris.'],
    ]);
    const [system, user, answer] = messages;
    expect(user).toEqual({
      role: 'user',
      content: 'Hello',
      thinking: null,
      message_id: expect.stringMatching(/^[0-9a-f]{10}$/),
      timestamp: expect.stringMatching(TIMESTAMP),
      model: null,
      eval_count: null,
      prompt_eval_count: null,
      finish_reason: null,
      tool_calls: null,
      source_file: null,
      tool_name: null,
      parent_id: system.message_id,
      turn_id: body.turn_id,
      status: 'complete',
      sibling_count: 1,
      sibling_index: 0,
    });
    expect(answer).toEqual({
      ...body.message,
      source_file: null,
      tool_name: null,
      parent_id: user.message_id,
      turn_id: body.turn_id,
      status: 'complete',
      sibling_count: 1,
      sibling_index: 0,
    });
  });

  it('goes on: the second turn knows the first, and its window does not change', async () => {
    const sessionId = await server.createSession();
    await server.chat(sessionId, { message: 'My name is Ada.' });
    const { body } = await server.chat(sessionId, { message: 'What is my name?' });
    expect(body.context_window).toMatchObject({ current_window: 8192, reason: 'no_adjustment' });
    expect(body.context).toMatchObject({ messages_sent: 3, messages_left_out: 0 });
    expect((await server.messages(sessionId)).map(({ role }) => role)).toEqual([
      'user',
      'assistant',
      'user',
      'assistant',
    ]);
  });

  it('keeps any text as it came', async () => {
    const sessionId = await server.createSession();
    const message = ' \u0000zero\tтекст 🦙👩‍👩‍👧\u2028line\r\n"quotes" \\ {"json":1}  ';
    server.ollama.reply(text('𝄞 clef\r\n', '\n\ndata: {"x":1}\n\n', '\u2029', '<b>&amp;</b> '));
    const { body } = await server.chat(sessionId, { message });
    const [user, answer] = await server.messages(sessionId);
    expect(user.content).toBe(message);
    expect(server.ollama.requestsTo('/api/chat').at(-1)?.body?.messages?.at(-1)?.content).toBe(message);
    expect(body.message.content).toBe('𝄞 clef\r\n\n\ndata: {"x":1}\n\n\u2029<b>&amp;</b> ');
    expect(answer.content).toBe(body.message.content);
  });

  it('stores an empty answer too: the model has said nothing', async () => {
    const sessionId = await server.createSession();
    server.ollama.reply(text());
    const { body } = await server.chat(sessionId, { message: 'Say nothing.' });
    expect(body.message.content).toBe('');
    expect((await server.messages(sessionId)).at(-1)).toMatchObject({ content: '', status: 'complete' });
    await server.chat(sessionId, { message: 'And now?' });
  });

  it('counts one request to the engine for every chat of a known model', async () => {
    const sessionId = await server.createSession();
    const before = server.ollama.requests.length;
    await server.chat(sessionId, { message: 'One' });
    await server.chat(sessionId, { message: 'Two' });
    expect(server.ollama.requests.slice(before).map(({ path }) => path)).toEqual(['/api/chat', '/api/chat']);
  });

  it('asks for the model once after a restart, and never again', async () => {
    const sessionId = await server.createSession();
    await server.restart();
    const earlier = [...server.ollama.requests];
    await server.chat(sessionId, { message: 'One' });
    const first = server.ollama.requests.slice(earlier.length).map(({ path }) => path);
    expect(first.filter((path) => path !== '/api/ps')).toEqual(['/api/tags', '/api/show', '/api/chat']);
    // Which windows are loaded is asked once the answer has begun, and nobody waits for it.
    await server.ollama.waitForRequest('/api/ps', (request) => !earlier.includes(request));
    const between = server.ollama.requests.length;
    await server.chat(sessionId, { message: 'Two' });
    expect(server.ollama.requests.slice(between).map(({ path }) => path)).toEqual(['/api/chat']);
  });

  it.each(['/chat/SESSION', '/chat/SESSION/stream'])(
    '%s: a failed turn has its headers too',
    async (path) => {
      const sessionId = await server.createSession();
      server.ollama.reply({ answer: emptyAnswer(500), steps: [] });
      const { headers } = await server.post(path.replace('SESSION', sessionId), { message: 'Hello' });
      expect(headers.get('x-turn-id')).toMatch(/^turn_/);
      expect(headers.get('location')).toBe(`/api/v1/turns/${headers.get('x-turn-id')}`);
    },
  );

  it.each(['/chat/SESSION', '/chat/SESSION/stream'])(
    '%s: the same text again, while nobody has answered it, is no second message',
    async (path) => {
      const sessionId = await server.createSession();
      server.ollama.reply({ answer: emptyAnswer(500), steps: [] });
      await server.post(path.replace('SESSION', sessionId), { message: 'Are you there?' });
      await server.post(path.replace('SESSION', sessionId), { message: 'Are you there?' });
      const messages = await server.messages(sessionId);
      expect(messages.map(({ role }) => role)).toEqual(['user', 'assistant']);
      expect(messages[0]).toMatchObject({ content: 'Are you there?', sibling_count: 1 });
      // Once it is answered, the same text is a new question.
      await server.post(path.replace('SESSION', sessionId), { message: 'Are you there?' });
      expect(await server.messages(sessionId)).toHaveLength(4);
    },
  );

  it.each(['/chat/nobody1234', '/chat/nobody1234/stream', '/chat/%2e%2e', '/chat/..%2fx/stream'])(
    '%s: 404 for a session that is none',
    async (path) => {
      const { status, body } = await server.post(path, { message: 'Hello' });
      expect(status).toBe(404);
      expect(body.detail.error.code).toMatch(/^(session_)?not_found$/);
    },
  );
});
