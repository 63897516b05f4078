// The framework's own errors: unknown paths and methods, in the envelope like all others.
import { readFileSync } from 'node:fs';
import { METHODS } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { sendRequest } from './raw-http.ts';
import { expectEnvelope, expectError, REQUEST_ID } from './wire-formats.ts';

const document: { paths: Record<string, object> } = JSON.parse(
  readFileSync(new URL('../../openapi.json', import.meta.url), 'utf8'),
);
/** Methods that some path has, a preflight, and what has no path. */
const ANSWERED = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'CONNECT']);
/** Every path of the document with the methods that it has, HEAD beside GET but where something is watched. */
const known = Object.entries(document.paths).map(([path, operations]): [string, string[]] => {
  const methods = Object.keys(operations).map((method) => method.toUpperCase());
  // Ollama's clients ask whether it has a file.
  const isAsked = path === '/api/blobs/{digest}';
  const hasHead = isAsked || (methods.includes('GET') && !/\/(stream|events)$/.test(path));
  return [path.replace(/\{\w+\}/g, '0'), hasHead ? [...methods, 'HEAD'] : methods];
});
const all: [string, string[]][] = [
  ...known,
  ['/docs', ['GET', 'HEAD']],
  ['/openapi.json', ['GET', 'HEAD']],
  ['/redoc', ['GET', 'HEAD']],
];

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

describe('404', () => {
  it.each([
    '/api/v1',
    '/sessions',
    '/api/v1/session',
    '/api/v1/Sessions',
    '/api/v1//sessions',
    '/api/v1/sessions/abc/nope',
    '/api/v1/sessions/abc/messages/0/1',
    '/api/v1/sessions/../../../etc/passwd',
    '/api/v1/chat',
    '/api/v1/turns',
    '/index.html',
    '/.env',
    '/%',
    '/api/v1/sessions/%zz',
    '/api/v1/sessions/%ff',
    '/api/v1/sessions/%c3%28',
    '/api/v1/models/%E0%A4%A',
  ])('for every method on %s', expectNotFound);

  it.each([
    ['path', `/api/v1/${'a'.repeat(8000)}`],
    ['id', `/api/v1/sessions/${'a'.repeat(8000)}/nope`],
  ])('for a very long %s', async (_what, path) => {
    await expectNotFound(path);
  });

  it.each(['/api', '/api/v2/sessions', '/api/push'])(
    'as Ollama has it where that is spoken: %s',
    async (path) => {
      const { status, text, headers } = await sendRequest(server.url, { path });
      expect([status, text]).toEqual([404, '404 page not found']);
      expect(headers.get('content-type')).toBe('text/plain; charset=utf-8');
    },
  );

  async function expectNotFound(path: string): Promise<void> {
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']) {
      const { status, text, headers } = await sendRequest(server.url, { method, path });
      expectEnvelope(JSON.parse(text), 'not_found');
      expect([status, headers.get('content-type')]).toEqual([404, 'application/json; charset=utf-8']);
      expect(headers.get('x-request-id')).toMatch(REQUEST_ID);
    }
  }

  it('comes before the body is looked at', async () => {
    expectError(await server.request('POST', '/nope', '{"broken'), 404, 'not_found');
    const text = { 'content-type': 'text/plain' };
    expectError(await server.request('POST', '/nope', 'text', text), 404, 'not_found');
  });

  it('does not repeat what was typed into the query', async () => {
    const answer = await server.get('/nope?secret=hunter2');
    expectError(answer, 404, 'not_found');
    expect(JSON.stringify(answer.body)).not.toContain('hunter2');
  });
});

/** Not of another program's API. */
const isOwn = (path: string) => !/^\/(?:v1|ai)\/|^\/api\/(?!v1\/)/.test(path);

describe('405', () => {
  it('knows every path', () => {
    expect(known.length).toBeGreaterThanOrEqual(16);
  });

  it.each(all)('on %s names the methods that there are', async (path, methods) => {
    const others = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'].filter(
      (name) => !methods.includes(name),
    );
    expect(others).not.toEqual([]);
    for (const method of others) {
      for (const target of [path, `${path}/`, `${path}?limit=1`]) {
        const { status, headers, text } = await sendRequest(server.url, { method, path: target });
        expect([status, method, target]).toEqual([405, method, target]);
        expect(headers.get('allow')?.split(', ').sort()).toEqual(methods.toSorted());
        if (method === 'HEAD') expect(text).toBe('');
        else if (isOwn(path)) expectEnvelope(JSON.parse(text), 'method_not_allowed');
        // Other APIs have shapes of their own.
        else expect(text).toMatch(/\S/);
      }
    }
  });

  it.each(METHODS.filter((method) => !ANSWERED.has(method)))(
    '%s: 405 on a path that is known, 404 on another',
    async (method) => {
      for (const path of ['/api/v1/sessions', '/api/v1/sessions/abc/messages', '/livez', '/docs']) {
        const { status, headers, text } = await sendRequest(server.url, { method, path });
        expectEnvelope(JSON.parse(text), 'method_not_allowed');
        expect([status, headers.get('allow')]).toEqual([405, expect.stringContaining('GET, HEAD')]);
      }
      const { status, text } = await sendRequest(server.url, { method, path: '/api/v1/nothing' });
      expectEnvelope(JSON.parse(text), 'not_found');
      expect(status).toBe(404);
    },
  );

  it('comes before the body is looked at', async () => {
    const answer = await server.request('PUT', '/sessions', '{"broken', { 'content-type': 'text/plain' });
    expectError(answer, 405, 'method_not_allowed');
  });
});
