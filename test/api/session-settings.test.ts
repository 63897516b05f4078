// PATCH: what is given replaces, what is not given stays, and nothing is stored of a patch that is refused.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { startStubOllama } from './stub-ollama.ts';
import { expectError } from './wire-formats.ts';

const settings = {
  title: 'Capitals',
  metadata: { color: 'red', nested: { a: 1 } },
  tool_settings: {
    tools: ['a', 'b'],
    execution_policy: 'never_confirm',
    tool_policies: { a: 'always_confirm' },
  },
  agent_settings: { enabled_agents: ['coder'] },
  summary_model: 'tiny:latest',
};

describe('PATCH /sessions/{id}', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server.close());

  const patch = (sessionId: string, body: unknown) => server.request('PATCH', `/sessions/${sessionId}`, body);
  const read = async (sessionId: string) => {
    const { messages: _messages, ...session } = (await server.get(`/sessions/${sessionId}`)).body;
    return session;
  };

  it.each([
    ['title', 'Rivers'],
    ['metadata', { other: [1, 2] }],
    ['metadata', {}],
    ['tool_settings', { tools: [], execution_policy: 'always_confirm', tool_policies: {} }],
    ['agent_settings', { enabled_agents: [] }],
    ['summary_model', 'llama3.2:latest'],
    ['model', 'qwen3:14b'],
  ])('replaces %s whole and leaves the rest', async (field, value) => {
    const sessionId = await server.createSession(settings);
    const before = await read(sessionId);
    const { status, body } = await patch(sessionId, { [field]: value, unknown_key: 1 });
    expect(status).toBe(200);
    expect(body).toEqual({ ...before, [field]: value, updated_at: body.updated_at });
    expect(body.updated_at > before.updated_at).toBe(true);
    expect(await read(sessionId)).toEqual(body);
  });

  it('resets what a replaced tool_settings does not say', async () => {
    const sessionId = await server.createSession(settings);
    const { status, body } = await patch(sessionId, { tool_settings: { tools: ['a'] } });
    expect({ status, tool_settings: body.tool_settings }).toEqual({
      status: 200,
      tool_settings: { tools: ['a'], execution_policy: 'always_confirm', tool_policies: {} },
    });
  });

  const nothing = {
    model: null,
    metadata: null,
    tool_settings: null,
    agent_settings: null,
    context_window: null,
  };
  it.each([
    ['an empty patch', {}],
    ['nulls', nothing],
    ['unknown keys', { session_id: 'abc', created_at: 'now', message_count: 99 }],
  ])('changes nothing by %s, not even updated_at', async (_name, body) => {
    const sessionId = await server.createSession(settings);
    const before = await read(sessionId);
    const answer = await patch(sessionId, body);
    expect([answer.status, answer.body]).toEqual([200, before]);
    expect(await read(sessionId)).toEqual(before);
  });

  it('clears the title by null, and only by null', async () => {
    const sessionId = await server.createSession({ title: 'Capitals' });
    expect((await patch(sessionId, { metadata: {} })).body.title).toBe('Capitals');
    expect((await patch(sessionId, { title: null })).body.title).toBeNull();
    expect((await patch(sessionId, { title: '' })).body.title).toBe('');
  });

  it('clears the summary model by null, and only by null', async () => {
    const sessionId = await server.createSession({ summary_model: 'tiny:latest' });
    for (const other of [{}, { title: 'T' }, { model: null }]) {
      expect((await patch(sessionId, other)).body.summary_model).toBe('tiny:latest');
    }
    const { body } = await patch(sessionId, { summary_model: null });
    expect(body.summary_model).toBeNull();
    expect(await read(sessionId)).toEqual(body);
    expectError(await patch(sessionId, { summary_model: '' }), 422, 'validation_error');
  });

  it.each(['llama3.2', 'LLAMA3.2:latest'])('stores the model %s under its own name', async (model) => {
    const sessionId = await server.createSession({ model: 'qwen3:14b' });
    expect((await patch(sessionId, { model })).body.model).toBe('llama3.2:latest');
    await server.chat(sessionId, { message: 'Who answers?' });
    expect(server.ollama.requestsTo('/api/chat').at(-1)?.body?.model).toBe('llama3.2:latest');
  });

  it.each(['no-such-model', 'nomic-embed-text'])(
    'checks the model %s before it stores anything',
    async (model) => {
      const sessionId = await server.createSession(settings);
      const before = await read(sessionId);
      const answer = await patch(sessionId, { model, title: 'Not stored', metadata: { lost: true } });
      expect(expectError(answer, 400, 'model_not_found')).toEqual({ model });
      expect(await read(sessionId)).toEqual(before);
    },
  );

  it('answers 502 when the engine is down and the model is to change, and stores nothing', async () => {
    const sessionId = await server.createSession(settings);
    const before = await read(sessionId);
    await server.ollama.stop();
    const withModel = await patch(sessionId, { model: 'qwen3:14b', title: 'Not stored' });
    expectError(withModel, 502, 'ollama_unreachable');
    expectError(await patch('abc123', { model: 'qwen3:14b' }), 404, 'session_not_found');
    expect(await read(sessionId)).toEqual(before);
    const withoutModel = await patch(sessionId, { title: 'Stored' });
    await server.ollama.restart();
    expect([withoutModel.status, withoutModel.body.title]).toEqual([200, 'Stored']);
  });

  const bad: Record<string, unknown>[] = [
    { model: 7 },
    { model: '' },
    { title: 7 },
    { title: 'x'.repeat(501) },
    { metadata: [] },
    { metadata: { text: 'x'.repeat(16 * 1024) } },
    { tool_settings: [] },
    { tool_settings: { tools: [], execution_policy: 'auto', tool_policies: {} } },
    { agent_settings: { enabled_agents: [null] } },
    { context_window: { current_window: -1 } },
    { context_window: { dynamic_enabled: 1 } },
    { summary_model: 7 },
  ];
  it.each(bad)('refuses %.60j whole', async (fields) => {
    const sessionId = await server.createSession(settings);
    const before = await read(sessionId);
    expectError(await patch(sessionId, { title: 'Not stored', ...fields }), 422, 'validation_error');
    expect(await read(sessionId)).toEqual(before);
  });

  it('answers 404 for a session that is not there', async () => {
    expectError(await patch('abc123', { title: 'x' }), 404, 'session_not_found');
    expectError(await patch('..%2Fx', {}), 404, 'session_not_found');
  });

  it('sets the window key by key: manual, automatic again, and off', async () => {
    const sessionId = await server.createSession();
    const sentOptions = async (message: string) => {
      await server.chat(sessionId, { message });
      return server.ollama.requestsTo('/api/chat').at(-1)?.body?.options;
    };
    const manual = { current_window: 4096, manual_override: true };
    const { body } = await patch(sessionId, { context_window: manual });
    expect(body.context_window).toMatchObject({ ...manual, dynamic_enabled: true });
    expect(await sentOptions('manual')).toMatchObject({ num_ctx: 4096 });
    await patch(sessionId, { context_window: { current_window: 2048 } });
    expect(await sentOptions('smaller')).toMatchObject({ num_ctx: 2048 });
    await patch(sessionId, { context_window: { manual_override: false } });
    expect(await sentOptions('automatic')).toMatchObject({ num_ctx: 8192 });
    await patch(sessionId, { context_window: { dynamic_enabled: false } });
    expect(await sentOptions('off')).toBeUndefined();
  });

  it('says what holds once a manual window is given up', async () => {
    const sessionId = await server.createSession();
    const { adjustment_history: _none, ...fresh } = (await read(sessionId)).context_window;
    const manual = { current_window: 4096, manual_override: true };
    const window = async (input: object) => {
      const { body } = await patch(sessionId, { context_window: input });
      return body.context_window;
    };
    const byHand = {
      reason: 'manual_override',
      window: 4096,
      usage_tokens: 0,
      timestamp: expect.any(String),
    };
    expect((await window(manual)).adjustment_history).toEqual([byHand]);
    expect(await window(manual)).toMatchObject({ ...fresh, ...manual, last_adjustment: 'manual_override' });
    expect(await window({ manual_override: false })).toMatchObject(fresh);
    // Also when it held for a turn, and when other keys were changed meanwhile.
    await window(manual);
    await server.chat(sessionId, { message: 'manual' });
    await window({ dynamic_enabled: true });
    expect(await window({ manual_override: false })).toMatchObject(fresh);
    await server.chat(sessionId, { message: 'automatic' });
    expect((await read(sessionId)).context_window).toMatchObject(fresh);
  });

  it('remembers the window that the conversation had grown to', async () => {
    const sessionId = await server.createSession({ model: 'qwen3:14b' });
    await server.chat(sessionId, { message: 'word '.repeat(12_000) });
    const { adjustment_history: changes, ...grown } = (await read(sessionId)).context_window;
    expect(changes).toHaveLength(1);
    expect(grown.current_window).toBeGreaterThan(8192);
    await patch(sessionId, { context_window: { current_window: 2048, manual_override: true } });
    const { body } = await patch(sessionId, { context_window: { manual_override: false } });
    expect(body.context_window).toMatchObject(grown);
  });

  it('is possible while a turn runs, and the end of the turn does not undo it', async () => {
    const released = Promise.withResolvers<void>();
    const ollama = await startStubOllama(async ({ path }) => {
      if (path === '/api/tags') return { body: { models: [{ name: 'a:latest' }, { name: 'b:latest' }] } };
      if (path === '/api/show') return { body: { model_info: { 'a.context_length': 4096 } } };
      await released.promise;
      return { body: { message: { role: 'assistant', content: 'Late.' }, done: true } };
    });
    const slow = await startTestServer({ config: { ollamaHost: ollama.url } });
    const sessionId = await slow.createSession({ model: 'a' });
    const stream = await slow.stream(`/chat/${sessionId}/stream`, { message: 'Hi' });
    const changed = { ...settings, model: 'b:latest' };
    const window = { current_window: 2048, manual_override: true };
    const { body } = await slow.request('PATCH', `/sessions/${sessionId}`, {
      ...changed,
      context_window: window,
    });
    expect(body).toMatchObject({ ...changed, active_turn: stream.headers.get('x-turn-id') });

    released.resolve();
    expect((await stream.all()).at(-1)).toMatchObject({ event: 'done', data: { state: 'completed' } });
    const { body: after } = await slow.get(`/sessions/${sessionId}`);
    expect(after).toMatchObject({ ...changed, context_window: window, active_turn: null });
    expect((await slow.messages(sessionId)).map(({ model }) => model)).toEqual([null, 'a:latest']);
    await slow.close();
    await ollama.close();
  });
});
