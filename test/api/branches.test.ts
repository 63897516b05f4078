// The tree: every branch stays readable, and any of them can be shown again.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { text } from '../fake-ollama/chat-script.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { expectError } from './wire-formats.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

const tree = async (sessionId: string) => (await server.get(`/sessions/${sessionId}/tree`)).body;
const setHead = (sessionId: string, messageId: unknown) =>
  server.request('PUT', `/sessions/${sessionId}/head`, { message_id: messageId });
const contents = async (sessionId: string) =>
  (await server.messages(sessionId)).map(({ content }) => content);

/** Says something and gets a given answer. */
async function exchange(sessionId: string, message: string | null, answer: string): Promise<string> {
  server.ollama.reply(text(answer));
  return (await server.chat(sessionId, { message })).body.message.message_id;
}

/** u1 → a1 → u2 → a2, with u2 edited to u2', answered by a2' and, anew, by a2''. */
async function threeBranches(): Promise<{ sessionId: string; ids: Record<string, string> }> {
  const sessionId = await server.createSession({ system_prompt: 'S' });
  await exchange(sessionId, 'u1', 'a1');
  await exchange(sessionId, 'u2', 'a2');
  await server.request('PUT', `/sessions/${sessionId}/messages/3`, { content: "u2'" });
  await exchange(sessionId, null, "a2'");
  await exchange(sessionId, null, "a2''");
  const { messages } = await tree(sessionId);
  const ids = Object.fromEntries(
    messages.map(({ content, message_id: id }: Record<string, string>) => [content, id]),
  );
  return { sessionId, ids };
}

describe('GET /sessions/{id}/tree', () => {
  it('shows all messages in creation order, and which of them lie on the path', async () => {
    const { sessionId, ids } = await threeBranches();
    const { session_id: id, head, messages, next_cursor: cursor } = await tree(sessionId);
    expect([id, head, cursor]).toEqual([sessionId, ids["a2''"], null]);
    const shape = messages.map((message: Record<string, unknown>) => [
      message['content'],
      message['parent_id'],
      message['active'],
      message['sibling_count'],
    ]);
    expect(shape).toEqual([
      ['S', null, true, 1],
      ['u1', ids['S'], true, 1],
      ['a1', ids['u1'], true, 1],
      ['u2', ids['a1'], false, 2],
      ['a2', ids['u2'], false, 1],
      ["u2'", ids['a1'], true, 2],
      ["a2'", ids["u2'"], false, 2],
      ["a2''", ids["u2'"], true, 2],
    ]);
    const path = messages.flatMap(({ active, ...message }: { active: boolean }) => (active ? [message] : []));
    expect(await server.messages(sessionId)).toEqual(path);
  });

  it('of an empty session has no head', async () => {
    const sessionId = await server.createSession();
    expect(await tree(sessionId)).toEqual({
      session_id: sessionId,
      head: null,
      messages: [],
      next_cursor: null,
    });
  });

  it('of a session with a system prompt alone ends there', async () => {
    const sessionId = await server.createSession({ system_prompt: 'S' });
    const { head, messages } = await tree(sessionId);
    expect(messages).toMatchObject([{ role: 'system', message_id: head, active: true }]);
  });

  it('answers 404 for a session that is not there', async () => {
    expectError(await server.get('/sessions/abc123/tree'), 404, 'session_not_found');
  });
});

describe('PUT /sessions/{id}/head', () => {
  it('switches back and forth between branches, which stay as they were', async () => {
    const { sessionId, ids } = await threeBranches();
    const { messages: all } = await tree(sessionId);
    const paths: Record<string, string[]> = {
      a2: ['S', 'u1', 'a1', 'u2', 'a2'],
      "a2'": ['S', 'u1', 'a1', "u2'", "a2'"],
      "a2''": ['S', 'u1', 'a1', "u2'", "a2''"],
    };
    for (const name of ['a2', "a2''", "a2'", 'a2', 'a2', "a2'", "a2''"]) {
      const { status, body } = await setHead(sessionId, ids[name]);
      expect([status, body]).toEqual([200, { session_id: sessionId, head: ids[name], message_count: 5 }]);
      expect(await contents(sessionId)).toEqual(paths[name]);
    }
    expect((await tree(sessionId)).messages).toEqual(all);
  });

  it('ends the path at an inner message, and the next chat goes on from there', async () => {
    const { sessionId, ids } = await threeBranches();
    const { body } = await setHead(sessionId, ids['a1']);
    expect(body).toEqual({ session_id: sessionId, head: ids['a1'], message_count: 3 });
    await exchange(sessionId, 'u3', 'a3');
    expect(await contents(sessionId)).toEqual(['S', 'u1', 'a1', 'u3', 'a3']);
    const sent = server.ollama.requestsTo('/api/chat').at(-1)?.body?.messages;
    expect(sent?.map(({ content }) => content)).toEqual(['S', 'u1', 'a1', 'u3']);
    const { messages } = await tree(sessionId);
    const siblings = messages.filter(({ parent_id: parent }: { parent_id: string }) => parent === ids['a1']);
    expect(siblings.map(({ sibling_count: count }: { sibling_count: number }) => count)).toEqual([3, 3, 3]);
  });

  it('at a user message lets it be answered anew', async () => {
    const { sessionId, ids } = await threeBranches();
    await setHead(sessionId, ids['u2']);
    await exchange(sessionId, null, 'another');
    expect(await contents(sessionId)).toEqual(['S', 'u1', 'a1', 'u2', 'another']);
  });

  it('at the system message shows an empty conversation, and a chat begins another one', async () => {
    const { sessionId, ids } = await threeBranches();
    const { body } = await setHead(sessionId, ids['S']);
    expect(body).toEqual({ session_id: sessionId, head: ids['S'], message_count: 1 });
    expectError(await server.post(`/chat/${sessionId}`, { message: null }), 400, 'empty_history');
    await exchange(sessionId, 'v1', 'b1');
    expect(await contents(sessionId)).toEqual(['S', 'v1', 'b1']);
    await setHead(sessionId, ids['a2']);
    expect(await contents(sessionId)).toEqual(['S', 'u1', 'a1', 'u2', 'a2']);
  });

  it('moves updated_at', async () => {
    const { sessionId, ids } = await threeBranches();
    const { body: before } = await server.get(`/sessions/${sessionId}`);
    await setHead(sessionId, ids['a2']);
    const { body: after } = await server.get(`/sessions/${sessionId}`);
    expect(after.updated_at > before.updated_at).toBe(true);
  });

  it('refuses messages that the session does not have, and shows what it showed', async () => {
    const { sessionId } = await threeBranches();
    const other = await server.createSession();
    const foreign = await exchange(other, 'u1', 'a1');
    const before = await tree(sessionId);
    for (const messageId of ['abcdef0123', foreign, '', '../x', "' or 1=1", 'a'.repeat(10_000), '\u0000']) {
      const answer = await setHead(sessionId, messageId);
      expect(expectError(answer, 404, 'message_not_found')).toMatchObject({ session_id: sessionId });
    }
    for (const messageId of [undefined, null, 7, ['a'], {}]) {
      expectError(await setHead(sessionId, messageId), 422, 'validation_error');
    }
    expect(await tree(sessionId)).toEqual(before);
  });

  it('answers 404 for a session that is not there', async () => {
    expectError(await setHead('abc123', 'abcdef0123'), 404, 'session_not_found');
  });
});
