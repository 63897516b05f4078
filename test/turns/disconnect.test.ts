// What the closing of a connection does to the turn it asked for.
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { askedOf, behave, spoken } from './behave.ts';
import { isNamed, readUntil, untilIdle, watchTurn } from './watching.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  server.ollama.setDefault(behave);
});
afterAll(() => server.close());

/** A plain request that can be hung up. */
function postPlain(sessionId: string, body: unknown) {
  const controller = new AbortController();
  fetch(`${server.url}/api/v1/chat/${sessionId}`, {
    method: 'POST',
    signal: controller.signal,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    // Whoever hangs up does not wait for the answer.
  }).catch(() => undefined);
  return { hangUp: () => controller.abort() };
}

const lastTurn = async (sessionId: string) =>
  (await server.get(`/sessions/${sessionId}/turns?limit=1`)).body.turns[0];
const isSpeaking = (sessionId: string) =>
  expect.poll(async () => (await server.messages(sessionId)).at(-1)?.content).toContain('t0');

describe('the stream', () => {
  it.each([
    ['cancels by default', 'hang 3', {}, 'cancelled'],
    ['cancels when asked to', 'hang 3', { on_disconnect: 'cancel' }, 'cancelled'],
    ['goes on when asked to', 'pace 50', { on_disconnect: 'continue' }, 'completed'],
  ])('%s', async (_name, message, policy, state) => {
    const sessionId = await server.createSession();
    const stream = await server.stream(`/chat/${sessionId}/stream`, { message, ...policy });
    await readUntil(stream, isNamed('content_delta'));
    stream.abort();
    await untilIdle(server, sessionId);
    expect((await lastTurn(sessionId)).state).toBe(state);
    const { content, status } = (await server.messages(sessionId)).at(-1);
    if (state === 'completed') expect([content, status]).toEqual([spoken(50), 'complete']);
    else expect([spoken(3).startsWith(content), content.length > 0, status]).toEqual([true, true, 'partial']);
  });

  it('of a queued turn: the message is kept, and nobody answers it', async () => {
    const sessionId = await server.createSession();
    const holder = await server.stream(`/chat/${sessionId}/stream`, { message: 'hang 1' });
    await readUntil(holder, isNamed('content_delta'));
    const waiting = await server.stream(`/chat/${sessionId}/stream`, { message: 'Too slow' });
    await readUntil(waiting, isNamed('status'));
    waiting.abort();
    await expect.poll(async () => (await lastTurn(sessionId)).state).toBe('cancelled');
    holder.abort();
    await untilIdle(server, sessionId);
    await expect
      .poll(async () => (await server.messages(sessionId)).map(({ content }) => content))
      .toEqual(['hang 1', 't0 ', 'Too slow']);
    const asked = server.ollama.requestsTo('/api/chat').flatMap(({ body }) => body?.messages ?? []);
    expect(asked.map(({ content }) => content)).not.toContain('Too slow');
  });

  it('closes the connection to the engine', async () => {
    const sessionId = await server.createSession();
    const stream = await server.stream(`/chat/${sessionId}/stream`, {
      message: 'mute for the one who leaves',
    });
    const isOurs = (request: Parameters<typeof askedOf>[0]) =>
      askedOf(request) === 'mute for the one who leaves';
    await server.ollama.waitForRequest('/api/chat', isOurs);
    stream.abort();
    await server.ollama.waitForAbort(isOurs);
  });
});

describe('the plain answer', () => {
  it.each([
    ['goes on by default', 'pace 50', {}, 'completed'],
    ['goes on when asked to', 'pace 50', { on_disconnect: 'continue' }, 'completed'],
    ['cancels when asked to', 'hang 3', { on_disconnect: 'cancel' }, 'cancelled'],
  ])('%s', async (_name, message, policy, state) => {
    const sessionId = await server.createSession();
    const { hangUp } = postPlain(sessionId, { message, ...policy });
    await isSpeaking(sessionId);
    hangUp();
    await untilIdle(server, sessionId);
    expect((await lastTurn(sessionId)).state).toBe(state);
  });

  it('cancels also when its client left before the turn was accepted', async () => {
    const sessionId = await server.createSession();
    // The server does not know the model yet, and the engine is slow to tell.
    await server.restart({ engineInfoTimeoutSeconds: 0.5 });
    server.ollama.fault('/api/tags', 'mute');
    onTestFinished(() => server.ollama.fault('/api/tags', null));
    const asked = server.ollama.requestsTo('/api/tags').length;
    const { hangUp } = postPlain(sessionId, { message: 'hang 1', on_disconnect: 'cancel' });
    await expect.poll(() => server.ollama.requestsTo('/api/tags').length).toBe(asked + 1);
    hangUp();
    await expect.poll(async () => (await lastTurn(sessionId))?.state).toBe('cancelled');
  });
});

describe('a repeated request holds the turn', () => {
  const key = { 'idempotency-key': 'once' };

  it('the first connection may drop, the second gets the answer', async () => {
    const sessionId = await server.createSession();
    const body = { message: 'pace 50' };
    const first = await server.stream(`/chat/${sessionId}/stream`, body, key);
    await readUntil(first, isNamed('content_delta'));
    const second = await server.stream(`/chat/${sessionId}/stream`, body, key);
    await readUntil(second, isNamed('turn_start'));
    first.abort();
    expect((await second.all()).at(-1)).toMatchObject({ event: 'done', data: { state: 'completed' } });
  });

  it('when the last one has gone, the turn is cancelled, whoever still watches', async () => {
    const sessionId = await server.createSession();
    const body = { message: 'hang 1' };
    const first = await server.stream(`/chat/${sessionId}/stream`, body, key);
    const second = await server.stream(`/chat/${sessionId}/stream`, body, key);
    await Promise.all([first, second].map((stream) => readUntil(stream, isNamed('content_delta'))));
    const watch = await watchTurn(server, first.headers.get('x-turn-id') ?? '');
    first.abort();
    second.abort();
    expect((await watch.all()).at(-1)).toMatchObject({ event: 'done', data: { state: 'cancelled' } });
  });
});
