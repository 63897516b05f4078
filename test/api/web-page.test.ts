// The page at `/` as files: what a browser is sent, how it may keep it, and nothing else of the disk.
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../support/test-server.ts';

let server: TestServer;
const asBrowser = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };

beforeAll(async () => {
  server = await startTestServer();
});

afterAll(() => server.close());

const read = (path: string, headers: Record<string, string> = {}) =>
  fetch(new URL(path, server.url), { headers });

async function assets(): Promise<string[]> {
  const html = await (await read('/', asBrowser)).text();
  return [...html.matchAll(/(?:src|href)="\.\/([^"]+)"/g)].map(([, name = '']) => name);
}

/** What the files are made of, packages as one: a budget that is broken names what to look at. */
function largest(files: readonly string[]): string {
  const made: Record<string, [string, number][]> = JSON.parse(
    readFileSync(new URL('../../dist/web/modules.json', import.meta.url), 'utf8'),
  );
  const parts = files.flatMap((name) => made[name] ?? []);
  const byName = Map.groupBy(parts, ([path]) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? path);
  return [...byName]
    .map(([name, own]) => [own.reduce((sum, [, size]) => sum + size, 0), name] as const)
    .toSorted(([one], [other]) => other - one)
    .slice(0, 20)
    .map(([size, name]) => `${size} ${name}`)
    .join('\n');
}

describe('the page', () => {
  it('is asked for anew each time, and sent once', async () => {
    const first = await read('/', asBrowser);
    expect([first.status, first.headers.get('content-type'), first.headers.get('cache-control')]).toEqual([
      200,
      'text/html; charset=utf-8',
      'no-cache',
    ]);
    const etag = first.headers.get('etag') ?? '';
    const again = await read('/', { ...asBrowser, 'if-none-match': etag });
    expect([again.status, await again.text()]).toEqual([304, '']);
  });

  it('lets no string become markup, and nothing of another host in', async () => {
    const policy = (await read('/', asBrowser)).headers.get('content-security-policy') ?? '';
    const rules = Object.fromEntries(
      policy.split('; ').map((rule) => {
        const [name = '', ...values] = rule.split(' ');
        return [name, values.join(' ')];
      }),
    );
    expect(rules).toEqual({
      'default-src': "'none'",
      'script-src': "'self'",
      'style-src': "'self'",
      'img-src': "'self' data: blob:",
      'connect-src': "'self'",
      'font-src': "'self'",
      'manifest-src': "'self'",
      'base-uri': "'none'",
      'form-action': "'none'",
      'frame-ancestors': "'none'",
      'require-trusted-types-for': "'script'",
      'trusted-types': "'none'",
    });
  });

  it('names its files from where it stands, and they last for ever', async () => {
    const names = await assets();
    expect(names.length).toBeGreaterThan(3);
    for (const name of names) {
      const response = await read(`/${name}`);
      expect([name, response.status, response.headers.get('x-content-type-options')]).toEqual([
        name,
        200,
        'nosniff',
      ]);
      const lasts = name.startsWith('assets/') ? 'public, max-age=31536000, immutable' : 'no-cache';
      expect(response.headers.get('cache-control')).toBe(lasts);
    }
  });

  it('is sent in as few bytes as the browser can read', async () => {
    const script = (await assets()).find((name) => name.endsWith('.js'));
    const sizes = await Promise.all(
      ['br, gzip', 'gzip', 'br;q=0, gzip;q=0.5', 'identity', 'br;q=0'].map(async (accepted) => {
        const response = await read(`/${script}`, { 'accept-encoding': accepted });
        return response.headers.get('content-encoding');
      }),
    );
    expect(sizes).toEqual(['br', 'gzip', 'gzip', null, null]);
  });

  it('is within its budget: the first load at most 110 kB', async () => {
    const names = ['', ...(await assets())];
    const sizes = await Promise.all(
      names.map(async (name) => {
        const headers = { ...(name === '' ? asBrowser : {}), 'accept-encoding': 'gzip' };
        return Number((await read(`/${name}`, headers)).headers.get('content-length'));
      }),
    );
    const total = sizes.reduce((sum, size) => sum + size, 0);
    expect(total).toBeGreaterThan(20_000);
    expect(largest(names)).toMatch(/^\d+ markdown-it$/m);
    expect(total, `The largest parts of it, in bytes:\n${largest(names)}`).toBeLessThanOrEqual(110_000);
  });

  it.each([
    '/assets/none.js',
    '/assets/..%2f..%2fpackage.json',
    '/assets/..%2ffiles.json',
    '/assets/.built',
    '/assets/%00',
    '/files.json',
    '/index.html',
  ])('%s is nothing', async (path) => {
    const response = await read(path, asBrowser);
    expect(response.status).toBe(404);
    expect(((await response.json()) as any).detail.error.code).toBe('not_found');
  });
});

it('opens without a key where the server wants one, since it holds nothing of anybody', async () => {
  await server.restart({ apiKeys: ['a-key-of-sixteen-characters'] });
  for (const path of ['/', ...(await assets()).map((name) => `/${name}`)])
    expect([path, (await read(path, asBrowser)).status]).toEqual([path, 200]);
  expect((await read('/api/v1/sessions')).status).toBe(401);
  await server.restart({ apiKeys: [] });
});

it('is not there where it is switched off', async () => {
  const [script] = await assets();
  await server.restart({ webEnabled: false });
  expect(await (await read('/', asBrowser)).text()).toContain('MOCHI_WEB_ENABLED');
  expect((await read(`/${script}`)).status).toBe(404);
  await server.restart({ webEnabled: true });
});
