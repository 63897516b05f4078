// Who may ask from where: DNS rebinding and foreign pages meet a closed door.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Config } from '../../src/config.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { type RawAnswer, sendBytes, sendRequest } from './raw-http.ts';
import { expectEnvelope } from './wire-formats.ts';

const SESSIONS = '/api/v1/sessions';

function serveWith(config: Partial<Config> = {}): { readonly server: TestServer; readonly url: string } {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ config });
  });
  afterAll(() => server.close());
  return {
    get server() {
      return server;
    },
    get url() {
      return server.url;
    },
  };
}

function expectRefused({ status, text, headers }: RawAnswer): void {
  expectEnvelope(JSON.parse(text), 'host_not_allowed');
  expect([status, headers.get('access-control-allow-origin')]).toEqual([403, null]);
}

const post = (url: string, headers: Record<string, string>) =>
  sendRequest(url, {
    method: 'POST',
    path: SESSIONS,
    headers: { 'content-type': 'application/json', ...headers },
    body: '{"model":"llama3.2"}',
  });

const preflight = (url: string, origin: string) =>
  sendRequest(url, {
    method: 'OPTIONS',
    path: SESSIONS,
    headers: {
      origin,
      'access-control-request-method': 'PATCH',
      'access-control-request-headers': 'content-type',
    },
  });

describe('Host, on a loopback address', () => {
  const tested = serveWith({ allowedHosts: ['chat.example.com', 'fd00::1'] });

  it.each([
    'localhost',
    'localhost:8000',
    'LOCALHOST:1',
    '127.0.0.1',
    '127.8.9.1:99',
    '[::1]:8000',
    '[::ffff:127.0.0.1]',
    'mochi.localhost',
    // As containers name this machine.
    'host.docker.internal:8000',
    'gateway.docker.internal',
    'host.containers.internal',
    'chat.example.com',
    'Chat.Example.com:8443',
    '[fd00::1]:80',
  ])('%s is answered', async (host) => {
    expect((await sendRequest(tested.url, { path: SESSIONS, headers: { host } })).status).toBe(200);
    expect((await post(tested.url, { host })).status).toBe(201);
  });

  it.each([
    'evil.example',
    'evil.example:8000',
    'chat.example.com.evil.example',
    'evil-chat.example.com',
    'localhost.evil.example',
    'localhost@evil.example',
    'notlocalhost',
    '192.168.1.5',
    '0.0.0.0',
    '[::]',
    '[2001:db8::1]:80',
    '128.0.0.1',
    ' ',
    'a b',
    ':8000',
  ])('"%s" gets 403, on every path and method', async (host) => {
    expectRefused(await sendRequest(tested.url, { path: SESSIONS, headers: { host } }));
    expectRefused(await post(tested.url, { host }));
    for (const path of ['/livez', '/docs', '/openapi.json', '/no/such/path']) {
      expectRefused(await sendRequest(tested.url, { path, headers: { host } }));
    }
  });

  it('is not taken from a forwarded header', async () => {
    const headers = { host: 'evil.example', 'x-forwarded-host': 'localhost', forwarded: 'host=localhost' };
    expectRefused(await sendRequest(tested.url, { path: SESSIONS, headers }));
  });

  it('is checked on an address that cannot be decoded, too', async () => {
    const headers = { host: 'evil.example' };
    expectRefused(await sendRequest(tested.url, { path: '/api/v1/sessions/%zz', headers }));
  });

  it('must be there', async () => {
    const answer = await sendBytes(tested.url, 'GET /livez HTTP/1.0\r\n\r\n');
    expectRefused(answer);
  });

  it('nothing is written for a foreign name', async () => {
    const count = async () => (await tested.server.get('/sessions')).body.sessions.length;
    const before = await count();
    await post(tested.url, { host: 'evil.example' });
    await post(tested.url, { origin: 'https://evil.example' });
    expect(await count()).toBe(before);
  });
});

describe('Host, on an address of the network', () => {
  const tested = serveWith({ host: '0.0.0.0', allowUnauthenticated: true });

  it('may be any name: nobody knows which one leads here', async () => {
    const url = tested.url.replace('0.0.0.0', '127.0.0.1');
    expect((await sendRequest(url, { path: SESSIONS, headers: { host: 'any.example' } })).status).toBe(200);
  });

  it('must be the one of the address where that is whole', async () => {
    const url = tested.url.replace('0.0.0.0', '127.0.0.1');
    for (const [host, status] of [
      ['any.example', 200],
      ['ANY.example:80', 200],
      ['other.example', 403],
    ] as const) {
      const bytes = `GET http://${host}/livez HTTP/1.1\r\nhost: any.example\r\nconnection: close\r\n\r\n`;
      expect((await sendBytes(url, bytes)).status).toBe(status);
    }
  });

  it('a page that the server itself is named by may write, another may not', async () => {
    const url = tested.url.replace('0.0.0.0', '127.0.0.1');
    const own = { host: 'any.example:80', origin: 'http://any.example:80' };
    const other = { host: 'any.example', origin: 'http://evil.example' };
    expect((await post(url, { ...own, host: 'any.example' })).status).toBe(201);
    expectRefused(await post(url, other));
  });
});

describe('Origin, by default', () => {
  const tested = serveWith();

  const local = [
    'http://localhost:5173',
    'https://localhost',
    'http://127.0.0.1:3000',
    'http://[::1]:8080',
    'http://app.localhost',
    'tauri://localhost',
    // What no page of the web can have.
    'app://obsidian.md',
    'vscode-webview://1f4c0a',
    'capacitor://chat',
    'chrome-extension://abcdefghijklmnop',
    'moz-extension://0b1c2d3e',
  ];
  it.each(local)('%s may read and write, without credentials', async (origin) => {
    for (const answer of [
      await sendRequest(tested.url, { path: SESSIONS, headers: { origin } }),
      await post(tested.url, { origin }),
      await preflight(tested.url, origin),
    ]) {
      expect(answer.status).toBeLessThan(300);
      expect(answer.headers.get('access-control-allow-origin')).toBe(origin);
      expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
      expect(answer.headers.get('vary')).toMatch(/\borigin\b/i);
    }
  });

  const foreign = [
    'https://evil.example',
    'http://localhost.evil.example',
    'http://evil.example/?localhost',
    'http://127.0.0.1.nip.io',
    'http://192.168.1.5:8000',
    'null',
    'app.evil.example://x',
    'https://app//x',
    'localhost',
    'file://',
    '',
  ];
  it.each(foreign)('"%s" may not write, and no browser shows it an answer', async (origin) => {
    expectRefused(await post(tested.url, { origin }));
    const read = await sendRequest(tested.url, { path: SESSIONS, headers: { origin } });
    const asked = await preflight(tested.url, origin);
    for (const { headers } of [read, asked]) {
      expect([...headers.keys()].filter((name) => name.startsWith('access-control-allow-origin'))).toEqual(
        [],
      );
      expect(headers.get('access-control-allow-credentials')).toBeNull();
    }
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])(
    'a foreign page may not %s, whatever the path',
    async (method) => {
      for (const path of ['/api/v1/sessions/abc', '/api/v1/chat/abc', '/no/such/path', '/livez']) {
        const headers = { origin: 'https://evil.example' };
        expectRefused(await sendRequest(tested.url, { method, path, headers }));
      }
    },
  );

  it('a preflight of another origin is refused with words, and OPTIONS without one tells the methods', async () => {
    const refused = await preflight(tested.url, 'https://elsewhere.example');
    expect([refused.status, JSON.parse(refused.text)]).toMatchObject([
      403,
      {
        detail: {
          error: { code: 'host_not_allowed', message: expect.stringContaining('MOCHI_CORS_ORIGINS') },
        },
      },
    ]);
    const plain = await fetch(`${tested.url}/api/v1/sessions`, { method: 'OPTIONS' });
    expect([plain.status, plain.headers.get('allow')]).toEqual([204, 'POST, GET, HEAD, OPTIONS']);
  });

  it('a preflight names every method, and headers that a script may read', async () => {
    const { headers } = await preflight(tested.url, 'http://localhost:5173');
    const methods = headers.get('access-control-allow-methods')?.split(/, */);
    expect(methods).toEqual(expect.arrayContaining(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']));
    expect(headers.get('access-control-allow-headers')).toBe('content-type');
    const answer = await sendRequest(tested.url, {
      path: SESSIONS,
      headers: { origin: 'http://localhost:1' },
    });
    const exposed = answer.headers.get('access-control-expose-headers')?.split(/, */);
    expect(exposed).toEqual(expect.arrayContaining(['x-request-id', 'x-turn-id', 'location']));
  });

  it.each([
    ['http://localhost:5173', 'true'],
    ['https://evil.example', null],
  ])('a preflight from the internet into a private network: %s', async (origin, allowed) => {
    const { headers } = await sendRequest(tested.url, {
      method: 'OPTIONS',
      path: SESSIONS,
      headers: {
        origin,
        'access-control-request-method': 'GET',
        'access-control-request-private-network': 'true',
      },
    });
    expect(headers.get('access-control-allow-private-network')).toBe(allowed);
    // Only where it was asked for.
    const asked = await preflight(tested.url, origin);
    expect(asked.headers.get('access-control-allow-private-network')).toBeNull();
  });

  it('errors are readable for a page that may read', async () => {
    const origin = 'http://localhost:5173';
    for (const path of ['/api/v1/sessions/abc', '/no/such/path']) {
      const { status, headers } = await sendRequest(tested.url, { path, headers: { origin } });
      expect([status, headers.get('access-control-allow-origin')]).toEqual([404, origin]);
    }
  });

  it('streams are readable for a page that may read, and for no other', async () => {
    for (const [origin, allowed] of [
      ['http://localhost:5173', 'http://localhost:5173'],
      [undefined, null],
    ] as const) {
      const sessionId = await tested.server.createSession();
      const { headers, text } = await sendRequest(tested.url, {
        method: 'POST',
        path: `/api/v1/chat/${sessionId}/stream`,
        headers: { 'content-type': 'application/json', ...(origin !== undefined && { origin }) },
        body: '{"message":"Hi"}',
      });
      expect(text).toContain('event: done');
      expect(headers.get('access-control-allow-origin')).toBe(allowed);
    }
  });
});

describe('Origin, with a list', () => {
  const tested = serveWith({ corsOrigins: ['https://chat.example.com', 'http://localhost:3000'] });

  it.each([
    ['https://chat.example.com', 201],
    ['http://localhost:3000', 201],
    ['http://localhost:3001', 403],
    ['http://chat.example.com', 403],
    ['https://chat.example.com:8443', 403],
    ['https://chat.example.com.evil.example', 403],
    ['https://evil.example', 403],
  ])('%s gets %i', async (origin, status) => {
    const answer = await post(tested.url, { origin });
    expect(answer.status).toBe(status);
    const allowed = (await preflight(tested.url, origin)).headers.get('access-control-allow-origin');
    expect(allowed).toBe(status === 201 ? origin : null);
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
  });
});

describe('Origin, with *', () => {
  const tested = serveWith({ corsOrigins: '*' });

  it.each(['https://any.example', 'http://localhost:1', 'null'])(
    '%s may do everything, without credentials',
    async (origin) => {
      for (const answer of [
        await sendRequest(tested.url, { path: SESSIONS, headers: { origin } }),
        await post(tested.url, { origin }),
        await preflight(tested.url, origin),
      ]) {
        expect(answer.status).toBeLessThan(300);
        expect(['*', origin]).toContain(answer.headers.get('access-control-allow-origin'));
        expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
      }
    },
  );

  it('the Host is checked all the same', async () => {
    expectRefused(await post(tested.url, { host: 'evil.example', origin: 'https://any.example' }));
  });
});
