// A session without a model: the operator's default, else the engine's first, else a plain refusal.
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeEmbeddedData } from '../support/embedded-data.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { writeGguf } from '../support/write-gguf.ts';
import { expectError } from './wire-formats.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

describe('POST /sessions without a model', () => {
  it.each([[undefined], [{}], [{ model: null }], [{ title: 'Anything' }]])(
    'takes the first that can chat (%j)',
    async (body) => {
      const { models } = (await server.get('/models')).body;
      const answer = await server.post('/sessions', body);
      expect([answer.status, answer.body.model]).toEqual([201, models[0].name]);
      const { body: chat } = await server.chat(answer.body.session_id, { message: 'Hello' });
      expect(chat.message.model).toBe(models[0].name);
    },
  );

  it('still refuses a model that is no name', async () => {
    for (const model of ['', 7])
      expectError(await server.post('/sessions', { model }), 422, 'validation_error');
  });

  it("takes the operator's, by any of its names", async () => {
    await server.restart({ defaultModel: 'QWEN3:14b' });
    expect((await server.post('/sessions', {})).body.model).toBe('qwen3:14b');
    expect((await server.post('/sessions', { model: 'tiny' })).body.model).toBe('tiny:latest');
  });

  it.each(['gone:1b', 'nomic-embed-text'])("says so where the operator's is %s", async (defaultModel) => {
    await server.restart({ defaultModel });
    const answer = await server.post('/sessions', {});
    expect(expectError(answer, 400, 'model_not_found')).toMatchObject({ model: defaultModel });
    expect(answer.body.detail.error.message).toMatch(/MOCHI_DEFAULT_MODEL/);
    await server.restart({ defaultModel: null });
  });

  it('says what to do where nothing is installed', async () => {
    const bare = await startTestServer({ ollama: { models: [] } });
    const answer = await bare.post('/sessions', {});
    expectError(answer, 400, 'model_not_found');
    expect(answer.body.detail.error.message).toMatch(/no model.*POST \/api\/v1\/models\/pull/i);
    await bare.close();
  });

  it('says that Ollama cannot be reached where it cannot', async () => {
    await server.ollama.stop();
    expectError(await server.post('/sessions', {}), 502, 'ollama_unreachable');
    await server.ollama.restart();
  });
});

describe('with the embedded engine', { timeout: 60_000 }, () => {
  it('is its model, and the toy only where there is no other', async () => {
    const dataDir = await makeEmbeddedData();
    await rm(join(dataDir, 'models', 'small.gguf'));
    await writeGguf(join(dataDir, 'models', 'smollm2-135m.gguf'));
    const embedded = await startTestServer({ dataDir, config: { engine: 'embedded' } });
    expect((await embedded.post('/sessions')).body.model).toBe('smollm2-135m');
    await writeGguf(join(dataDir, 'models', 'zephyr.gguf'));
    expect((await embedded.post('/sessions')).body.model).toBe('zephyr');
    await embedded.close();
    await rm(dataDir, { recursive: true });
  });

  it.each(['embedded', 'auto'] as const)('is not ready where there is none yet (%s)', async (engine) => {
    const dataDir = await mkdtemp(join(tmpdir(), 'mochi-bare-'));
    await mkdir(join(dataDir, 'models'));
    const config = { engine, downloadsEnabled: false, ollamaHost: 'http://127.0.0.1:9' };
    const bare = await startTestServer({ dataDir, config });
    expectError(await bare.post('/sessions', {}), 503, 'engine_not_ready');
    await bare.close();
    await rm(dataDir, { recursive: true });
  });
});
