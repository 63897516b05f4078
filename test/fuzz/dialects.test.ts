// What only the routes of dialects have: sessions named in the path or a header, bodies of any type, and errors that
// are told in the dialect's own shape, also where the framework or the parser refuses.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FUZZ_TIMEOUT_MS, fuzzRuns } from './fuzz-runs.ts';
import { hostileQueries, hostileSegments } from './hostile-targets.ts';
import { expectSane } from './judge.ts';
import { exchange, toBytes } from './wire.ts';
import { openWorld, type World } from './world.ts';

const MESSAGES = { model: 'llama3.2', messages: [{ role: 'user', content: 'Hello' }] };
const BODIES: Readonly<Record<string, object>> = {
  '/v1/chat/completions': MESSAGES,
  '/v1/responses': { model: 'llama3.2', input: 'Hello' },
  '/v1/messages': { ...MESSAGES, max_tokens: 64 },
  '/api/chat': { ...MESSAGES, stream: false },
  '/ai/chat': { id: 'a', messages: [{ id: 'm1', role: 'user', parts: [{ type: 'text', text: 'Hello' }] }] },
};
const paths = Object.keys(BODIES);

const TYPES = ['', 'text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', '*/*', 'a'];
const REPEATED = [[], [['x-stainless-retry-count', '1']], [['x-stainless-retry-count', 'NaN']]] as const;

function toBody(body: unknown): Buffer {
  return Buffer.from(JSON.stringify(body));
}

describe('dialects', { timeout: FUZZ_TIMEOUT_MS }, () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld();
  });
  afterAll(() => world.close());

  async function post(path: string, body: Buffer, headers: readonly (readonly [string, string])[] = []) {
    return world.attempt({ method: 'POST', target: path, headers, body });
  }

  it('any name of a session, any type of a body, sent again', async () => {
    const names = fc.oneof(hostileSegments, fc.constantFrom('none', 'new', 'auto', '0123456789'));
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...paths),
        fc.option(names),
        fc.option(names),
        hostileQueries,
        fc.constantFrom(...TYPES),
        fc.constantFrom(...REPEATED),
        async (...given) => {
          const [path, inPath, inHeader, query, type, repeated] = given;
          await world.place();
          const prefix = inPath === null || path.startsWith('/ai/') ? '' : `/s/${inPath}`;
          const headers: (readonly [string, string])[] = [['content-type', type], ...repeated];
          if (inHeader !== null) headers.push(['x-mochi-session', inHeader]);
          await post(`${prefix}${path}${query}`, toBody(BODIES[path]), headers);
        },
      ),
      fuzzRuns(120),
    );
  });

  it.each(paths)('%s: what the framework and the parser refuse', async (path) => {
    const body = toBody(BODIES[path]);
    const statuses = async (...asked: Promise<{ readonly status: number }>[]) =>
      (await Promise.all(asked)).map(({ status }) => status);
    const refused = await statuses(
      post(path, Buffer.from('{')),
      post(path, body, [['content-encoding', 'gzip']]),
      post(path, Buffer.from('{'), [['content-length', '10485761']]),
      post(path, body, [['x-long', 'x'.repeat(17_000)]]),
      post(path, body, [['expect', 'x']]),
      post(path, body, [['transfer-encoding', 'xchunked']]),
      post(path, body, [
        ['host', 'localhost'],
        ['host', 'evil.example'],
      ]),
      world.attempt({ method: 'PUT', target: path, body }),
      world.attempt({ method: 'GET', target: `${path}/a/b/c/d` }),
    );
    const invalid = path.startsWith('/ai/') ? 422 : 400;
    expect(refused).toEqual([invalid, 415, 413, 431, 400, 400, expect.toBeOneOf([400, 403]), 405, 404]);
  });

  it('10 MiB of a conversation are refused, and no session is left behind', async () => {
    const { server } = world;
    const list = async () => (await server.get('/sessions?unlisted=true&limit=1000')).body.sessions.length;
    const before = await list();
    for (const path of paths) {
      const text = JSON.stringify(BODIES[path])
        .replace('Hello', 'x'.repeat(9_900_000))
        .replace('"id":"a"', '"id":"long"');
      const request = { method: 'POST', target: path, body: Buffer.from(text) };
      const [answer] = await exchange(server.url, toBytes(request, new URL(server.url).host));
      if (answer === undefined) throw new Error(`${path}: closed without an answer`);
      await expectSane(request, answer, { url: server.url });
      expect([path, answer.status, await list()]).toEqual([path, 400, before]);
    }
  });

  it.each([
    ['/api/chat', { options: { temperature: 'hot' } }],
    ['/api/chat', { options: { num_ctx: '8192' } }],
    ['/api/chat', { options: { use_mmap: 1 } }],
    ['/api/chat', { keep_alive: '5 minutes' }],
    ['/api/chat', { keep_alive: '300' }],
    ['/api/chat', { messages: [], model: 'nomic-embed-text' }],
    ['/api/generate', { prompt: 'a', suffix: 'b' }],
    ['/api/embed', { input: 'a', keep_alive: 'long' }],
    ['/api/embed', { input: 'a', options: { seed: '1' } }],
    ['/v1/chat/completions', { options: { top_k: 'x' } }],
    ['/v1/completions', { prompt: 'a', suffix: 'b' }],
  ])('%s %j: a wish that the engine would refuse is a mistake of the client', async (path, wish) => {
    await world.place();
    expect((await post(path, toBody({ ...MESSAGES, ...wish }))).status).toBe(400);
  });

  it.each([0, '', '5m', '-1s', '1h30m', -1, null])('keep_alive %j is taken', async (wish) => {
    const asked = { ...MESSAGES, stream: false, keep_alive: wish };
    expect((await post('/api/chat', toBody(asked))).status).toBe(200);
  });
});
