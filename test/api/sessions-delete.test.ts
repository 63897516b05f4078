// DELETE takes everything with it, in every state, and nothing comes back.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chunks, mute, sequence, text, toolCall } from '../fake-ollama/chat-script.ts';
import { hangAfter, script } from '../fake-ollama/script-modifiers.ts';
import { lookInto } from '../support/look-into.ts';
import { readStore } from '../support/read-store.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { expectError } from './wire-formats.ts';

describe('DELETE /sessions/{id}', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server.close());

  it('answers 204 without a body, then 404', async () => {
    const sessionId = await server.createSession();
    const { status, body, headers } = await server.request('DELETE', `/sessions/${sessionId}`);
    expect([status, body, headers.get('content-type')]).toEqual([204, '', null]);
    expectError(await server.request('DELETE', `/sessions/${sessionId}`), 404, 'session_not_found');
    for (const path of ['', '/messages', '/tree']) {
      expectError(await server.get(`/sessions/${sessionId}${path}`), 404, 'session_not_found');
    }
    const { body: list } = await server.get('/sessions');
    expect(JSON.stringify(list)).not.toContain(sessionId);
  });

  it('leaves no row of messages, branches, turns and tool calls', async () => {
    const sessionId = await server.createSession({ system_prompt: 'Be brief.' });
    server.ollama.reply(toolCall('delete_file', { path: 'a' }), text('Sorry.'));
    const { body } = await server.chat(sessionId, { message: 'Delete it' });
    await server.request('PUT', `/sessions/${sessionId}/messages/1`, { content: 'Do not delete it' });
    expect(await countRows(server, sessionId)).toEqual({ sessions: 1, messages: 6, turns: 1, tool_calls: 1 });
    const other = await server.createSession();
    await server.chat(other, { message: 'Stay' });

    expect((await server.request('DELETE', `/sessions/${sessionId}`)).status).toBe(204);
    expect(await countRows(server, sessionId)).toEqual({ sessions: 0, messages: 0, turns: 0, tool_calls: 0 });
    expectError(await server.get(`/turns/${body.turn_id}`), 404, 'turn_not_found');
    expect(await countRows(server, other)).toEqual({ sessions: 1, messages: 2, turns: 1, tool_calls: 0 });
  });

  it.each([
    ['before its first token', mute()],
    ['in the middle of its answer', script(sequence(text('Once'), text(' upon')), hangAfter(2))],
    ['while it thinks', script(chunks({ content: '', thinking: 'Hm' }), hangAfter(1))],
  ])('cancels the turn %s', async (name, answer) => {
    const message = `Tell me, ${name}`;
    const sessionId = await server.createSession();
    server.ollama.reply(answer);
    const stream = await server.stream(`/chat/${sessionId}/stream`, { message });
    await server.ollama.waitForRequest('/api/chat', ({ rawBody }) => rawBody.includes(message));

    expect((await server.request('DELETE', `/sessions/${sessionId}`)).status).toBe(204);
    const events = await stream.all();
    expect(events.slice(-2)).toMatchObject([
      { event: 'error', data: { code: 'turn_cancelled' } },
      { event: 'done', data: { session_id: sessionId, state: 'cancelled' } },
    ]);
    await server.ollama.waitForAbort(({ rawBody }) => rawBody.includes(message));
    expectError(await server.get(`/sessions/${sessionId}`), 404, 'session_not_found');
    expect(await countRows(server, sessionId)).toEqual({ sessions: 0, messages: 0, turns: 0, tool_calls: 0 });
  });

  it('cancels the turns that wait in line, too', async () => {
    const sessionId = await server.createSession();
    server.ollama.reply(mute());
    const plain = server.post(`/chat/${sessionId}`, { message: 'the first' });
    await server.ollama.waitForRequest('/api/chat', ({ rawBody }) => rawBody.includes('the first'));
    const waiting = await server.stream(`/chat/${sessionId}/stream`, { message: 'never sent' });

    expect((await server.request('DELETE', `/sessions/${sessionId}`)).status).toBe(204);
    expectError(await plain, 409, 'turn_cancelled');
    expect((await waiting.all()).at(-1)).toMatchObject({ event: 'done', data: { state: 'cancelled' } });
    expect(await countRows(server, sessionId)).toEqual({ sessions: 0, messages: 0, turns: 0, tool_calls: 0 });
    expect(server.ollama.requests.filter(({ rawBody }) => rawBody.includes('never sent'))).toEqual([]);
  });

  it('answers every one of many at once, with a single 204', async () => {
    const sessionId = await server.createSession();
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => server.request('DELETE', `/sessions/${sessionId}`)),
    );
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 204)).toHaveLength(1);
    expect(statuses.filter((status) => status === 404)).toHaveLength(7);
  });

  it('stays done after a restart', async () => {
    const sessionId = await server.createSession();
    server.ollama.reply(mute());
    const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'last words' });
    await server.request('DELETE', `/sessions/${sessionId}`);
    await stream.all();
    await server.restart();
    expectError(await server.get(`/sessions/${sessionId}`), 404, 'session_not_found');
  });
});

/** What is stored of a session, seen by another reader than the server. */
async function countRows(server: TestServer, sessionId: string): Promise<Record<string, number>> {
  const { messages, turns, toolCalls } = await readStore(server.dataDir, sessionId);
  const sessions = await lookInto(server.dataDir, (db) =>
    db.selectFrom('session_rows').select('id').where('id', '=', sessionId).execute(),
  );
  return {
    sessions: sessions.length,
    messages: messages.length,
    turns: turns.length,
    tool_calls: toolCalls.length,
  };
}
