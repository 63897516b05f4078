// POST /chat/{id}/preview: what a chat would send, word for word, and nothing else happens.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { text, toolCall } from '../fake-ollama/chat-script.ts';
import { defaultModels } from '../fake-ollama/fake-model.ts';
import { readStore } from '../support/read-store.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { windowsLearned } from '../support/windows-learned.ts';

describe('POST /chat/{id}/preview', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ ollama: { models: defaultModels } });
  });
  afterAll(() => server.close());

  const preview = (sessionId: string, body: object) => server.post(`/chat/${sessionId}/preview`, body);
  const lastRequest = () => server.ollama.requestsTo('/api/chat').at(-1)?.body;

  it.each([
    ['a first message', { message: 'Hello' }],
    ['options and a schema', { message: 'Hi', options: { seed: 3, stop: 'x' }, format: { type: 'object' } }],
    ['thinking', { message: 'Hi', think: true }],
    ['a window by hand', { message: 'Hi', options: { num_ctx: 12_000 } }],
    ['a regenerated answer', { message: null }],
    ['an answer that goes on', { message: null, mode: 'continue' }],
  ])('is the request that the chat then sends: %s', async (_name, body) => {
    const sessionId = await server.createSession({ model: 'qwen3:14b', system_prompt: 'Be brief.' });
    server.ollama.reply(toolCall('f', { a: 1 }), text('{}'));
    await server.chat(sessionId, { message: 'Before' });
    const { status, body: told } = await preview(sessionId, body);
    expect(status).toBe(200);
    server.ollama.reply(text('{}'));
    const { body: answer } = await server.chat(sessionId, body);
    expect(told.engine_request).toEqual(lastRequest());
    const { prompt_tokens: _prompt, output_tokens: _output, ...planned } = told.context;
    expect(answer.context).toMatchObject({ ...planned, loaded_window: planned.window });
    expect(told.would_reload).toBe(planned.reload_expected);
  });

  it('asks the engine nothing and stores nothing', async () => {
    const sessionId = await server.createSession();
    await server.chat(sessionId, { message: 'Before' });
    await windowsLearned(server.ollama);
    const rows = async () => (await readStore(server.dataDir)).messages;
    const [session, messages, requests] = [
      (await server.get(`/sessions/${sessionId}`)).body,
      await rows(),
      server.ollama.requests.length,
    ];
    for (const body of [{ message: 'Hello' }, { message: null }, { message: 'x'.repeat(50_000) }]) {
      expect((await preview(sessionId, body)).status).toBe(200);
    }
    expect(server.ollama.requests).toHaveLength(requests);
    expect((await server.get(`/sessions/${sessionId}`)).body).toEqual(session);
    expect(await rows()).toEqual(messages);
    expect((await server.get(`/sessions/${sessionId}/turns`)).body.turns).toHaveLength(1);
  });

  it('tells what would stay out, and that the model would be loaded anew', async () => {
    const sessionId = await server.createSession({ model: 'llama3.2' });
    for (let turn = 0; turn < 6; turn += 1) {
      server.ollama.reply(text('Fine.'));
      await server.chat(sessionId, { message: 'word '.repeat(500) });
    }
    const { body } = await preview(sessionId, { message: 'Hi', options: { num_ctx: 2048 } });
    expect(body.would_leave_out).toBeGreaterThan(0);
    expect(body.would_leave_out + body.engine_request.messages.length).toBe(13);
    expect(body.would_reload).toBe(true);
    expect((await preview(sessionId, { message: 'Hi' })).body).toMatchObject({
      would_leave_out: 0,
      would_reload: false,
    });
  });

  it('works while the session answers, and while the engine is down', async () => {
    const sessionId = await server.createSession();
    server.ollama.reply({ steps: [{ type: 'hang' }] });
    const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'Wait' });
    const { body } = await preview(sessionId, { message: 'Next' });
    expect(body.engine_request.messages.at(-1)).toEqual({ role: 'user', content: 'Next' });
    stream.abort();
    await server.ollama.stop();
    expect((await preview(sessionId, { message: 'Next' })).status).toBe(200);
    await server.ollama.restart();
  });

  it.each([
    ['a blank message', { message: ' ' }, 422, 'validation_error'],
    ['nothing to answer', { message: null }, 400, 'empty_history'],
    ['images that the model cannot see', { message: 'Hi', images: ['aaaa'] }, 400, 'images_not_supported'],
    ['what no window holds', { message: 'x'.repeat(600_000) }, 400, 'context_overflow'],
    ['a schema that is none', { message: 'Hi', format: { type: 'wrong' } }, 422, 'validation_error'],
  ])('refuses what the chat refuses: %s', async (_name, body, status, code) => {
    const answer = await preview(await server.createSession(), body);
    expect([answer.status, answer.body.detail.error.code]).toEqual([status, code]);
    expect((await preview('nobody', { message: 'Hi' })).status).toBe(404);
  });
});

describe('GET /sessions/{id}/status', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server.close());

  const status = async (sessionId: string) => (await server.get(`/sessions/${sessionId}/status`)).body;

  it('of a fresh session', async () => {
    const sessionId = await server.createSession({ model: 'qwen3:14b' });
    expect(await status(sessionId)).toEqual({
      session_id: sessionId,
      model: 'qwen3:14b',
      title: null,
      message_count: 0,
      active_turn: null,
      context_window: {
        dynamic_enabled: true,
        current_window: 8192,
        model_max_context: 40_960,
        last_adjustment_reason: 'initial_setup',
        manual_override: false,
      },
      context: null,
      approvals: [],
      tools_enabled: false,
      active_tools: [],
      tool_warnings: [],
      execution_policy: 'always_confirm',
      agents_enabled: false,
      agents_available: [],
      enabled_agents: [],
      system_prompt_file: null,
      summary: null,
      summary_model: null,
    });
  });

  it('shows every setting, and the receipt of the last turn', async () => {
    const sessionId = await server.createSession({
      system_prompt: 'Be kind.',
      system_prompt_source_file: 'kind.md',
      tool_settings: { tools: ['add'], execution_policy: 'never_confirm' },
      agent_settings: { enabled_agents: ['coder'] },
      context_window: { current_window: 4096, manual_override: true },
      summary_model: 'qwen3:14b',
      title: 'Sums',
    });
    const { body } = await server.chat(sessionId, { message: 'Hello' });
    expect(await status(sessionId)).toMatchObject({
      title: 'Sums',
      message_count: 3,
      context_window: {
        current_window: 4096,
        manual_override: true,
        last_adjustment_reason: 'manual_override',
      },
      context: body.context,
      tools_enabled: true,
      active_tools: ['add'],
      execution_policy: 'never_confirm',
      agents_enabled: true,
      enabled_agents: ['coder'],
      system_prompt_file: 'kind.md',
      summary_model: 'qwen3:14b',
    });
  });

  it('names the turn that runs', async () => {
    const sessionId = await server.createSession();
    server.ollama.reply({ steps: [{ type: 'hang' }] });
    const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'Wait' });
    expect((await status(sessionId)).active_turn).toBe(stream.headers.get('x-turn-id'));
    stream.abort();
  });

  it('answers without the engine, and 404 for nobody', async () => {
    const sessionId = await server.createSession();
    await server.ollama.stop();
    await server.restart();
    expect((await status(sessionId)).context_window.model_max_context).toBeNull();
    expect((await server.get('/sessions/nobody/status')).status).toBe(404);
  });
});
