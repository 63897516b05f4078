// A session as it is made and read: every field, every default, and what is refused.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { expectError, ID, TIMESTAMP } from './wire-formats.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

describe('POST /sessions', () => {
  it('fills in every default', async () => {
    const { status, body } = await server.post('/sessions', { model: 'llama3.2:latest' });
    expect(status).toBe(201);
    expect(body).toEqual({
      session_id: expect.stringMatching(ID),
      model: 'llama3.2:latest',
      created_at: expect.stringMatching(TIMESTAMP),
      updated_at: body.created_at,
      message_count: 0,
      title: null,
      metadata: {},
      tool_settings: { tools: [], execution_policy: 'always_confirm', tool_policies: {} },
      agent_settings: { enabled_agents: [] },
      context_window: {
        dynamic_enabled: true,
        current_window: 8192,
        last_adjustment: 'initial_setup',
        adjustment_history: [],
        manual_override: false,
      },
      summary_model: null,
      active_turn: null,
    });
  });

  it('keeps every field that it is given', async () => {
    const given = {
      title: 'Tee ☕ 茶',
      metadata: { tags: ['a', { deep: [null, 1.5, 'é'] }] },
      tool_settings: {
        tools: ['add_numbers', 'no_such_tool'],
        execution_policy: 'never_confirm',
        tool_policies: { add_numbers: 'always_confirm' },
      },
      agent_settings: { enabled_agents: ['coder', 'nobody'] },
      summary_model: 'tiny:latest',
    };
    const answer = await server.post('/sessions', {
      model: 'qwen3:14b',
      ...given,
      context_window: { current_window: 4096, manual_override: true },
      system_prompt: 'Be brief.',
      system_prompt_source_file: 'brief.md',
      unknown_key: 'ignored',
    });
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({
      ...given,
      model: 'qwen3:14b',
      message_count: 1,
      context_window: { dynamic_enabled: true, current_window: 4096, manual_override: true },
    });
    expect(answer.body).not.toHaveProperty('unknown_key');

    const read = await server.get(`/sessions/${answer.body.session_id}`);
    const { messages, ...session } = read.body;
    expect(session).toEqual(answer.body);
    expect(messages).toMatchObject([{ role: 'system', content: 'Be brief.', source_file: 'brief.md' }]);
  });

  it('takes null for every optional field', async () => {
    const optional = [
      'system_prompt',
      'system_prompt_source_file',
      'tool_settings',
      'agent_settings',
      'context_window',
      'context_window_config',
      'title',
      'metadata',
      'summary_model',
    ];
    const nulls = Object.fromEntries(optional.map((key) => [key, null]));
    const { status, body } = await server.post('/sessions', { model: 'llama3.2:latest', ...nulls });
    expect(status).toBe(201);
    expect(body).toMatchObject({ message_count: 0, title: null, metadata: {}, summary_model: null });
  });

  it('takes an empty system prompt for none, as the original did', async () => {
    const { status, body } = await server.post('/sessions', { model: 'llama3.2', system_prompt: '' });
    expect([status, body.message_count]).toEqual([201, 0]);
    expect(await server.messages(body.session_id)).toEqual([]);
  });

  it.each([
    [
      'tools alone',
      { tools: ['a'] },
      { tools: ['a'], execution_policy: 'always_confirm', tool_policies: {} },
    ],
    [
      'a policy alone',
      { execution_policy: 'never_confirm' },
      { tools: [], execution_policy: 'never_confirm', tool_policies: {} },
    ],
    ['nothing', {}, { tools: [], execution_policy: 'always_confirm', tool_policies: {} }],
  ])('fills in the rest of tool_settings with %s', async (_name, given, stored) => {
    const { status, body } = await server.post('/sessions', { model: 'llama3.2', tool_settings: given });
    expect({ status, tool_settings: body.tool_settings }).toEqual({ status: 201, tool_settings: stored });
  });

  it('fills in the rest of agent_settings', async () => {
    const { status, body } = await server.post('/sessions', { model: 'llama3.2', agent_settings: {} });
    expect({ status, agents: body.agent_settings }).toEqual({ status: 201, agents: { enabled_agents: [] } });
  });

  it.each(['context_window', 'context_window_config'])(
    'takes a window under the name %s and asks the engine for it',
    async (key) => {
      const window = { dynamic_enabled: true, current_window: 4096, manual_override: true };
      const sessionId = await server.createSession({ [key]: window });
      await server.chat(sessionId, { message: `window ${key}` });
      const sent = server.ollama.requestsTo('/api/chat').at(-1)?.body;
      expect(sent?.messages?.at(-1)?.content).toBe(`window ${key}`);
      expect(sent?.options).toMatchObject({ num_ctx: 4096 });
    },
  );

  it.each(['llama3.2', 'LLAMA3.2', 'llama3.2:latest'])('knows the model by the name %s', async (model) => {
    const { status, body } = await server.post('/sessions', { model });
    expect({ status, model: body.model }).toEqual({ status: 201, model: 'llama3.2:latest' });
  });

  it.each(['no-such-model', 'qwen3', 'llama3.2:70b', 'nomic-embed-text', 'nomic-embed-text:latest'])(
    'refuses the model %s, which is not there or cannot chat',
    async (model) => {
      const answer = await server.post('/sessions', { model });
      expect(expectError(answer, 400, 'model_not_found')).toEqual({ model });
    },
  );

  it('says the name of the field that does not fit', async () => {
    const answer = await server.post('/sessions', { model: 'llama3.2', title: 7 });
    expect(expectError(answer, 422, 'validation_error')).toEqual({
      errors: [{ path: '/title', message: expect.any(String) }],
    });
  });

  const badFields: Record<string, unknown>[] = [
    { model: 7 },
    { model: '' },
    { model: 'x'.repeat(600) },
    { system_prompt: 7 },
    { system_prompt: '  \n\t\u00a0' },
    { system_prompt: 'x'.repeat(20_001) },
    { tool_settings: 'all' },
    { tool_settings: { tools: 'add_numbers' } },
    { tool_settings: { tools: [1] } },
    { tool_settings: { tools: [], execution_policy: 'foo', tool_policies: {} } },
    { tool_settings: { tools: [], execution_policy: 'always_confirm', tool_policies: { a: 'sometimes' } } },
    { agent_settings: { enabled_agents: 'coder' } },
    { context_window: { current_window: 0 } },
    { context_window: { current_window: '8192' } },
    { context_window: { manual_override: 'yes' } },
    { metadata: [] },
    { metadata: 'text' },
    { title: 'x'.repeat(501) },
  ];
  it.each(badFields)('refuses %j', async (fields) => {
    const body = JSON.stringify({ model: 'llama3.2:latest', ...fields });
    expectError(await server.post('/sessions', body), 422, 'validation_error');
  });

  it('takes metadata up to 16 kB, counted in bytes', async () => {
    const filled = (bytes: number) => ({ text: 'ä'.repeat((bytes - '{"text":""}'.length) / 2) });
    const limit = 16 * 1024 - 1;
    expect(Buffer.byteLength(JSON.stringify(filled(limit)))).toBe(limit);
    const fits = await server.post('/sessions', { model: 'llama3.2', metadata: filled(limit) });
    expect(fits.status).toBe(201);
    const tooLarge = await server.post('/sessions', { model: 'llama3.2', metadata: filled(limit + 2) });
    expect(expectError(tooLarge, 422, 'validation_error')).toMatchObject({ errors: [{ path: '/metadata' }] });
  });

  it('stores nothing of what it refuses', async () => {
    const count = async () => (await server.get('/sessions')).body.sessions.length;
    const before = await count();
    await server.post('/sessions', { model: 'no-such-model', system_prompt: 'Hello' });
    await server.post('/sessions', { model: 'llama3.2', metadata: { text: 'x'.repeat(17_000) } });
    expect(await count()).toBe(before);
  });

  it('answers 502 when the engine fails, and stores nothing', async () => {
    const before = (await server.get('/sessions')).body.sessions.length;
    server.ollama.fault('/api/tags', 'error500');
    expectError(await server.post('/sessions', { model: 'llama3.2' }), 502, 'ollama_error');
    server.ollama.fault('/api/tags', 'refuse');
    expectError(await server.post('/sessions', { model: 'llama3.2' }), 502, 'ollama_unreachable');
    server.ollama.fault('/api/tags', null);
    await server.ollama.stop();
    expectError(await server.post('/sessions', { model: 'llama3.2' }), 502, 'ollama_unreachable');
    await server.ollama.restart();
    expect((await server.get('/sessions')).body.sessions.length).toBe(before);
    expect((await server.post('/sessions', { model: 'llama3.2' })).status).toBe(201);
  });
});

describe('GET /sessions/{id}', () => {
  it('shows the session with its messages, and reading moves nothing', async () => {
    const sessionId = await server.createSession({ system_prompt: 'Be brief.' });
    await server.chat(sessionId, { message: 'Hi' });
    const { body } = await server.get(`/sessions/${sessionId}`);
    expect(body.message_count).toBe(3);
    expect(body.messages.map(({ role }: { role: string }) => role)).toEqual(['system', 'user', 'assistant']);
    expect(body.messages).toEqual(await server.messages(sessionId));
    expect(body.updated_at > body.created_at).toBe(true);
    expect((await server.get(`/sessions/${sessionId}`)).body).toEqual(body);
  });

  it.each([
    'abc123',
    'ABC_-9',
    'a'.repeat(64),
    'a'.repeat(65),
    'a'.repeat(1000),
    '..%2F..%2Fetc%2Fpasswd',
    '%2e%2e%5cmochi.db',
    'a%00b',
    'ü',
    'a%20b',
    "'%20or%201=1--",
  ])('answers 404 for the id %s', async (id) => {
    expectError(await server.get(`/sessions/${id}`), 404, 'session_not_found');
  });

  it('names the id that it does not know', async () => {
    const answer = await server.get('/sessions/abc123');
    expect(answer.body.detail.error).toEqual({
      code: 'session_not_found',
      message: 'Session abc123 not found',
      details: { session_id: 'abc123' },
    });
  });

  it('names the turn that is running', async () => {
    const sessionId = await server.createSession();
    server.ollama.reply({ steps: [{ type: 'hang' }] });
    const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'wait for me' });
    const { body } = await server.get(`/sessions/${sessionId}`);
    expect(body.active_turn).toBe(stream.headers.get('x-turn-id'));
    stream.abort();
    await server.ollama.waitForAbort(({ rawBody }) => rawBody.includes('wait for me'));
    await expect
      .poll(async () => (await server.get(`/sessions/${sessionId}`)).body.active_turn, { timeout: 10_000 })
      .toBeNull();
  });
});
