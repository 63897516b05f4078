// Ollama where it runs, the embedded engine where it does not; and an Ollama that comes later.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSwallowingListener } from '../fake-ollama/swallowing-listener.ts';
import { makeEmbeddedData } from '../support/embedded-data.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { writeGguf } from '../support/write-gguf.ts';

const names = async (server: TestServer) =>
  (await server.get('/models')).body.models.map(({ name }: { name: string }) => name);

/** As a program that speaks Ollama's API reads it. */
async function asOllama(server: TestServer, path: string, body?: object): Promise<any> {
  const sent = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
  const response = await fetch(`${server.url}${path}`, sent);
  const text = await response.text();
  const lines = text.trim().split('\n');
  return { status: response.status, lines: lines.map((line) => JSON.parse(line)) };
}

describe('--engine auto', { timeout: 60_000 }, () => {
  let server: TestServer;
  let dataDir: string;
  beforeAll(async () => {
    dataDir = await makeEmbeddedData();
    server = await startTestServer({ dataDir, config: { engine: 'auto', downloadsEnabled: false } });
  });
  afterAll(async () => {
    await server.close();
    await rm(dataDir, { recursive: true });
  });

  it('is Ollama when it answers at the start', async () => {
    expect((await server.get('/health')).body.engine).toMatchObject({ name: 'ollama', reachable: true });
    expect(await names(server)).not.toContain('small');
  });

  it.each([
    ['never answers', 'mute'],
    ['is broken', 'error500'],
    ['is behind a proxy that has lost it', 'html'],
    ['drops connections', 'refuse'],
  ] as const)('is an Ollama that %s, and the start does not wait for it', async (_, fault) => {
    server.ollama.fault('*', fault);
    await server.restart();
    expect((await server.get('/health')).body.engine).toMatchObject({ name: 'ollama', reachable: false });
    server.ollama.fault('*', null);
    expect((await server.get('/health')).body.engine).toMatchObject({ name: 'ollama', reachable: true });
  });

  it('is the embedded engine when packets are swallowed, and no list waits for long', async () => {
    const nowhere = await startSwallowingListener();
    await server.restart({
      ollamaHost: `http://127.0.0.1:${nowhere.port}`,
      engineConnectTimeoutSeconds: 120,
    });
    expect((await server.get('/health')).body).toMatchObject({
      ollama_connected: false,
      engine: { name: 'embedded', reachable: true },
    });
    expect(await names(server)).toEqual(['small']);
    expect((await server.get('/models/loaded')).body).toEqual({ models: [] });
    await nowhere.close();
  });

  it('is the embedded engine when nothing listens', async () => {
    await server.ollama.stop();
    await server.restart({ ollamaHost: server.ollama.url });
    expect((await server.get('/health')).body.engine).toMatchObject({ name: 'embedded', reachable: true });
    const session = await server.createSession({ model: 'small' });
    const { body } = await server.chat(session, { message: 'say Good morning.' });
    expect(body.message).toMatchObject({ content: 'Good morning.', model: 'small' });
    expect(await names(server)).toEqual(['small']);
    expect((await server.get('/health')).body).toMatchObject({
      ollama_connected: false,
      ollama_host: server.ollama.url,
    });
    await server.ollama.restart();
  });

  it('has the models of an Ollama that came later, beside its own', async () => {
    expect(await names(server)).toEqual(expect.arrayContaining(['small', 'llama3.2:latest']));
    const session = await server.createSession({ model: 'llama3.2' });
    expect((await server.chat(session, { message: 'Hello' })).body.message.model).toBe('llama3.2:latest');
    await server.chat(await server.createSession({ model: 'small' }), { message: 'Hello' });
    const { body } = await server.get('/models/loaded');
    expect(body.models.map(({ name }: { name: string }) => name)).toEqual(['small', 'llama3.2:latest']);
  });

  it('tells both in the shapes of Ollama, and hands a chat over to whoever has the model', async () => {
    const [tags] = (await asOllama(server, '/api/tags')).lines;
    expect(tags.models.map(({ name }: { name: string }) => name)).toEqual(
      expect.arrayContaining(['small', 'llama3.2:latest']),
    );
    for (const model of ['small', 'llama3.2']) {
      const { status, lines } = await asOllama(server, '/api/show', { model });
      expect([status, lines[0].capabilities]).toEqual([200, expect.arrayContaining(['completion'])]);
      const messages = [{ role: 'user', content: 'say Good morning.' }];
      const before = server.ollama.requestsTo('/api/chat').length;
      const chat = await asOllama(server, '/api/chat', { model, messages });
      expect(chat.lines.at(-1)).toMatchObject({ model, done: true, done_reason: 'stop' });
      expect(server.ollama.requestsTo('/api/chat').length - before).toBe(model === 'small' ? 0 : 1);
    }
  });

  it('fetches and deletes in Ollama what is not its own', async () => {
    const pulled = await server.post('/models/pull', { name: 'fresh' });
    expect(pulled.body).toContain('event: done');
    expect(await names(server)).toContain('fresh:latest');
    expect((await server.request('DELETE', '/models/fresh')).status).toBe(204);
    expect(await names(server)).not.toContain('fresh:latest');
  });

  it('names its models for one that is nowhere, and says that an Ollama might have it', async () => {
    const sessionId = await server.createSession({ model: 'llama3.2' });
    const both = await server.post('/sessions', { model: 'nobody' });
    expect(both.body.detail.error.message).toMatch(
      /^Model nobody is not installed\. Installed: small, llama3\.2/,
    );
    await server.ollama.stop();
    const says = /is not installed\. Installed: small\. No Ollama answers at http:\S+ that might have it\.$/;
    for (const [answer, status] of [
      [await server.post('/sessions', { model: 'llama3.2' }), 400],
      [await server.get('/models/llama3.2'), 404],
      [await server.post(`/chat/${sessionId}`, { message: 'Hello' }), 404],
    ] as const) {
      expect([answer.status, answer.body.detail.error.code]).toEqual([status, 'model_not_found']);
      expect(answer.body.detail.error.message).toMatch(says);
    }
    await server.ollama.restart();
  });

  it('keeps its own models at hand when the Ollama that came is broken, and tells that for others', async () => {
    server.ollama.fault('*', 'html');
    expect(await names(server)).toEqual(['small']);
    await server.createSession({ model: 'small' });
    const answer = await server.post('/sessions', { model: 'llama3.2' });
    expect([answer.status, answer.body.detail.error.code]).toEqual([502, 'ollama_error']);
    server.ollama.fault('*', null);
  });
});

describe('--engine embedded', { timeout: 60_000 }, () => {
  let server: TestServer;
  let dataDir: string;
  beforeAll(async () => {
    dataDir = await makeEmbeddedData();
    await writeGguf(join(dataDir, 'models', 'other.gguf'));
    server = await startTestServer({ dataDir, config: { engine: 'embedded' } });
  });
  afterAll(async () => {
    await server.close();
    await rm(dataDir, { recursive: true });
  });

  it('is told in the shapes of Ollama, every key of them', async () => {
    const [tags] = (await asOllama(server, '/api/tags')).lines;
    expect(tags.models.map(({ name }: { name: string }) => name)).toEqual(['other', 'small']);
    const details = {
      parent_model: '',
      format: 'gguf',
      family: expect.any(String),
      families: [expect.any(String)],
      parameter_size: expect.any(String),
      quantization_level: expect.any(String),
    };
    expect(tags.models[1]).toMatchObject({
      name: 'small',
      model: 'small',
      modified_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      size: expect.any(Number),
      digest: expect.stringMatching(/^[0-9a-f]{64}$/),
      details,
    });
    const [version] = (await asOllama(server, '/api/version')).lines;
    expect(version.version).toMatch(/^\d+\.\d+\.\d+$/);
    const [shown] = (await asOllama(server, '/api/show', { model: 'small' })).lines;
    expect(shown).toMatchObject({ details, capabilities: expect.arrayContaining(['completion']) });
    expect(shown.model_info[`${shown.details.family}.context_length`]).toBeGreaterThan(0);

    const messages = [{ role: 'user', content: 'say Good morning.' }];
    const { lines } = await asOllama(server, '/api/chat', { model: 'small', messages });
    expect(lines.map(({ message }: any) => message.content).join('')).toBe('Good morning.');
    const [held] = (await asOllama(server, '/api/ps')).lines;
    expect(held.models).toMatchObject([
      {
        name: 'small',
        model: 'small',
        digest: tags.models[1].digest,
        details,
        expires_at: expect.any(String),
      },
    ]);
    expect(await asOllama(server, '/api/show', { model: 'nobody' })).toMatchObject({
      status: 404,
      lines: [{ error: expect.stringContaining('nobody') }],
    });
    const copy = await asOllama(server, '/api/copy', { source: 'small', destination: 'mine' });
    expect(copy).toMatchObject({
      status: 400,
      lines: [{ error: expect.stringContaining('only an Ollama') }],
    });
  });

  it('never asks Ollama', async () => {
    const session = await server.createSession({ model: 'small' });
    await server.chat(session, { message: 'Hello' });
    expect(await names(server)).toEqual(['other', 'small']);
    expect(server.ollama.requests).toEqual([]);
  });

  it('keeps the part of an answer whose process died, and answers the next message', async () => {
    const session = await server.createSession({ model: 'small' });
    const stream = await server.stream(`/chat/${session}/stream`, { message: 'die' });
    const events = await stream.all();
    expect(events.at(-2)).toMatchObject({ event: 'error', data: { code: 'engine_failed' } });
    const [, part] = await server.messages(session);
    expect(part).toMatchObject({ content: 'abc', status: 'partial' });
    const { body } = await server.chat(session, { message: 'say Here again.' });
    expect(body.message.content).toBe('Here again.');
  });

  it('stops with the turn, and a deleted model is gone', async () => {
    const session = await server.createSession({ model: 'other' });
    const stream = await server.stream(`/chat/${session}/stream`, { message: 'count 5000' });
    for await (const { event } of stream.events) if (event === 'content_delta') break;
    stream.abort();
    await expect
      .poll(async () => (await server.get(`/sessions/${session}`)).body.active_turn, { timeout: 20_000 })
      .toBeNull();
    expect((await server.request('DELETE', '/models/other')).status).toBe(204);
    expect(await names(server)).toEqual(['small']);
  });
});

describe('--engine auto before anything is fetched', () => {
  it('has no models and no Ollama, and says neither that one is missing nor that it is unreachable', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'mochi-bare-'));
    const server = await startTestServer({ dataDir, config: { engine: 'auto', downloadsEnabled: false } });
    await server.ollama.stop();
    await server.restart();
    expect(await server.get('/models')).toMatchObject({ status: 200, body: { models: [] } });
    expect((await server.get('/models/loaded')).body).toEqual({ models: [] });
    const unready = await server.post('/sessions', { model: 'smollm2-135m' });
    expect([unready.status, unready.body.detail.error.code]).toEqual([503, 'engine_not_ready']);
    const unknown = await server.post('/sessions', { model: 'nobody' });
    expect([unknown.status, unknown.body.detail.error.code]).toEqual([400, 'model_not_found']);
    expect(unknown.body.detail.error.message).toMatch(
      /^Model nobody is not installed\. No model is installed yet/,
    );
    await server.close();
    await rm(dataDir, { recursive: true });
  });
});
