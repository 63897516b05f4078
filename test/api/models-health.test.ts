// Models and health, with an Ollama that is well, broken, mute or gone.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { startStubOllama } from './stub-ollama.ts';
import { expectError } from './wire-formats.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());
afterEach(() => {
  for (const path of ['*', '/api/tags', '/api/show', '/api/version']) server.ollama.fault(path, null);
});

const qwen = {
  name: 'qwen3:14b',
  size_mb: 8846.5,
  format: 'gguf',
  family: 'qwen3',
  parameter_size: '14.8B',
  quantization_level: 'Q4_K_M',
  capabilities: ['completion', 'tools', 'thinking'],
  context_length: 40_960,
};

describe('GET /models', () => {
  it("lists what can chat, in the engine's order", async () => {
    const { status, body } = await server.get('/models');
    expect(status).toBe(200);
    expect(Object.keys(body)).toEqual(['models']);
    expect(body.models.map(({ name }: { name: string }) => name)).toEqual([
      'llama3.2:latest',
      'qwen3:14b',
      'tiny:latest',
      'llava:7b',
      'old:latest',
      'hf.co/org/repo:Q4_K_M',
    ]);
    expect(body.models[1]).toEqual(qwen);
  });

  it('asks for the details of a model once, as long as its digest is the same', async () => {
    await server.get('/models');
    const asked = (path: string) => server.ollama.requestsTo(path).length;
    const [tags, shows] = [asked('/api/tags'), asked('/api/show')];
    await server.get('/models');
    await server.get('/models/qwen3:14b');
    await server.createSession({ model: 'qwen3:14b' });
    expect([asked('/api/tags') - tags, asked('/api/show') - shows]).toEqual([3, 0]);

    const models = server.ollama.models;
    server.ollama.setModels([
      ...models.filter(({ name }) => name !== 'qwen3:14b'),
      { name: 'qwen3:14b', digest: 'another', contextLength: 1024 },
      { name: 'new:latest' },
    ]);
    const { body } = await server.get('/models');
    expect(asked('/api/show') - shows).toBe(2);
    expect(body.models.at(-2)).toMatchObject({ name: 'qwen3:14b', context_length: 1024 });
    expect(body.models.at(-1)).toMatchObject({ name: 'new:latest' });
    server.ollama.setModels(models);
    await server.get('/models');
    expect(asked('/api/show') - shows).toBe(2);
  });

  it('is empty when nothing is installed', async () => {
    const models = server.ollama.models;
    server.ollama.setModels([]);
    expect((await server.get('/models')).body).toEqual({ models: [] });
    server.ollama.setModels(models);
  });

  it.each([
    ['error500', 'ollama_error'],
    ['html', 'ollama_error'],
    ['refuse', 'ollama_unreachable'],
  ] as const)('answers 502 when the engine is broken (%s)', async (fault, code) => {
    server.ollama.fault('/api/tags', fault);
    expectError(await server.get('/models'), 502, code);
    expectError(await server.get('/models/qwen3:14b'), 502, code);
  });

  it('answers 502 when the engine says nothing for too long', async () => {
    const impatient = await startTestServer({ config: { engineInfoTimeoutSeconds: 0.1 } });
    impatient.ollama.fault('*', 'mute');
    expectError(await impatient.get('/models'), 502, 'ollama_unreachable');
    expectError(await impatient.get('/models/qwen3:14b'), 502, 'ollama_unreachable');
    expectError(await impatient.post('/sessions', { model: 'llama3.2' }), 502, 'ollama_unreachable');
    await impatient.close();
  });

  it('answers 502 when the engine is gone, and 200 when it is back', async () => {
    await server.ollama.stop();
    expectError(await server.get('/models'), 502, 'ollama_unreachable');
    expectError(await server.get('/models/qwen3:14b'), 502, 'ollama_unreachable');
    await server.ollama.restart();
    expect((await server.get('/models')).status).toBe(200);
  });
});

describe('GET /models/{name}', () => {
  it.each(['qwen3:14b', 'qwen3%3A14b', 'QWEN3:14B', 'qwen3:14b/'])(
    'answers the model alone for %s',
    async (name) => {
      const { status, body } = await server.get(`/models/${name}`);
      expect([status, body]).toEqual([200, qwen]);
    },
  );

  it.each([
    ['llama3.2', 'llama3.2:latest'],
    ['llama3.2:latest', 'llama3.2:latest'],
    ['tiny', 'tiny:latest'],
    ['hf.co/org/repo:Q4_K_M', 'hf.co/org/repo:Q4_K_M'],
    ['hf.co%2Forg%2Frepo%3AQ4_K_M', 'hf.co/org/repo:Q4_K_M'],
    ['hf.co/org%2Frepo:q4_k_m', 'hf.co/org/repo:Q4_K_M'],
  ])('finds %s as %s', async (asked, name) => {
    const { status, body } = await server.get(`/models/${asked}`);
    expect([status, body.name]).toEqual([200, name]);
  });

  it('shows a model that cannot chat, and takes one without capabilities for one that can', async () => {
    expect((await server.get('/models/nomic-embed-text')).body.capabilities).toEqual(['embedding']);
    expect((await server.get('/models/old')).body.capabilities).toEqual(['completion']);
  });

  it.each([
    'no-such-model',
    'qwen3',
    'llama3.2:70b',
    'repo:Q4_K_M',
    'org/repo:Q4_K_M',
    'hf.co/org/repo',
    '..%2F..%2Fetc%2Fpasswd',
    'a%00b',
    '%20',
  ])('answers 404 for %s', async (name) => {
    const answer = await server.get(`/models/${name}`);
    expect(expectError(answer, 404, 'model_not_found')).toEqual({ model: decodeURIComponent(name) });
  });
});

describe('GET /health', () => {
  it('says who serves and what it talks to', async () => {
    const { status, body } = await server.get('/health');
    expect(status).toBe(200);
    expect(body).toEqual({
      status: 'ok',
      version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
      ollama_connected: true,
      ollama_host: server.ollama.url,
      engine: { name: 'ollama', reachable: true, version: '0.33.0' },
    });
  });

  it.each(['error500', 'html', 'refuse', 'drop', 'mute'] as const)(
    'answers 200 when the engine is broken (%s)',
    async (fault) => {
      // A mute engine never ends the wait: that there is an answer proves a deadline.
      server.ollama.fault('/api/version', fault);
      const { status, body } = await server.get('/health');
      expect([status, body.ollama_connected]).toEqual([200, false]);
      expect(body.engine).toEqual({ name: 'ollama', reachable: false, version: null });
    },
  );

  it('has a deadline of its own, whatever the engine is granted elsewhere', async () => {
    const patient = await startTestServer({
      config: { engineInfoTimeoutSeconds: 600, engineConnectTimeoutSeconds: 600 },
    });
    patient.ollama.fault('*', 'mute');
    expect((await patient.get('/health')).body.ollama_connected).toBe(false);
    await patient.ollama.waitForAbort(({ path }) => path === '/api/version');
    await patient.close();
  });

  it('answers while Ollama is gone, and sees it come back', async () => {
    await server.ollama.stop();
    const gone = await server.get('/health');
    expect([gone.status, gone.body.ollama_connected]).toEqual([200, false]);
    await server.ollama.restart();
    expect((await server.get('/health')).body.ollama_connected).toBe(true);
  });

  it('never shows the password of the engine', async () => {
    const ollamaHost = server.ollama.url.replace('//', '//user:s3cret@');
    const secret = await startTestServer({ config: { ollamaHost } });
    const { body } = await secret.get('/health');
    expect(body).toMatchObject({ ollama_host: server.ollama.url, ollama_connected: true });
    expect(JSON.stringify(body)).not.toContain('s3cret');
    const sent = server.ollama.requestsTo('/api/version').at(-1)?.headers.authorization;
    expect(sent).toBe(`Basic ${btoa('user:s3cret')}`);
    await secret.close();
  });
});

describe('probes', () => {
  it.each(['/livez', '/readyz'])('%s asks nobody', async (path) => {
    server.ollama.fault('*', 'mute');
    const asked = server.ollama.requests.length;
    const { status, body } = await server.get(path);
    expect([status, body]).toEqual([200, { status: 'ok' }]);
    expect(server.ollama.requests.length).toBe(asked);
  });
});

describe('a question that hangs', () => {
  it('is not what later ones wait for', async () => {
    const released = Promise.withResolvers<void>();
    let asked = 0;
    const ollama = await startStubOllama(async ({ path }) => {
      if (path === '/api/tags' && ++asked === 1) await released.promise;
      return { body: { models: [] } };
    });
    const patient = await startTestServer({
      config: { ollamaHost: ollama.url, engineInfoTimeoutSeconds: 60 },
    });
    const hanging = patient.get('/models');
    await expect.poll(() => asked).toBe(1);
    // Those that come at once share its answer; this one comes later.
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect((await patient.get('/models')).status).toBe(200);
    released.resolve();
    expect((await hanging).status).toBe(200);
    await patient.close();
    await ollama.close();
  });
});
