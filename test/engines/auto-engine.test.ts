// Ollama where it runs, the embedded engine where it does not; and an Ollama that comes later.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeEmbeddedData } from '../support/embedded-data.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { writeGguf } from '../support/write-gguf.ts';

const names = async (server: TestServer) =>
  (await server.get('/models')).body.models.map(({ name }: { name: string }) => name);

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
    ['refuses connections', null],
    ['never answers', 'mute'],
  ] as const)('is the embedded engine when Ollama %s, and the start does not wait', async (_, fault) => {
    if (fault === null) await server.ollama.stop();
    else server.ollama.fault('*', fault);
    await server.restart();
    expect((await server.get('/health')).body.engine).toMatchObject({ name: 'embedded', reachable: true });
    const session = await server.createSession({ model: 'small' });
    const { body } = await server.chat(session, { message: 'say Good morning.' });
    expect(body.message).toMatchObject({ content: 'Good morning.', model: 'small' });
    expect(await names(server)).toEqual(['small']);
    if (fault === null) await server.ollama.restart();
    else server.ollama.fault('*', null);
  });

  it('has the models of an Ollama that came later, beside its own', async () => {
    expect(await names(server)).toEqual(expect.arrayContaining(['small', 'llama3.2:latest']));
    const session = await server.createSession({ model: 'llama3.2' });
    expect((await server.chat(session, { message: 'Hello' })).body.message.model).toBe('llama3.2:latest');
    await server.chat(await server.createSession({ model: 'small' }), { message: 'Hello' });
    const { body } = await server.get('/models/loaded');
    expect(body.models.map(({ name }: { name: string }) => name)).toEqual(['small', 'llama3.2:latest']);
  });

  it('says that Ollama cannot be reached for a model that only it could have', async () => {
    await server.ollama.stop();
    const answer = await server.post('/sessions', { model: 'llama3.2' });
    expect([answer.status, answer.body.detail.error.code]).toEqual([502, 'ollama_unreachable']);
    await server.ollama.restart();
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
