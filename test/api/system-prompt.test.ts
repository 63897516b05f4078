// The system prompt: message 0, set, replaced and removed, while the history stays.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { expectError, ID } from './wire-formats.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

const put = (sessionId: string, body: unknown) =>
  server.request('PUT', `/sessions/${sessionId}/system-prompt`, body);
const remove = (sessionId: string) => server.request('DELETE', `/sessions/${sessionId}/system-prompt`);
const sentMessages = () =>
  server.ollama
    .requestsTo('/api/chat')
    .at(-1)
    ?.body?.messages?.map(({ role, content }) => [role, content]);

describe('PUT /sessions/{id}/system-prompt', () => {
  it('inserts it before the history', async () => {
    const sessionId = await server.createSession();
    await server.chat(sessionId, { message: 'Hi' });
    const before = (await server.get(`/sessions/${sessionId}`)).body;
    const { status, body } = await put(sessionId, { content: 'Be brief.' });
    expect([status, body]).toEqual([200, { content: 'Be brief.', source_file: null, message_index: 0 }]);

    const after = (await server.get(`/sessions/${sessionId}`)).body;
    const [system, first, second] = after.messages;
    expect(system).toMatchObject({
      role: 'system',
      content: 'Be brief.',
      parent_id: null,
      message_id: expect.stringMatching(ID),
    });
    // The history is the same; its root hangs on the system message now, as a client sees it.
    expect(first).toEqual({ ...before.messages[0], parent_id: system.message_id });
    expect(second).toEqual(before.messages[1]);
    expect(after.message_count).toBe(3);
    expect(after.updated_at > before.updated_at).toBe(true);
  });

  it('replaces the old one by a new message, and keeps no second one', async () => {
    const sessionId = await server.createSession({ system_prompt: 'Old', system_prompt_source_file: 'o.md' });
    await server.chat(sessionId, { message: 'Hi' });
    const [old] = await server.messages(sessionId);
    await put(sessionId, { content: 'New' });
    const messages = await server.messages(sessionId);
    expect(messages.map(({ role, content }) => [role, content])).toEqual([
      ['system', 'New'],
      ['user', 'Hi'],
      ['assistant', 'The capital of France is Paris.'],
    ]);
    expect(messages[0].message_id).not.toBe(old.message_id);
    expect(messages[0].source_file).toBeNull();
    const { body: tree } = await server.get(`/sessions/${sessionId}/tree`);
    expect(tree.messages.filter(({ role }: { role: string }) => role === 'system')).toHaveLength(1);
  });

  it('is sent first, once, and from the next chat on', async () => {
    const sessionId = await server.createSession();
    await server.chat(sessionId, { message: 'One' });
    expect(sentMessages()).toEqual([['user', 'One']]);
    await put(sessionId, { content: 'Old' });
    await put(sessionId, { content: 'New' });
    await server.chat(sessionId, { message: 'Two' });
    expect(sentMessages()).toEqual([
      ['system', 'New'],
      ['user', 'One'],
      ['assistant', 'The capital of France is Paris.'],
      ['user', 'Two'],
    ]);
  });

  it('keeps the name of a file beside the text as a label', async () => {
    const sessionId = await server.createSession();
    const { body } = await put(sessionId, { content: 'Text', source_file: 'no-such-file.md' });
    expect(body).toEqual({ content: 'Text', source_file: 'no-such-file.md', message_index: 0 });
    expect((await server.messages(sessionId))[0]).toMatchObject({
      content: 'Text',
      source_file: 'no-such-file.md',
    });
  });

  it('takes 20 000 code points and not one more', async () => {
    const sessionId = await server.createSession();
    expect((await put(sessionId, { content: '😀'.repeat(20_000) })).status).toBe(200);
    expectError(await put(sessionId, { content: 'x'.repeat(20_001) }), 422, 'validation_error');
    expect((await server.messages(sessionId))[0].content).toBe('😀'.repeat(20_000));
  });

  it('belongs to all branches', async () => {
    const sessionId = await server.createSession();
    await server.chat(sessionId, { message: 'One' });
    const [first] = await server.messages(sessionId);
    await server.request('PUT', `/sessions/${sessionId}/messages/0`, { content: 'Other' });
    await put(sessionId, { content: 'S' });
    await server.request('PUT', `/sessions/${sessionId}/head`, { message_id: first.message_id });
    expect((await server.messages(sessionId)).map(({ content }) => content)).toEqual(['S', 'One']);
    const { body } = await server.get(`/sessions/${sessionId}/tree`);
    const system = body.messages.find(({ role }: { role: string }) => role === 'system');
    const parents = body.messages
      .filter(({ role }: { role: string }) => role === 'user')
      .map(({ parent_id: parent }: { parent_id: string }) => parent);
    expect(parents).toEqual([system.message_id, system.message_id]);
  });

  it.each([
    {},
    { content: null },
    { content: null, source_file: null },
    { content: '' },
    { content: ' \n' },
    { content: 7 },
    { content: 'x', source_file: 7 },
    { content: 'x', source_file: '' },
    { source_file: null },
    [],
    null,
  ])('refuses %j', async (body) => {
    const sessionId = await server.createSession({ system_prompt: 'Old' });
    expectError(await put(sessionId, JSON.stringify(body)), 422, 'validation_error');
    expect(await server.messages(sessionId)).toMatchObject([{ content: 'Old' }]);
  });

  it.each([{ source_file: 'missing.md' }, { content: null, source_file: 'missing.md' }])(
    'answers 404 for %j, since there is no such file',
    async (body) => {
      const sessionId = await server.createSession();
      expect(expectError(await put(sessionId, body), 404, 'prompt_not_found')).toEqual({
        filename: 'missing.md',
      });
      expectError(
        await server.post('/sessions', { model: 'llama3.2', system_prompt_source_file: 'missing.md' }),
        404,
        'prompt_not_found',
      );
    },
  );

  it('answers 404 for a session that is not there', async () => {
    expectError(await put('abc123', { content: 'x' }), 404, 'session_not_found');
  });
});

describe('DELETE /sessions/{id}/system-prompt', () => {
  it('removes it, and the rest moves up', async () => {
    const sessionId = await server.createSession({ system_prompt: 'S' });
    await server.chat(sessionId, { message: 'Hi' });
    const [, user, assistant] = await server.messages(sessionId);
    const { status, body, headers } = await remove(sessionId);
    expect([status, body, headers.get('content-type')]).toEqual([204, '', null]);
    expect(await server.messages(sessionId)).toEqual([{ ...user, parent_id: null }, assistant]);
    expect((await server.get(`/sessions/${sessionId}`)).body.message_count).toBe(2);
    expect((await server.get(`/sessions/${sessionId}/tree`)).body.messages).toHaveLength(2);
    const edited = await server.request('PUT', `/sessions/${sessionId}/messages/0`, { content: 'Ho' });
    expect(edited.body).toMatchObject({ message_index: 0, message_count: 1 });
    await server.chat(sessionId, { message: null });
    expect(sentMessages()).toEqual([['user', 'Ho']]);
  });

  it('answers 400 where there is none, also the second time', async () => {
    const sessionId = await server.createSession();
    expect(expectError(await remove(sessionId), 400, 'no_system_prompt')).toEqual({ session_id: sessionId });
    await put(sessionId, { content: 'S' });
    expect((await remove(sessionId)).status).toBe(204);
    const before = (await server.get(`/sessions/${sessionId}`)).body;
    expectError(await remove(sessionId), 400, 'no_system_prompt');
    expect((await server.get(`/sessions/${sessionId}`)).body).toEqual(before);
  });

  it('leaves a session without messages empty', async () => {
    const sessionId = await server.createSession({ system_prompt: 'S' });
    await remove(sessionId);
    expect(await server.messages(sessionId)).toEqual([]);
    expectError(await server.post(`/chat/${sessionId}`, { message: null }), 400, 'empty_history');
  });

  it('answers 404 for a session that is not there', async () => {
    expectError(await remove('abc123'), 404, 'session_not_found');
  });
});
