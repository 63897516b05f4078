// An address that swallows packets: the connection is neither made nor refused, and whoever gives up is free at once.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createOllamaEngine } from '../../src/engines/ollama/ollama-engine.ts';
import { httpError, mute } from '../fake-ollama/chat-script.ts';
import type { RawListener } from '../fake-ollama/raw-listener.ts';
import { startSwallowingListener } from '../fake-ollama/swallowing-listener.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

/** Far above what anything here may take, and far below the time that connecting is given. */
const AT_ONCE_MS = 10_000;
const CONNECT_SECONDS = 120;

describe('an address that swallows packets', { timeout: 60_000 }, () => {
  let nowhere: RawListener;
  let server: TestServer;
  let sessionId: string;
  let url: string;
  beforeAll(async () => {
    nowhere = await startSwallowingListener();
    url = `http://127.0.0.1:${nowhere.port}`;
    server = await startTestServer({ config: { engineConnectTimeoutSeconds: CONNECT_SECONDS } });
    sessionId = await server.createSession();
  });
  afterAll(async () => {
    await server.close();
    await nowhere.close();
  });

  it('health answers, and says that it is not reached', async () => {
    await server.restart({ ollamaHost: url });
    const startedAt = performance.now();
    const { body } = await server.get('/health');
    expect(body.engine).toEqual({ name: 'ollama', reachable: false, version: null });
    expect(performance.now() - startedAt).toBeLessThan(AT_ONCE_MS);
  });

  it('a turn that is cancelled ends at once', async () => {
    // Its model is not asked about for ever.
    await server.restart({ ollamaHost: url, engineInfoTimeoutSeconds: 0.2 });
    const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'Anybody?' });
    const startedAt = performance.now();
    for await (const { event, data } of stream.events) {
      if (event === 'status') await server.post(`/chat/${sessionId}/cancel`);
      if (event === 'error') expect(data.code).toBe('turn_cancelled');
    }
    expect(performance.now() - startedAt).toBeLessThan(AT_ONCE_MS);
  });

  it('questions end at their own time, and a server that stops waits for none of them', async () => {
    await server.restart({ ollamaHost: url, engineInfoTimeoutSeconds: 0.2 });
    const startedAt = performance.now();
    expect((await server.get('/models')).body.detail.error.message).toMatch(/did not answer in time/);
    const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'Anybody?' });
    for await (const { event } of stream.events) if (event === 'status') break;
    await server.restart();
    expect(performance.now() - startedAt).toBeLessThan(AT_ONCE_MS);
  });

  it('an abort ends a chat, a pull and their waiting at once', async () => {
    const engine = createOllamaEngine({
      baseUrl: url,
      connectTimeoutSeconds: CONNECT_SECONDS,
      infoTimeoutSeconds: 3600,
      firstTokenTimeoutSeconds: 3600,
      idleTimeoutSeconds: 3600,
    });
    const request = { model: 'x', messages: [], think: false, window: null, options: {} };
    const runs = [
      (signal: AbortSignal) => Array.fromAsync(engine.chat(request, signal)),
      (signal: AbortSignal) => Array.fromAsync(engine.pullModel('x', signal)),
    ];
    for (const run of runs) {
      const abort = new AbortController();
      const reason = new Error('enough');
      const running = run(abort.signal);
      setTimeout(() => abort.abort(reason), 50);
      await expect(running).rejects.toBe(reason);
    }
    await engine.close();
  });
});

describe('an engine that is mute when it is asked about a model', { timeout: 60_000 }, () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await startTestServer({ config: { engineInfoTimeoutSeconds: 3600 } });
  });
  afterEach(() => server.close());

  const expectCancelled = (events: readonly { event: string; data: any }[]) =>
    expect(events.slice(-2).map(({ data }) => data.code ?? data.state)).toEqual([
      'turn_cancelled',
      'cancelled',
    ]);

  it('keeps no cancelled turn waiting that looks whether its name means another model', async () => {
    const sessionId = await server.createSession();
    server.ollama.requests.length = 0;
    server.ollama.fault('/api/tags', 'mute');
    server.ollama.reply(httpError(500, 'no such layer'));
    const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'Hello?' });
    await server.ollama.waitForRequest('/api/tags');
    await server.post(`/chat/${sessionId}/cancel`);
    expectCancelled(await stream.all());
  });

  it('keeps no cancelled turn waiting that comes out of the line', async () => {
    const sessionId = await server.createSession({ model: 'tiny' });
    server.ollama.reply(mute());
    const first = await server.stream(`/chat/${sessionId}/stream`, { message: 'First?' });
    await server.ollama.waitForRequest('/api/chat', ({ rawBody }) => rawBody.includes('First?'));
    const second = await server.stream(`/chat/${sessionId}/stream`, { message: 'Second?' });
    const started = (await second.events.next()).value;
    // Its name is forgotten, so it is asked about when the turn has its place.
    await server.request('DELETE', '/models/tiny');
    server.ollama.requests.length = 0;
    server.ollama.fault('/api/tags', 'mute');
    await server.post(`/chat/${sessionId}/cancel`);
    await first.all();
    await server.ollama.waitForRequest('/api/tags');
    await server.post(`/turns/${started?.data.turn_id}/cancel`);
    expectCancelled(await Array.fromAsync(second.events));
    const contents = (await server.messages(sessionId)).map(({ content }) => content);
    expect(contents).toEqual(['First?', 'Second?']);
  });
});
