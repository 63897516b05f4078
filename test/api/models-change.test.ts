// Fetching and deleting models over HTTP, with Ollama behind it and with the embedded engine.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { expectError } from './wire-formats.ts';

interface PullEvent {
  readonly event: string;
  readonly data: any;
}

async function pull(server: TestServer, name: string): Promise<PullEvent[]> {
  const response = await fetch(`${server.url}/api/v1/models/pull`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name }),
  });
  expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
  const frames = (await response.text()).trimEnd().split('\n\n');
  return frames.map((frame) => {
    const [, event = '', data = ''] = /^event: (\w+)\ndata: (.*)$/.exec(frame) ?? [];
    return { event, data: JSON.parse(data) };
  });
}

describe('with Ollama', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server.close());

  it('a pull tells how far it is, and the model can be used', async () => {
    const events = await pull(server, 'new-model');
    expect(events).toContainEqual({
      event: 'progress',
      data: { status: 'pulling 0123456789ab', completed: 1000, total: 1000 },
    });
    expect(events.at(-1)).toEqual({ event: 'done', data: { name: 'new-model' } });
    await server.createSession({ model: 'new-model' });
  });

  it('a pull that fails says so last, in the words of Ollama', async () => {
    const events = await pull(server, 'missing');
    expect(events.at(-1)).toMatchObject({
      event: 'error',
      data: { code: 'model_pull_failed', message: expect.stringContaining('file does not exist') },
    });
  });

  it('a library that cannot be reached is told in plain words, not those of its resolver', async () => {
    const { event, data } = (await pull(server, 'unreachable')).at(-1) ?? {};
    expect([event, data.code]).toEqual(['error', 'model_pull_failed']);
    expect(data.message).toMatch(
      /library at registry\.ollama\.ai could not be reached .*name could not be looked up/,
    );
    expect(data.message).not.toMatch(/dial tcp|lookup registry|misbehaving|127\.0\.0\.53/);
  });

  it('a deleted model is gone', async () => {
    expect((await server.request('DELETE', '/models/tiny:latest')).status).toBe(204);
    expect((await server.get('/models/tiny')).status).toBe(404);
    expectError(await server.request('DELETE', '/models/tiny'), 404, 'model_not_found');
  });

  it('tells which models are in memory', async () => {
    await server.chat(await server.createSession(), { message: 'Hello' });
    const { body } = await server.get('/models/loaded');
    expect(body.models).toEqual([
      { name: 'llama3.2:latest', window: 8192, expires_in_seconds: expect.any(Number) },
    ]);
  });

  it('takes the name as `model`, as everything else does', async () => {
    const { body, status } = await server.post('/models/pull', { model: 'another-model' });
    expect([status, String(body)]).toEqual([
      200,
      expect.stringContaining('event: done\ndata: {"name":"another-model"}'),
    ]);
  });

  it.each([
    {},
    { name: '' },
    { name: 7 },
    { name: 'x'.repeat(600) },
    { model: 7 },
    { model: 'a', name: 'b' },
  ])('refuses %j', async (body) => {
    expectError(await server.post('/models/pull', body), 422, 'validation_error');
  });

  it('is a plain error when Ollama is gone', async () => {
    await server.ollama.stop();
    expectError(await server.post('/models/pull', { name: 'new' }), 502, 'ollama_unreachable');
    expectError(await server.request('DELETE', '/models/new'), 502, 'ollama_unreachable');
    expectError(await server.get('/models/loaded'), 502, 'ollama_unreachable');
    await server.ollama.restart();
  });
});

describe('with the embedded engine', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ config: { engine: 'embedded', downloadsEnabled: false } });
  });
  afterAll(() => server.close());

  it('takes names of its own, and neither addresses nor paths', async () => {
    for (const name of ['http://127.0.0.1/x.gguf', '../x', 'llama3.2']) {
      expectError(await server.post('/models/pull', { name }), 404, 'model_not_found');
    }
    expectError(await server.request('DELETE', '/models/..%2f..%2fmochi.db'), 404, 'model_not_found');
  });

  it('says that it is not ready, and when to come again', async () => {
    const answer = await server.post('/sessions', { model: 'smollm2-135m' });
    expectError(answer, 503, 'engine_not_ready');
    expect(answer.headers.get('retry-after')).toBe('2');
    expectError(await server.post('/sessions', { model: 'llama3.2' }), 400, 'model_not_found');
    expect((await server.get('/models')).body).toEqual({ models: [] });
    expect((await server.get('/health')).body).toMatchObject({
      engine: { name: 'embedded', reachable: false, version: null },
    });
  });
});
