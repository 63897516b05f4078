// `fetch_url` over real sockets: what it may reach, what becomes of an answer, and each way in that must stay shut.
import type { LookupAddress } from 'node:dns';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Resolve } from '../../src/tools/builtin/fetch/checked-lookup.ts';
import { fetchUrl } from '../../src/tools/builtin/fetch/fetch-url.ts';
import { runnerOf } from '../support/run-builtin.ts';

const ADDRESSES: Readonly<Record<string, readonly string[]>> = {
  'site.example': ['127.0.0.1'],
  'inside.example': ['10.0.0.1'],
  'mixed.example': ['93.184.216.34', '127.0.0.1'],
  'mapped.example': ['::ffff:127.0.0.1'],
  'metadata.example': ['169.254.169.254'],
  'nowhere.example': [],
};

const seen: string[] = [];
const routes: Readonly<Record<string, RequestListener>> = {
  '/text': (request, response) => {
    response.setHeader('content-type', 'text/plain; charset=iso-8859-1');
    response.end(Buffer.from(`gr\u00fc\u00dfe an ${request.headers.host?.split(':')[0]}`, 'latin1'));
  },
  '/page': (_request, response) => {
    response.setHeader('content-type', 'text/html');
    response.end('<meta charset="utf-8"><title>Tëst</title><p>Hello <a href="/text">there</a>');
  },
  '/zipped': (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
    response.end(gzipSync('{"a":1}'));
  },
  '/bomb': (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/plain', 'content-encoding': 'gzip' });
    response.end(gzipSync(Buffer.alloc(64 * 1024 * 1024, 'a')));
  },
  '/endless': (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/plain' });
    const more = (): void => {
      while (!response.destroyed && response.write('b'.repeat(64 * 1024)));
      if (!response.destroyed) response.once('drain', more);
    };
    more();
  },
  '/image': (_request, response) => response.writeHead(200, { 'content-type': 'image/png' }).end('PNG'),
  '/gone': (_request, response) =>
    response.writeHead(404, { 'content-type': 'text/html' }).end('<h1>Not here</h1>'),
  '/silent': () => undefined,
  '/broken': (_request, response) => response.destroy(),
  '/rubbish': (_request, response) => response.socket?.end('SSH-2.0-OpenSSH_9.9\r\n'),
};

describe('fetch_url', () => {
  const server = createServer((request, response) => {
    const { url = '' } = request;
    seen.push(url);
    const to = /^\/to\/(.*)$/.exec(url)?.[1];
    const hops = /^\/hops\/(\d+)$/.exec(url)?.[1];
    if (to !== undefined) response.writeHead(302, { location: decodeURIComponent(to) }).end();
    else if (hops !== undefined) {
      response.writeHead(307, { location: hops === '1' ? '/text' : `/hops/${Number(hops) - 1}` }).end();
    } else routes[url]?.(request, response);
  });
  let port = 0;
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    ({ port } = server.address() as AddressInfo);
  });
  afterAll(() => server.closeAllConnections() ?? server.close());

  let lookups = 0;
  const resolve: Resolve = async (host) => {
    lookups += 1;
    // Its second answer is another: who looks first and connects later is led inside.
    if (host === 'rebinding.example') return asFound(lookups % 2 === 1 ? ['127.0.0.1'] : ['10.0.0.1']);
    const found = ADDRESSES[host];
    if (found === undefined) throw Object.assign(new Error('no such host'), { code: 'ENOTFOUND' });
    return asFound(found);
  };
  const open = runnerOf(fetchUrl({ fetchAllow: ['127.0.0.1'], version: '1' }, resolve));
  const shut = runnerOf(fetchUrl({ fetchAllow: [], version: '1' }, resolve));
  const at = (path: string, host = 'site.example') => ({ url: `http://${host}:${port}${path}` });

  it('reads texts in their letters, pages as text, and what is packed', async () => {
    expect(await open(at('/text'))).toMatchObject({ state: 'succeeded', text: 'grüße an site.example' });
    expect(await open(at('/page'))).toMatchObject({
      text: `Tëst\n\nHello there\n\nLinks:\n- there: http://site.example:${port}/text`,
    });
    expect(await open(at('/zipped'))).toMatchObject({ state: 'succeeded', text: '{"a":1}' });
    expect(await open(at('/hops/5'))).toMatchObject({ text: 'grüße an site.example' });
  });

  it('stops at two megabytes, whatever they are packed in', async () => {
    for (const path of ['/bomb', '/endless']) {
      const { state, text } = await open(at(path));
      expect(state).toBe('succeeded');
      expect(text.length).toBeLessThan(1.1 * 1024 * 1024);
      expect(text.endsWith('[it is longer; the rest was not fetched]')).toBe(true);
    }
  });

  it.each([
    ['/image', 'It is no text, but image/png.'],
    ['/gone', 'site.example answered 404: # Not here'],
    ['/broken', 'site.example broke the connection off.'],
    ['/rubbish', 'site.example '],
    ['/hops/6', 'It was sent on more than 5 times.'],
    ['/to/ftp%3A%2F%2Fsite.example%2F', 'Only http and https can be fetched, not ftp:'],
    ['/to/file%3A%2F%2F%2Fetc%2Fpasswd', 'Only http and https can be fetched, not file:'],
    ['/to/http%3A%2F%2F%5B', 'is no URL'],
  ])('%s fails in words', async (path, words) => {
    expect(await open(at(path))).toMatchObject({ state: 'failed', text: expect.stringContaining(words) });
  });

  it.each([
    ['no url', 'is no URL such as https://example.com/page'],
    ['file:///etc/passwd', 'Only http and https'],
    ['data:text/plain,x', 'Only http and https'],
    ['http://user:secret@site.example/', 'must not hold a password'],
    ['http://nowhere.example/', 'There is no host nowhere.example'],
    ['http://unknown.example/', 'unknown.example is not known'],
    ['http://site.example:22/', 'bad port'],
    ['http://site.example:1/', 'bad port'],
  ])('%s fails in words', async (url, words) => {
    expect(await open({ url })).toMatchObject({ state: 'failed', text: expect.stringContaining(words) });
  });

  it.each([
    'site.example',
    'inside.example',
    'mixed.example',
    'mapped.example',
    'metadata.example',
    '127.0.0.1',
    '127.1',
    '2130706433',
    '0x7f000001',
    '017700000001',
    '0',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[::127.0.0.1]',
    '[64:ff9b::7f00:1]',
    '[2002:7f00:1::]',
    '169.254.169.254',
    '10.0.0.1',
    '100.64.0.1',
    '224.0.0.1',
    '\uFF11\uFF12\uFF17.0.0.1',
  ])('%s is not asked', async (host) => {
    seen.length = 0;
    expect(await shut(at('/text', host))).toMatchObject({
      state: 'failed',
      text: expect.stringContaining('is not on the public Internet'),
    });
    expect(seen).toEqual([]);
  });

  it('looks at each address that it is sent on to', async () => {
    const inner = [
      'http://10.0.0.1/',
      'http://inside.example/',
      '//[::1]/',
      'http://metadata.example/latest',
    ];
    for (const to of inner) {
      expect(await open(at(`/to/${encodeURIComponent(to)}`))).toMatchObject({
        state: 'failed',
        text: expect.stringContaining('is not on the public Internet'),
      });
    }
  });

  it('connects to the address that it has looked at: each is looked up once', async () => {
    lookups = 0;
    const first = await open(at('/text', 'rebinding.example'));
    expect([first.state, lookups]).toEqual(['succeeded', 1]);
    const second = await open(at('/text', 'rebinding.example'));
    expect([second.state, lookups]).toEqual(['failed', 2]);
  });

  it('lets the operator allow hosts by their name', async () => {
    const allowed = runnerOf(fetchUrl({ fetchAllow: ['site.example'], version: '1' }, resolve));
    expect(await allowed(at('/text'))).toMatchObject({ state: 'succeeded' });
    expect(await allowed(at('/text', 'mapped.example'))).toMatchObject({ state: 'failed' });
    expect(await allowed(at('/text', '127.0.0.1'))).toMatchObject({ state: 'failed' });
  });

  it('ends with its call', async () => {
    const stop = new AbortController();
    const waiting = open(at('/silent'), stop.signal);
    while (!seen.includes('/silent')) await new Promise((resolve) => setTimeout(resolve, 5));
    stop.abort();
    expect(await waiting).toMatchObject({
      state: 'failed',
      text: 'The call was cancelled while the tool ran',
    });
  });
});

function asFound(addresses: readonly string[]): readonly LookupAddress[] {
  return addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
}
