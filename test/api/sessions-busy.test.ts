// While a session answers: what must wait for the answer is refused, what need not is done.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sequence, text } from '../fake-ollama/chat-script.ts';
import { hangAfter, script } from '../fake-ollama/script-modifiers.ts';
import { eventually } from '../support/eventually.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { expectError } from './wire-formats.ts';

describe('a session that is answering', () => {
  let server: TestServer;
  let sessionId: string;
  let turnId: string;
  let firstId: string;
  let stop: () => Promise<void>;

  beforeAll(async () => {
    server = await startTestServer();
    sessionId = await server.createSession({ system_prompt: 'S' });
    await server.chat(sessionId, { message: 'Hi' });
    firstId = (await server.messages(sessionId))[1].message_id;
    server.ollama.reply(script(sequence(text('Once'), text(' upon')), hangAfter(1)));
    const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'Tell me' });
    turnId = stream.headers.get('x-turn-id') ?? '';
    await eventually(async () => {
      expect((await server.messages(sessionId)).at(-1)).toMatchObject({ status: 'streaming' });
    });
    stop = async () => {
      stream.abort();
      await expect
        .poll(async () => (await server.get(`/sessions/${sessionId}`)).body.active_turn, { timeout: 10_000 })
        .toBeNull();
    };
  });
  afterAll(() => server.close());

  const changes = () =>
    [
      ['PUT', '/messages/1', { content: 'Edited' }],
      ['PUT', '/head', { message_id: firstId }],
      ['PUT', '/system-prompt', { content: 'Other' }],
      ['DELETE', '/system-prompt', undefined],
    ] as const;

  it('refuses edits, other branches and other system prompts, and names its turn', async () => {
    const before = await server.messages(sessionId);
    for (const [method, path, body] of changes()) {
      const answer = await server.request(method, `/sessions/${sessionId}${path}`, body);
      expect(expectError(answer, 409, 'session_busy')).toEqual({ session_id: sessionId, turn_id: turnId });
    }
    expect(await server.messages(sessionId)).toEqual(before);
  });

  it('checks the body before it says that it is busy', async () => {
    const answer = await server.request('PUT', `/sessions/${sessionId}/messages/1`, { content: '' });
    expectError(answer, 422, 'validation_error');
  });

  it('can be read, listed and patched', async () => {
    expect((await server.get(`/sessions/${sessionId}`)).body).toMatchObject({
      active_turn: turnId,
      message_count: 5,
    });
    expect((await server.get('/sessions?limit=1')).body.sessions).toMatchObject([
      { session_id: sessionId, active_turn: turnId },
    ]);
    expect((await server.get(`/sessions/${sessionId}/tree`)).body.messages).toHaveLength(5);
    const patched = await server.request('PATCH', `/sessions/${sessionId}`, { title: 'Meanwhile' });
    expect(patched.body).toMatchObject({ title: 'Meanwhile', active_turn: turnId });
  });

  it('can be forked: what is being written is a part in the fork', async () => {
    const { status, body } = await server.request('POST', `/sessions/${sessionId}/fork`);
    expect([status, body.active_turn, body.message_count]).toEqual([201, null, 5]);
    const forked = await server.messages(body.session_id);
    expect(forked.at(-1)).toMatchObject({ content: 'Once', status: 'partial' });
    expect((await server.messages(sessionId)).at(-1)).toMatchObject({ status: 'streaming' });
    await server.chat(body.session_id, { message: 'The fork is free' });
  });

  it('does not hold up other sessions', async () => {
    const other = await server.createSession({ system_prompt: 'S' });
    await server.chat(other, { message: 'Hi' });
    const edited = await server.request('PUT', `/sessions/${other}/messages/1`, { content: 'Edited' });
    expect(edited.status).toBe(200);
  });

  it('takes every change once its turn has ended', async () => {
    await stop();
    for (const [method, path, body] of changes()) {
      const { status } = await server.request(method, `/sessions/${sessionId}${path}`, body);
      expect(status).toBe(method === 'DELETE' ? 204 : 200);
    }
    expect(await server.messages(sessionId)).toMatchObject([{ message_id: firstId, content: 'Hi' }]);
  });
});
