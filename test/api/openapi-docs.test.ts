// The page with the documentation works without internet: everything that it loads comes from this server.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../support/test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
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
    expect(assets.filter((asset) => asset.endsWith('.js'))).toHaveLength(3);
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
    for (const name of ['swagger-ui.css', 'index.css']) {
      const css = await (await fetch(`${server.url}/docs/static/${name}`)).text();
      expect(css).not.toMatch(/@import/);
      for (const [url] of css.matchAll(/url\(["']?[^)]{0,10}/g)) expect(url).toMatch(/^url\(["']?data:/);
    }
  });

  it('the page reads the document of this server, and asks no validator on the internet', async () => {
    const script = await (await fetch(`${server.url}/docs/static/swagger-initializer.js`)).text();
    expect(script).toMatch(/validatorUrl: ?null/);
    const code = script.replaceAll(/^\s*\/\/.*$/gm, '');
    expect(code.match(/https?:\/\/\S*/g)).toBeNull();
    const target = /url: resolveUrl\('\.(\/[^']+)'\)/.exec(script)?.[1];
    const read = await server.get(`/docs${target}`);
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
