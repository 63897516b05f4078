// The page with the documentation works without internet: everything that it loads comes from this server.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { VERSION } from '../../src/version.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ config: { webEnabled: false } });
});
afterAll(() => server.close());

/** What a browser loads of a page: sources of scripts and images, targets of links, the base. */
function listAssets(html: string): string[] {
  return [...html.matchAll(/\b(?:src|href|action|data-url)\s*=\s*["']?([^"'\s>]+)/g)].map(
    ([, url = '']) => url,
  );
}

describe.each(['/docs', '/docs/'])('GET %s', (path) => {
  it('is a page whose assets are all here', async () => {
    const { status, body, headers } = await server.get(path);
    expect([status, headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    const assets = listAssets(body);
    expect(assets.filter((asset) => asset.endsWith('.js'))).toHaveLength(2);
    for (const asset of assets) {
      const url = new URL(asset, `${server.url}${path}`);
      expect(url.origin).toBe(server.url);
      const response = await fetch(url);
      expect([asset, response.status]).toEqual([asset, 200]);
      expect((await response.arrayBuffer()).byteLength).toBeGreaterThan(100);
    }
  });

  it('names no other host', async () => {
    const { body } = await server.get(path);
    expect(body).not.toMatch(/(https?:)?\/\/[a-z]/i);
  });
});

describe('the assets', () => {
  it('style sheets import nothing and load nothing from elsewhere', async () => {
    for (const name of ['swagger-ui.css', 'page.css']) {
      const css = await (await fetch(`${server.url}/docs/static/${name}`)).text();
      expect(css).not.toMatch(/@import/);
      for (const [url] of css.matchAll(/url\(["']?[^)]{0,10}/g)) expect(url).toMatch(/^url\(["']?data:/);
    }
  });

  it('the page reads the document of this server, and asks no validator on the internet', async () => {
    const script = await (await fetch(`${server.url}/docs/static/docs.js`)).text();
    expect(script).toMatch(/validatorUrl: ?null/);
    expect(script.match(/https?:\/\/\S*/g)).toBeNull();
    const target = /fetch\(new URL\('(\w+)', docs\)/.exec(script)?.[1];
    const read = await server.get(`/docs/${target}`);
    expect(read.body).toEqual((await server.get('/openapi.json')).body);
  });

  it('one that is not there is 404 in the envelope', async () => {
    const { status, body } = await server.get('/docs/static/no-such-file.js');
    expect([status, body.detail.error.code]).toEqual([404, 'not_found']);
  });

  it.each([
    ['an encoded slash', '..%2f..%2fpackage.json'],
    ['encoded dots', '%2e%2e/%2e%2e/package.json'],
    ['a backslash', '..%5c..%5cpackage.json'],
    ['NUL', '%00'],
    ['a name without end', 'a'.repeat(5000)],
    ['a member of every object', '__proto__'],
  ])('none leads out of their folder or out of the envelope: %s', async (_what, path) => {
    const response = await fetch(`${server.url}/docs/static/${path}`);
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(response.status).toBeLessThan(500);
    expect(await response.json()).toMatchObject({ detail: { error: { code: expect.any(String) } } });
  });
});

it.each(['/redoc', '/redoc/'])('GET %s leads to the page', async (path) => {
  const { status, headers } = await server.get(path);
  expect([status, headers.get('location')]).toEqual([302, '/docs']);
  const followed = await fetch(`${server.url}${path}`);
  expect(followed.headers.get('content-type')).toBe('text/html; charset=utf-8');
});

it.each(['', '/mochi', '/a/b-1/'])('behind the path "%s" of a proxy, everything is found', async (prefix) => {
  const { status, headers } = await server.get('/redoc', { 'x-forwarded-prefix': prefix });
  const path = `${prefix.replace(/\/$/, '')}/docs`;
  expect([status, headers.get('location')]).toEqual([302, path]);
  // A browser knows the page by its address there, with a slash at its end or without.
  for (const slash of ['', '/']) {
    const { body } = await server.get(`/docs${slash}`);
    for (const asset of listAssets(body)) {
      const { pathname } = new URL(asset, `http://proxy.example${path}${slash}`);
      expect(pathname.startsWith(`${path}/static/`)).toBe(true);
      const here = await fetch(server.url + pathname.slice(path.length - '/docs'.length));
      expect(here.status).toBe(200);
    }
  }
});

it.each([
  '//evil.example',
  'https://evil.example',
  '/a/../b',
  '/a b',
  '/a?b',
  'mochi',
  `/${'a'.repeat(2000)}`,
])('what is no plain path is no prefix: %.30s', async (prefix) => {
  const { headers } = await server.get('/redoc', { 'x-forwarded-prefix': prefix });
  expect(headers.get('location')).toBe('/docs');
});

const asBrowser = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };

describe.each(['/', '/docs', '/docs/'])('the page at %s', (path) => {
  it('may load nothing from elsewhere, and be framed by nobody', async () => {
    const { status, headers } = await fetch(server.url + path, { headers: asBrowser });
    expect([status, headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    const policy = new Map(
      (headers.get('content-security-policy') ?? '')
        .split('; ')
        .map((rule): [string, string] => [rule.split(' ', 1)[0] ?? '', rule]),
    );
    expect(policy.get('default-src')).toBe("default-src 'none'");
    expect(policy.get('frame-ancestors')).toBe("frame-ancestors 'none'");
    expect(policy.get('script-src')).toBe("script-src 'self'");
    expect([...policy.values()].join()).not.toMatch(/unsafe|\*|https?:/);
    expect([headers.get('x-frame-options'), headers.get('x-content-type-options')]).toEqual([
      'DENY',
      'nosniff',
    ]);
  });

  it('holds no script and no style of its own, which its policy would stop', async () => {
    const html = await (await fetch(server.url + path, { headers: asBrowser })).text();
    expect(html).not.toMatch(/<style|style=|<script>|\son\w+=/);
  });
});

describe('the root', () => {
  it('greets a person in a browser, with links that lead somewhere', async () => {
    const html = await (await fetch(`${server.url}/`, { headers: asBrowser })).text();
    expect(html).toContain('mochi-server is running');
    for (const asset of listAssets(html)) {
      expect(asset).not.toMatch(/^\/|^https?:/);
      expect([asset, (await fetch(new URL(asset, `${server.url}/`))).status]).toEqual([asset, 200]);
    }
  });

  it('greets a person at a terminal in a line', async () => {
    const response = await fetch(`${server.url}/`);
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(response.headers.get('vary')).toContain('accept');
    // The words by which programs know an Ollama; those that greet people where none is looked for.
    expect(await response.text()).toBe('Ollama is running');
    await server.restart({ dialects: [] });
    const greeting = await (await fetch(`${server.url}/`)).text();
    expect(greeting).toMatch(/^mochi-server is running.*\/docs\.\n$/);
  });

  it.each([
    ['application/json', 'json'],
    ['Application/JSON; charset=utf-8', 'json'],
    ['text/html;q=0.5, application/json', 'json'],
    ['application/json, text/html', 'html'],
    ['text/html, application/json;q=0.9', 'html'],
    ['application/json;q=0, text/html;q=0.1', 'html'],
    ['application/json;q=0', 'plain'],
    ['application/json;q=nonsense', 'plain'],
    ['application/jsonl', 'plain'],
    ['*/*', 'plain'],
    ['text/*', 'plain'],
    ['', 'plain'],
  ])('gives who accepts %j its own form: %s', async (accept, form) => {
    const response = await fetch(`${server.url}/`, { headers: { accept } });
    expect([response.status, response.headers.get('content-type')]).toEqual([
      200,
      expect.stringMatching(new RegExp(`/${form};`)),
    ]);
  });

  it('tells a program who it is, and where things are, under the prefix of a proxy, too', async () => {
    const read = async (headers: Record<string, string> = {}) => {
      const given = { accept: 'application/json', ...headers };
      return (await fetch(`${server.url}/`, { headers: given })).json();
    };
    const name = 'mochi-server';
    expect(await read()).toEqual({ name, version: VERSION, docs: '/docs', api: '/api/v1' });
    const behind = { name, version: VERSION, docs: '/mochi/docs', api: '/mochi/api/v1' };
    expect(await read({ 'x-forwarded-prefix': '/mochi' })).toEqual(behind);
  });

  it('has no other methods', async () => {
    const response = await fetch(`${server.url}/`, { method: 'POST' });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });
});
