// A message that only the engine finds too long: it is undone like one that was refused at once.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { httpError, text, toolCall } from '../fake-ollama/chat-script.ts';
import { exceedContextError } from '../fake-ollama/http-answer.ts';
import { gateAfter, script } from '../fake-ollama/script-modifiers.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

const capabilities = ['completion', 'tools'];
const names = ['plain', 'stream', 'first', 'line', 'again', 'killed', 'learning', 'amid'];
const models = names.map((name) => ({ name, capabilities, contextLength: 4096 }));
/** Every digit is a token: more than the window holds, and more than anybody estimates at first. */
const LONG = '3'.repeat(5302);

describe('a message that the engine finds too long', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ ollama: { models } });
  });
  afterAll(() => server.close());

  const chats = () => server.ollama.requestsTo('/api/chat').length;
  const seen = async (sessionId: string) => ({
    messages: await server.messages(sessionId),
    tree: (await server.get(`/sessions/${sessionId}/tree`)).body.messages,
    listed: (await server.get('/sessions')).body.sessions.find(
      ({ session_id: id }: { session_id: string }) => id === sessionId,
    ),
    found: (await server.get(`/search?q=${LONG.slice(0, 400)}`)).body.results,
  });
  async function talk(model: string): Promise<string> {
    const sessionId = await server.createSession({ model, system_prompt: 'Be brief.' });
    await server.chat(sessionId, { message: 'Hello' });
    return sessionId;
  }
  async function expectAnswer(sessionId: string, message = 'Hi'): Promise<any> {
    const { status, body } = await server.post(`/chat/${sessionId}`, { message });
    expect([status, body.detail?.error]).toEqual([200, undefined]);
    return body;
  }

  it('is taken back on the plain route, and the next one finds the conversation as it was', async () => {
    const sessionId = await talk('plain');
    const before = await seen(sessionId);
    const asked = chats();
    const { status, body } = await server.post(`/chat/${sessionId}`, { message: LONG });
    const { code, message, details } = body.detail.error;
    expect([status, code]).toEqual([400, 'context_overflow']);
    expect(message).toMatch(/taken back/);
    expect(details).toMatchObject({ required_tokens: expect.any(Number), message_taken_back: true });
    // What it has refused it is not asked again.
    expect(chats() - asked).toBe(1);
    expect(await seen(sessionId)).toEqual(before);
    const turn = await server.get(`/turns/${details.turn_id}`);
    expect(turn.body).toMatchObject({
      state: 'failed',
      message_id: null,
      error: { code: 'context_overflow' },
    });
    const { context } = await expectAnswer(sessionId);
    expect(context).toMatchObject({ messages_sent: 4, messages_left_out: 0, cache_break: null });
  });

  it('is taken back on the stream', async () => {
    const sessionId = await talk('stream');
    const before = await seen(sessionId);
    const events = await (await server.stream(`/chat/${sessionId}/stream`, { message: LONG })).all();
    expect(events[0]?.event).toBe('turn_start');
    const [error, done] = events.slice(-2);
    expect([error?.event, error?.data.code, error?.data.details.message_taken_back]).toEqual([
      'error',
      'context_overflow',
      true,
    ]);
    expect([done?.event, done?.data.state]).toEqual(['done', 'failed']);
    expect(await seen(sessionId)).toEqual(before);
    await expectAnswer(sessionId);
  });

  it('leaves an empty session empty', async () => {
    const sessionId = await server.createSession({ model: 'first' });
    const before = await seen(sessionId);
    expect((await server.post(`/chat/${sessionId}`, { message: LONG })).status).toBe(400);
    expect(await seen(sessionId)).toEqual(before);
    await expectAnswer(sessionId);
    expect(await server.messages(sessionId)).toMatchObject([
      { content: 'Hi', parent_id: null },
      { role: 'assistant' },
    ]);
  });

  it('holds up nobody who waits behind it', async () => {
    const sessionId = await talk('line');
    const refusal = httpError(400, exceedContextError(5302, 4096));
    const { promise: held, resolve: letGo } = Promise.withResolvers<void>();
    server.ollama.reply(script(refusal, gateAfter(0, held)), refusal);
    const refused = server.post(`/chat/${sessionId}`, { message: `${LONG.slice(0, 3000)} word` });
    await expect
      .poll(async () => (await server.get(`/sessions/${sessionId}`)).body.active_turn)
      .not.toBeNull();
    const behind = expectAnswer(sessionId, 'Behind');
    await expect
      .poll(async () => (await server.get(`/sessions/${sessionId}/turns`)).body.turns[0]?.state)
      .toBe('queued');
    letGo();
    expect((await refused).body.detail.error.details.message_taken_back).toBe(true);
    expect((await behind).context.messages_left_out).toBe(0);
    const [, , answer, question] = await server.messages(sessionId);
    expect(question).toMatchObject({ content: 'Behind', parent_id: answer?.message_id });
  });

  it('stays where an earlier turn was told that it is stored, and stands in nobody’s way', async () => {
    const sessionId = await talk('again');
    server.ollama.fault('/api/chat', 'error500');
    expect((await server.post(`/chat/${sessionId}`, { message: LONG })).status).toBe(502);
    server.ollama.fault('/api/chat', null);
    const { status, body } = await server.post(`/chat/${sessionId}`, { message: LONG });
    expect([status, body.detail.error.details.message_taken_back]).toEqual([400, undefined]);
    expect((await server.messages(sessionId)).at(-1)?.content).toBe(LONG);
    const { context } = await expectAnswer(sessionId);
    expect(context.messages_left_out).toBeGreaterThan(0);
  });

  it('that was stored when the server went down stands in nobody’s way either', async () => {
    const sessionId = await talk('killed');
    server.ollama.fault('/api/chat', 'mute');
    const cut = server.post(`/chat/${sessionId}`, { message: LONG });
    await server.ollama.waitForRequest(
      '/api/chat',
      ({ body }) => body?.messages?.at(-1)?.content === LONG && body.model?.startsWith('killed') === true,
    );
    await server.restart();
    server.ollama.fault('/api/chat', null);
    expect((await cut).status).toBe(503);
    expect((await server.messages(sessionId)).at(-1)?.content).toBe(LONG);
    const { context } = await expectAnswer(sessionId);
    expect(context.messages_left_out).toBeGreaterThan(0);
  });

  it('teaches how long such texts are', async () => {
    const plannedOf = async () => {
      const sessionId = await server.createSession({ model: 'learning' });
      const body = { message: LONG.slice(0, 3000) };
      return (await server.post(`/chat/${sessionId}/preview`, body)).body.context.planned_tokens;
    };
    const before = await plannedOf();
    const sessionId = await server.createSession({ model: 'learning' });
    for (let turn = 0; turn < 3; turn += 1) await server.post(`/chat/${sessionId}`, { message: LONG });
    expect(await plannedOf()).toBeGreaterThan(before * 1.1);
    const learned = await plannedOf();
    await server.restart();
    expect(await plannedOf()).toBe(learned);
  });

  it('is not undone once something was said', async () => {
    const sessionId = await talk('amid');
    server.ollama.reply(toolCall('f', {}), httpError(400, exceedContextError(5302, 4096)));
    const { status, body } = await server.post(`/chat/${sessionId}`, { message: 'Go' });
    expect(status).toBeGreaterThanOrEqual(400);
    expect(body.detail.error.details.message_taken_back).toBeUndefined();
    const roles = (await server.messages(sessionId)).map(({ role }: { role: string }) => role);
    expect(roles.slice(-3)).toEqual(['user', 'assistant', 'tool']);
    server.ollama.reply(text('Fine.'));
    await expectAnswer(sessionId);
  });
});
