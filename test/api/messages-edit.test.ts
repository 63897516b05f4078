// Editing: the index counts what a client sees, and the old words stay in the tree.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { text, toolCall } from '../fake-ollama/chat-script.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { expectError, ID, TIMESTAMP } from './wire-formats.ts';

describe('PUT /sessions/{id}/messages/{index}', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server.close());

  const edit = (sessionId: string, index: number | string, body: unknown = { content: 'New words' }) =>
    server.request('PUT', `/sessions/${sessionId}/messages/${index}`, body);

  /** Two exchanges, with or without a system message before them. */
  async function twoExchanges(settings: Record<string, unknown> = {}): Promise<string> {
    const sessionId = await server.createSession(settings);
    server.ollama.reply(text('One'), text('Two'));
    await server.chat(sessionId, { message: 'First' });
    await server.chat(sessionId, { message: 'Second' });
    return sessionId;
  }

  const contents = async (sessionId: string) =>
    (await server.messages(sessionId)).map(({ content }) => content);

  it('answers with the new message and where the path ends now', async () => {
    const sessionId = await twoExchanges();
    const before = await server.get(`/sessions/${sessionId}`);
    const [, one, second] = before.body.messages;
    const { status, body } = await edit(sessionId, 2);
    expect(status).toBe(200);
    expect(body).toEqual({
      session_id: sessionId,
      message_index: 2,
      message_count: 3,
      message: {
        ...second,
        content: 'New words',
        message_id: expect.stringMatching(ID),
        timestamp: expect.stringMatching(TIMESTAMP),
        parent_id: one.message_id,
        turn_id: null,
        sibling_count: 2,
        sibling_index: 1,
      },
    });
    expect(body.message.message_id).not.toBe(second.message_id);
    expect(body.message.timestamp > second.timestamp).toBe(true);

    const after = await server.get(`/sessions/${sessionId}`);
    expect(after.body.messages).toEqual([...before.body.messages.slice(0, 2), body.message]);
    expect(after.body.message_count).toBe(3);
    expect(after.body.updated_at > before.body.updated_at).toBe(true);
  });

  it.each([
    ['without a system message', {}, 0, ['New words']],
    ['without a system message', {}, 2, ['First', 'One', 'New words']],
    ['with a system message', { system_prompt: 'S' }, 1, ['S', 'New words']],
    ['with a system message', { system_prompt: 'S' }, 3, ['S', 'First', 'One', 'New words']],
  ])('counts from 0, %s', async (_name, settings, index, expected) => {
    const sessionId = await twoExchanges(settings);
    expect((await edit(sessionId, index)).body).toMatchObject({
      message_index: index,
      message_count: index + 1,
    });
    expect(await contents(sessionId)).toEqual(expected);
  });

  it('keeps the old branch in the tree, answer and all', async () => {
    const sessionId = await twoExchanges();
    const old = await server.messages(sessionId);
    const { body } = await edit(sessionId, 0);
    const { body: tree } = await server.get(`/sessions/${sessionId}/tree`);
    expect(tree.head).toBe(body.message.message_id);
    expect(tree.messages).toEqual([
      ...old.map((message, index) => ({ ...message, active: false, sibling_count: index === 0 ? 2 : 1 })),
      { ...body.message, active: true },
    ]);
  });

  it('makes a sibling each time, also of an edited message', async () => {
    const sessionId = await twoExchanges();
    for (const content of ['a', 'b', 'b']) await edit(sessionId, 2, { content });
    const { body } = await server.get(`/sessions/${sessionId}/tree`);
    const [, one] = body.messages;
    const siblings = body.messages.filter(
      ({ parent_id: parent }: { parent_id: string }) => parent === one.message_id,
    );
    expect(siblings.map(({ content }: { content: string }) => content)).toEqual(['Second', 'a', 'b', 'b']);
    expect(siblings.map(({ sibling_count: count }: { sibling_count: number }) => count)).toEqual([
      4, 4, 4, 4,
    ]);
  });

  it('is answered by a chat without a message, from the new words alone', async () => {
    const sessionId = await twoExchanges({ system_prompt: 'S' });
    await edit(sessionId, 3);
    server.ollama.reply(text('Three'));
    await server.chat(sessionId, { message: null });
    expect(await contents(sessionId)).toEqual(['S', 'First', 'One', 'New words', 'Three']);
    const sent = server.ollama.requestsTo('/api/chat').at(-1)?.body?.messages;
    expect(sent?.map(({ role, content }) => [role, content])).toEqual([
      ['system', 'S'],
      ['user', 'First'],
      ['assistant', 'One'],
      ['user', 'New words'],
    ]);
  });

  it('keeps the images of the message', async () => {
    const sessionId = await server.createSession({ model: 'llava:7b' });
    await server.chat(sessionId, { message: 'What is it?', images: ['aGVsbG8='] });
    expect((await edit(sessionId, 0)).body.message.images).toEqual(['aGVsbG8=']);
  });

  it('refuses what is not a user message, and moves nothing', async () => {
    const sessionId = await server.createSession({ system_prompt: 'S' });
    server.ollama.reply(toolCall('rm', {}), text('No.'));
    await server.chat(sessionId, { message: 'Delete' });
    const before = (await server.get(`/sessions/${sessionId}`)).body;
    expect(before.messages.map(({ role }: { role: string }) => role)).toEqual([
      'system',
      'user',
      'assistant',
      'tool',
      'assistant',
    ]);
    for (const index of [0, 2, 3, 4, 5, 6, 1000, -1, -2, '9007199254740993', '-9007199254740993']) {
      const answer = await edit(sessionId, index);
      expect(expectError(answer, 400, 'invalid_message_index')).toEqual({
        session_id: sessionId,
        message_index: Number(index),
      });
    }
    expect((await server.get(`/sessions/${sessionId}`)).body).toEqual(before);
  });

  // What JavaScript would convert to a number all the same is no integer either: "%20" would be 0.
  it.each(['abc', '1.5', 'NaN', 'null', 'true', '1,5', '%20', '0x1', '1e0', 'Infinity'])(
    'refuses the index %s, which is no integer',
    async (index) => {
      const sessionId = await twoExchanges();
      expectError(await edit(sessionId, index), 422, 'validation_error');
    },
  );

  it.each([{}, { content: '' }, { content: ' \n\t' }, { content: null }, { content: 7 }, [], null, 'text'])(
    'refuses the body %j',
    async (body) => {
      const sessionId = await twoExchanges();
      expectError(await edit(sessionId, 0, JSON.stringify(body)), 422, 'validation_error');
      expect(await contents(sessionId)).toEqual(['First', 'One', 'Second', 'Two']);
    },
  );

  it.each(['abc123', '..%2Fx', 'a'.repeat(65)])('answers 404 for the session %s', async (id) => {
    expectError(await edit(id, 0), 404, 'session_not_found');
  });

  it('refuses every index of an empty session', async () => {
    expectError(await edit(await server.createSession(), 0), 400, 'invalid_message_index');
  });
});
