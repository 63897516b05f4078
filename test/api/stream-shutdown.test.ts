// The server stops while it answers: everyone is told, everything said is on disk, and the next start goes on.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mute, text } from '../fake-ollama/chat-script.ts';
import { hangAfter, pauseAfter, script } from '../fake-ollama/script-modifiers.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

const asks = (message: string) => (request: { rawBody: string }) => request.rawBody.includes(message);

describe('a server that stops', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ config: { shutdownGraceSeconds: 0.2 } });
  });
  afterAll(() => server.close());

  const told = async (sessionId: string) =>
    (await server.messages(sessionId)).map(({ role, content, status }) => `${role} ${status}: ${content}`);

  it('ends a stream with an error and done; the part is stored, the engine is left', async () => {
    const sessionId = await server.createSession();
    server.ollama.reply(script(text('Half', ' an', ' answer'), hangAfter(2)));
    const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'Stop amid?' });
    // Read by hand: a loop that is left would close the stream.
    for (let said = ''; said !== 'Half an'; ) {
      const { value } = await stream.events.next();
      if (value?.event === 'content_delta') said += value.data.content;
    }
    const [rest] = await Promise.all([stream.all(), server.restart()]);
    expect(rest.map(({ event }) => event)).toEqual(['error', 'done']);
    expect(rest[0]?.data).toMatchObject({ code: 'turn_interrupted', details: { session_id: sessionId } });
    const turnId = stream.headers.get('x-turn-id');
    expect(rest[1]?.data).toEqual({ session_id: sessionId, turn_id: turnId, state: 'interrupted' });
    await server.ollama.waitForAbort(asks('Stop amid?'));

    expect(await told(sessionId)).toEqual(['user complete: Stop amid?', 'assistant partial: Half an']);
    const [, part] = await server.messages(sessionId);
    const turn = (await server.get(`/turns/${turnId}`)).body;
    expect(turn).toMatchObject({
      state: 'interrupted',
      message_id: part.message_id,
      error: { code: 'turn_interrupted' },
      last_event_id: rest[1]?.id,
    });
    expect((await server.get(`/sessions/${sessionId}`)).body.active_turn).toBeNull();
    await server.chat(sessionId, { message: null, mode: 'continue' });
    expect(await told(sessionId)).toHaveLength(3);
  });

  it('answers a waiting plain client with 503, and keeps its question', async () => {
    const sessionId = await server.createSession();
    server.ollama.reply(mute());
    const answer = server.post(`/chat/${sessionId}`, { message: 'Stop, plain?' });
    await server.ollama.waitForRequest('/api/chat', asks('Stop, plain?'));
    const [{ status, body }] = await Promise.all([answer, server.restart()]);
    expect([status, body.detail.error.code]).toEqual([503, 'turn_interrupted']);
    expect(await told(sessionId)).toEqual(['user complete: Stop, plain?']);
    await server.chat(sessionId, { message: null });
  });

  it('keeps the questions that wait in line, in their order', async () => {
    const sessionId = await server.createSession();
    server.ollama.reply(script(text('Half', ' more'), hangAfter(1)));
    const streams = [];
    for (const message of ['First?', 'Second?', 'Third?']) {
      const stream = await server.stream(`/chat/${sessionId}/stream`, { message });
      await stream.events.next();
      streams.push(stream);
    }
    await server.ollama.waitForRequest('/api/chat', asks('First?'));
    const [ends] = await Promise.all([
      Promise.all(streams.map(async ({ all }) => (await all()).slice(-2))),
      server.restart(),
    ]);
    for (const end of ends) {
      expect(end.map(({ event, data }) => data.code ?? data.state ?? event)).toEqual([
        'turn_interrupted',
        'interrupted',
      ]);
    }
    const questions = (await told(sessionId)).filter((line) => line.startsWith('user'));
    expect(questions).toEqual(['user complete: First?', 'user complete: Second?', 'user complete: Third?']);
    await server.chat(sessionId, { message: 'Fourth?' });
  });

  it('lets an answer finish that needs less than the grace time', async () => {
    await server.restart({ shutdownGraceSeconds: 5 });
    const sessionId = await server.createSession();
    server.ollama.reply(script(text('Just', ' in time.'), pauseAfter(1, 250)));
    const answer = server.chat(sessionId, { message: 'Finish?' });
    await server.ollama.waitForRequest('/api/chat', asks('Finish?'));
    const [{ body }] = await Promise.all([answer, server.restart({ shutdownGraceSeconds: 0.2 })]);
    expect(body.message.content).toBe('Just in time.');
    expect(await told(sessionId)).toHaveLength(2);
  });

  it('stops while it still asks the engine for a model', async () => {
    const sessionId = await server.createSession();
    await server.restart({ engineInfoTimeoutSeconds: 2 });
    server.ollama.requests.length = 0;
    server.ollama.fault('/api/tags', 'mute');
    const answer = fetch(`${server.url}/api/v1/chat/${sessionId}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ message: 'Too late?' }),
    }).then(
      ({ status }) => status,
      () => 'cut',
    );
    await server.ollama.waitForRequest('/api/tags');
    await server.restart();
    server.ollama.fault('/api/tags', null);
    expect(['cut', 502, 503]).toContain(await answer);
    await server.chat(sessionId, { message: 'Now?' });
  });
});
