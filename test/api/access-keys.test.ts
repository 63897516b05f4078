// API keys: where they are set, nothing but the probes answers without one.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { sendRequest } from './raw-http.ts';
import { expectEnvelope, expectError } from './wire-formats.ts';

const KEYS = ['sk-first-key', 'sk-second=key:with,signs'];

describe('with MOCHI_API_KEYS', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ config: { apiKeys: KEYS } });
  });
  afterAll(() => server.close());

  const paths = [
    ['GET', '/api/v1/health'],
    ['GET', '/api/v1/models'],
    ['GET', '/api/v1/sessions'],
    ['POST', '/api/v1/sessions'],
    ['GET', '/api/v1/sessions/abc'],
    ['DELETE', '/api/v1/sessions/abc'],
    ['POST', '/api/v1/chat/abc'],
    ['POST', '/api/v1/chat/abc/stream'],
    ['GET', '/api/v1/turns/abc'],
    ['GET', '/openapi.json'],
    ['GET', '/docs/json'],
    ['GET', '/docs/no-such-page'],
    ['GET', '/docs/../api/v1/sessions'],
    ['GET', '/no/such/path'],
    ['PATCH', '/api/v1/health'],
    ['GET', '/api/v1/sessions/%zz'],
    ['GET', '/livez/../api/v1/sessions'],
    ['GET', '//livez'],
    ['HEAD', '/api/v1/sessions'],
    ['GET', '/api/v1/sessions?path=/livez'],
  ] as const;
  it.each(paths)('%s %s needs a key', async (method, path) => {
    const answer = await sendRequest(server.url, { method, path });
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
    if (method !== 'HEAD') expectEnvelope(JSON.parse(answer.text), 'unauthorized');
  });

  it.each(KEYS.flatMap((key) => [`Bearer ${key}`, `bearer ${key}`, `BEARER ${key}`, `Bearer  ${key} `]))(
    '"%s" is let in',
    async (authorization) => {
      expect((await server.get('/sessions', { authorization })).status).toBe(200);
      expectError(await server.get('/sessions/abc', { authorization }), 404, 'session_not_found');
    },
  );

  it.each([
    ['no key', {}, /asks for an API key.*MOCHI_API_KEYS/],
    ['another scheme', { authorization: `Basic ${KEYS[0]}` }, /asks for an API key/],
    ['a wrong key', { authorization: 'Bearer sk-other' }, /none of the server.*MOCHI_API_KEYS/],
  ])('tells %s as what it is', async (_what, headers, text) => {
    const { body } = await server.get('/sessions', headers);
    expect(body.detail.error.message).toMatch(text);
    expect(body.detail.error.message).not.toContain('sk-');
  });

  it.each([
    'Bearer',
    'Bearer ',
    'Bearer wrong',
    'Bearer sk-first-ke',
    'Bearer sk-first-key1',
    'Bearer SK-FIRST-KEY',
    'Bearer sk-first-key sk-second=key:with,signs',
    `Bearer ${KEYS.join(',')}`,
    'sk-first-key',
    'Basic sk-first-key',
    `Basic ${btoa('user:sk-first-key')}`,
    'Token sk-first-key',
    `Bearer ${'x'.repeat(10_000)}`,
  ])('"%.40s" is not', async (authorization) => {
    const answer = await server.get('/sessions', { authorization });
    expect(expectError(answer, 401, 'unauthorized')).toEqual({});
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    expect(JSON.stringify(answer.body)).not.toContain('sk-');
  });

  it.each(['x-api-key', 'api-key'])(
    'a key may stand in %s, as clients of other APIs send it',
    async (name) => {
      expect((await server.get('/sessions', { [name]: KEYS[1] ?? '' })).status).toBe(200);
      // They send one in any case: that of ours counts, wherever it is.
      const both = { [name]: 'sk-first-key', authorization: 'Bearer sk-of-another-service' };
      expect((await server.get('/sessions', both)).status).toBe(200);
      expectError(await server.get('/sessions', { [name]: 'sk-other' }), 401, 'unauthorized');
    },
  );

  it('a key in the address or in another header does not count', async () => {
    const headers = { 'x-key': 'sk-first-key', cookie: 'authorization=sk-first-key' };
    expectError(await server.get('/sessions?key=sk-first-key', headers), 401, 'unauthorized');
  });

  it.each(['/livez', '/readyz', '/livez/', '/livez?verbose=1'])('%s stays open', async (path) => {
    expect((await server.get(path)).status).toBe(200);
  });

  it.each(['/', '/docs', '/docs/', '/docs/static/docs.js', '/redoc'])(
    '%s opens: a page asks people for the key, and holds nothing of anybody',
    async (path) => {
      const response = await fetch(server.url + path, { headers: { accept: 'text/html' } });
      expect(response.status).toBe(200);
      expect(await response.text()).not.toContain('openapi":');
    },
  );

  it('a preflight, which cannot carry a key, stays open', async () => {
    const origin = 'http://localhost:5173';
    const { status, headers } = await sendRequest(server.url, {
      method: 'OPTIONS',
      path: '/api/v1/sessions',
      headers: {
        origin,
        'access-control-request-method': 'GET',
        'access-control-request-headers': 'authorization',
      },
    });
    expect([status, headers.get('access-control-allow-origin')]).toEqual([204, origin]);
    expect(headers.get('access-control-allow-headers')).toBe('authorization');
    const refused = await server.get('/sessions', { origin });
    expectError(refused, 401, 'unauthorized');
    // Readable: a page must learn that it needs a key.
    expect(refused.headers.get('access-control-allow-origin')).toBe(origin);
  });

  it('the key comes before the body: a stranger cannot learn or store anything', async () => {
    expectError(await server.post('/sessions', '{"model"'), 401, 'unauthorized');
    expectError(await server.post('/sessions', { model: 'llama3.2' }), 401, 'unauthorized');
    const { body } = await server.get('/sessions', { authorization: `Bearer ${KEYS[0]}` });
    expect(body.sessions).toEqual([]);
    expect(server.ollama.requests).toEqual([]);
  });

  it('a whole chat works with one', async () => {
    const headers = { authorization: `Bearer ${KEYS[1]}` };
    const created = await server.post('/sessions', { model: 'llama3.2' }, headers);
    const path = `/chat/${created.body.session_id}/stream`;
    const stream = await server.stream(path, { message: 'Hi' }, headers);
    expect((await stream.all()).at(-1)).toMatchObject({ event: 'done', data: { state: 'completed' } });
  });
});

it('without keys, a bearer is not looked at', async () => {
  const server = await startTestServer();
  expect((await server.get('/sessions', { authorization: 'Bearer anything' })).status).toBe(200);
  await server.close();
});
