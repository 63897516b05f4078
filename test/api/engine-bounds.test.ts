// An engine whose answers have no end, in size or in time: every read of it has both.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { text } from '../fake-ollama/chat-script.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { startStubOllama } from './stub-ollama.ts';
import { expectError } from './wire-formats.ts';

describe('answers without end', () => {
  let server: TestServer;
  beforeAll(async () => {
    // So patient that only a bound of the size ends a request.
    server = await startTestServer({ config: { engineInfoTimeoutSeconds: 3600 } });
  });
  afterAll(() => server.close());
  afterEach(() => {
    for (const path of ['/api/tags', '/api/ps', '/api/show', '/api/pull', '/api/delete', '/api/version']) {
      server.ollama.fault(path, null);
    }
  });

  it.each([
    ['GET', '/models', '/api/tags'],
    ['GET', '/models/llama3.2', '/api/tags'],
    ['GET', '/models/loaded', '/api/ps'],
    ['GET', '/models/tiny', '/api/show'],
    ['DELETE', '/models/llama3.2', '/api/delete'],
  ])('%s %s: %s is read to a bound', async (method, path, endpoint) => {
    server.ollama.fault(endpoint, 'endless');
    const answer = await server.request(method, path);
    expectError(answer, 502, 'ollama_error');
    expect(answer.body.detail.error.message).toMatch(/more than \d+ bytes/);
    await server.ollama.waitForAbort((request) => request.path === endpoint);
  });

  it.each([
    ['GET', '/models', '/api/tags', undefined],
    ['GET', '/models/loaded', '/api/ps', undefined],
    ['DELETE', '/models/llama3.2', '/api/delete', undefined],
    ['POST', '/models/pull', '/api/pull', { name: 'anything' }],
  ])('%s %s: an error of %s is read to a bound', async (method, path, endpoint, body) => {
    server.ollama.fault(endpoint, 'endless500');
    const answer = await server.request(method, path, body);
    expectError(answer, 502, 'ollama_error');
    expect(answer.body.detail.error.message.length).toBeLessThan(600);
    await server.ollama.waitForAbort((request) => request.path === endpoint);
  });

  it.each(['endless', 'drip'] as const)('health answers all the same (%s)', async (fault) => {
    server.ollama.fault('/api/version', fault);
    expect((await server.get('/health')).body.ollama_connected).toBe(false);
    await server.ollama.waitForAbort(({ path }) => path === '/api/version');
  });

  it('a chat ends at a length that no model reaches, and keeps what came', async () => {
    const sessionId = await server.createSession();
    const mebibyte = 'word '.repeat((1024 * 1024) / 5);
    server.ollama.reply({ steps: text(...Array.from({ length: 40 }, () => mebibyte)).steps });
    const answer = await server.post(`/chat/${sessionId}`, { message: 'Go on for ever' });
    expectError(answer, 502, 'ollama_error');
    expect(answer.body.detail.error.message).toMatch(/has no end.*kept/);
    const [, part] = await server.messages(sessionId);
    expect(part.status).toBe('partial');
    expect(part.content.length).toBeGreaterThan(15 * mebibyte.length);
    expect(part.content.length).toBeLessThan(18 * mebibyte.length);
  });
});

it('answers that drip are left after the time for them', async () => {
  const server = await startTestServer({ config: { engineInfoTimeoutSeconds: 0.3 } });
  for (const [method, path, endpoint] of [
    ['GET', '/models', '/api/tags'],
    ['GET', '/models/loaded', '/api/ps'],
    ['DELETE', '/models/llama3.2', '/api/delete'],
  ] as const) {
    server.ollama.fault(endpoint, 'drip');
    const answer = await server.request(method, path);
    expectError(answer, 502, 'ollama_unreachable');
    expect(answer.body.detail.error.message).toMatch(/in time/);
  }
  await server.close();
});

it('a long list is described a few at a time, and all of it', async () => {
  const models = Array.from({ length: 60 }, (_, index) => ({
    name: `m${index}:latest`,
    digest: `d${index}`,
  }));
  let asking = 0;
  let most = 0;
  const ollama = await startStubOllama(async ({ path }) => {
    if (path !== '/api/show') return { body: { models } };
    asking += 1;
    most = Math.max(most, asking);
    await new Promise((resolve) => setTimeout(resolve, 5));
    asking -= 1;
    return { body: { capabilities: ['completion'] } };
  });
  const server = await startTestServer({ config: { ollamaHost: ollama.url } });
  expect((await server.get('/models')).body.models).toHaveLength(60);
  expect(most).toBeLessThanOrEqual(8);
  await server.close();
  await ollama.close();
});
