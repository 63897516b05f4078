// A fork is a session of its own: it takes a path along, and neither side hears of the other again.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { text, toolCall } from '../fake-ollama/chat-script.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { expectError, ID } from './wire-formats.ts';

describe('POST /sessions/{id}/fork', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server.close());

  const fork = (sessionId: string, body?: unknown) => server.post(`/sessions/${sessionId}/fork`, body);
  const contents = async (sessionId: string) =>
    (await server.messages(sessionId)).map(({ content }) => content);

  async function exchange(sessionId: string, message: string | null, answer: string): Promise<string> {
    server.ollama.reply(text(answer));
    return (await server.chat(sessionId, { message })).body.message.message_id;
  }

  /** S → u1 → a1 → u2 → a2, and a sibling of u2 with an answer, which is shown. */
  async function twoBranches(): Promise<{ sessionId: string; a1: string; a2: string }> {
    const sessionId = await server.createSession({ system_prompt: 'S' });
    const a1 = await exchange(sessionId, 'u1', 'a1');
    const a2 = await exchange(sessionId, 'u2', 'a2');
    await server.request('PUT', `/sessions/${sessionId}/messages/3`, { content: "u2'" });
    await exchange(sessionId, null, "a2'");
    return { sessionId, a1, a2 };
  }

  it('takes the path and the settings along', async () => {
    const sessionId = await server.createSession({
      title: 'Capitals',
      metadata: { pinned: true },
      model: 'qwen3:14b',
      summary_model: 'tiny:latest',
      tool_settings: { tools: ['a'], execution_policy: 'never_confirm', tool_policies: {} },
      agent_settings: { enabled_agents: ['coder'] },
      context_window: { current_window: 4096, manual_override: true },
      system_prompt: 'S',
    });
    await exchange(sessionId, 'u1', 'a1');
    const { body: source } = await server.get(`/sessions/${sessionId}`);
    const { status, body } = await fork(sessionId);
    const { messages, ...settings } = source;
    expect(status).toBe(201);
    expect(body).toEqual({
      ...settings,
      session_id: expect.stringMatching(ID),
      created_at: body.updated_at,
      updated_at: body.updated_at,
    });
    expect(body.session_id).not.toBe(sessionId);
    expect(body.created_at > source.updated_at).toBe(true);
    expect(await server.messages(body.session_id)).toEqual(messages);
    expect((await server.get('/sessions?limit=1')).body.sessions).toMatchObject([
      { session_id: body.session_id, preview: 'u1', message_count: 3 },
    ]);
  });

  it.each([
    ['no body', undefined],
    ['an empty object', {}],
    ['message_id null', { message_id: null }],
  ])('forks at the head with %s', async (_name, body) => {
    const { sessionId } = await twoBranches();
    const forked = await fork(sessionId, body);
    expect(forked.status).toBe(201);
    expect(await contents(forked.body.session_id)).toEqual(['S', 'u1', 'a1', "u2'", "a2'"]);
  });

  it('forks at an inner message', async () => {
    const { sessionId, a1 } = await twoBranches();
    const { body } = await fork(sessionId, { message_id: a1 });
    expect(body.message_count).toBe(3);
    expect(await contents(body.session_id)).toEqual(['S', 'u1', 'a1']);
  });

  it('forks at a message of a branch that is not shown, and shows it', async () => {
    const { sessionId, a2 } = await twoBranches();
    const { body } = await fork(sessionId, { message_id: a2 });
    expect(await contents(body.session_id)).toEqual(['S', 'u1', 'a1', 'u2', 'a2']);
    expect(await contents(sessionId)).toEqual(['S', 'u1', 'a1', "u2'", "a2'"]);
  });

  it('leaves the other branches behind', async () => {
    const { sessionId, a2 } = await twoBranches();
    const { body: source } = await server.get(`/sessions/${sessionId}/tree`);
    const { body } = await fork(sessionId, { message_id: a2 });
    const { body: forked } = await server.get(`/sessions/${body.session_id}/tree`);
    expect(forked.head).toBe(a2);
    expect(forked.messages).toEqual(
      source.messages.slice(0, 5).map((message: object) => ({ ...message, active: true, sibling_count: 1 })),
    );
  });

  it('at the system message takes nothing else', async () => {
    const { sessionId } = await twoBranches();
    const [system] = await server.messages(sessionId);
    const { body } = await fork(sessionId, { message_id: system.message_id });
    expect(body.message_count).toBe(1);
    expect(await contents(body.session_id)).toEqual(['S']);
    await exchange(body.session_id, 'v1', 'b1');
    expect(await contents(body.session_id)).toEqual(['S', 'v1', 'b1']);
  });

  it.each([
    [{}, 0],
    [{ system_prompt: 'S' }, 1],
  ])('of an empty session %j works', async (settings, count) => {
    const { status, body } = await fork(await server.createSession(settings));
    expect([status, body.message_count]).toEqual([201, count]);
    await exchange(body.session_id, 'u1', 'a1');
    expect((await server.messages(body.session_id)).length).toBe(count + 2);
  });

  it('is independent: what happens on one side does not show on the other', async () => {
    const { sessionId } = await twoBranches();
    const { body } = await fork(sessionId);
    const forkId = body.session_id;
    const source = (await server.get(`/sessions/${sessionId}`)).body;

    await exchange(forkId, 'u3', 'a3');
    await server.request('PUT', `/sessions/${forkId}/messages/1`, { content: 'edited' });
    await server.request('DELETE', `/sessions/${forkId}/system-prompt`);
    await server.request('PATCH', `/sessions/${forkId}`, { title: 'Fork', metadata: { fork: true } });
    expect((await server.get(`/sessions/${sessionId}`)).body).toEqual(source);

    const forked = (await server.get(`/sessions/${forkId}`)).body;
    await server.request('PUT', `/sessions/${sessionId}/system-prompt`, { content: 'Other' });
    await exchange(sessionId, 'u4', 'a4');
    expect((await server.get(`/sessions/${forkId}`)).body).toEqual(forked);
    expect((await server.request('DELETE', `/sessions/${sessionId}`)).status).toBe(204);
    expect((await server.get(`/sessions/${forkId}`)).body).toEqual(forked);
    await exchange(forkId, null, 'still here');
    expect(await contents(forkId)).toEqual(['edited', 'still here']);
  });

  it('can be forked again', async () => {
    const { sessionId } = await twoBranches();
    const first = (await fork(sessionId)).body.session_id;
    await exchange(first, 'u3', 'a3');
    const second = (await fork(first)).body.session_id;
    expect(await contents(second)).toEqual(['S', 'u1', 'a1', "u2'", "a2'", 'u3', 'a3']);
  });

  it('sends the engine the same tool calls and results as its source', async () => {
    const sessionId = await server.createSession();
    server.ollama.reply(toolCall('rm', { path: 'a' }, { id: 'call_12345678' }), text('No.'));
    await server.chat(sessionId, { message: 'Delete' });
    const forkId = (await fork(sessionId)).body.session_id;
    const sent: unknown[] = [];
    for (const id of [sessionId, forkId]) {
      await exchange(id, 'And now?', 'Still no.');
      sent.push(server.ollama.requestsTo('/api/chat').at(-1)?.body?.messages);
    }
    expect(sent[1]).toEqual(sent[0]);
    expect(sent[1]).toMatchObject([
      { role: 'user' },
      { role: 'assistant', tool_calls: [{ id: 'call_12345678', function: { name: 'rm' } }] },
      { role: 'tool', tool_call_id: 'call_12345678', tool_name: 'rm' },
      { role: 'assistant', content: 'No.' },
      { role: 'user', content: 'And now?' },
    ]);
  });

  it('refuses messages and sessions that are not there, and makes nothing', async () => {
    const { sessionId } = await twoBranches();
    const foreign = await exchange(await server.createSession(), 'u', 'a');
    const count = async () => (await server.get('/sessions')).body.sessions.length;
    const before = await count();
    for (const messageId of ['abcdef0123', foreign, '']) {
      const answer = await fork(sessionId, { message_id: messageId });
      expect(expectError(answer, 404, 'message_not_found')).toEqual({
        session_id: sessionId,
        message_id: messageId,
      });
    }
    expectError(await fork(sessionId, { message_id: 7 }), 422, 'validation_error');
    expectError(await fork(sessionId, []), 422, 'validation_error');
    expectError(await fork('abc123'), 404, 'session_not_found');
    expect(await count()).toBe(before);
  });
});
