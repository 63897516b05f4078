// Requests that never reach a route: what the HTTP parser refuses still gets the envelope.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { type RawAnswer, sendBytes } from './raw-http.ts';
import { expectEnvelope, REQUEST_ID } from './wire-formats.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

function expectAnswer({ status, headers, text }: RawAnswer, expected: number, code: string): void {
  expectEnvelope(JSON.parse(text), code);
  expect([status, headers.get('content-type')]).toEqual([expected, 'application/json; charset=utf-8']);
  expect(Number(headers.get('content-length'))).toBe(Buffer.byteLength(text));
}

const malformed: [string, string | Uint8Array][] = [
  ['words', 'hello there\r\n\r\n'],
  ['a TLS greeting', Uint8Array.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03])],
  ['a method that is none', 'FOO! /livez HTTP/1.1\r\nhost: localhost\r\n\r\n'],
  ['a version that is none', 'GET /livez HTTP/9.9\r\nhost: localhost\r\n\r\n'],
  ['a header without colon', 'GET /livez HTTP/1.1\r\nhost: localhost\r\nnonsense\r\n\r\n'],
  ['a blank before the colon', 'GET /livez HTTP/1.1\r\nhost : localhost\r\n\r\n'],
  ['a control character in a header', 'GET /livez HTTP/1.1\r\nhost: localhost\r\nx: a\u0000b\r\n\r\n'],
  ['a blank in the path', 'GET /live z HTTP/1.1\r\nhost: localhost\r\n\r\n'],
  ['a length that is none', 'POST /livez HTTP/1.1\r\nhost: localhost\r\ncontent-length: ten\r\n\r\n'],
  ['a negative length', 'POST /livez HTTP/1.1\r\nhost: localhost\r\ncontent-length: -1\r\n\r\n'],
  [
    'two lengths',
    'POST /livez HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab',
  ],
  [
    'a length beside chunks',
    'POST /livez HTTP/1.1\r\nhost: localhost\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
  ],
];

describe('what is not HTTP', () => {
  it.each(malformed)('%s gets 400', async (_what, bytes) => {
    expectAnswer(await sendBytes(server.url, bytes), 400, 'bad_request');
  });

  it('a broken chunk in a body gets 400', async () => {
    const head = 'POST /api/v1/sessions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n';
    const answer = await sendBytes(
      server.url,
      `${head}transfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n`,
    );
    expectAnswer(answer, 400, 'bad_request');
  });

  it('headers without end get 431', async () => {
    const one = `GET /livez HTTP/1.1\r\nhost: localhost\r\nx: ${'a'.repeat(20_000)}\r\n\r\n`;
    expectAnswer(await sendBytes(server.url, one), 431, 'headers_too_large');
    const lines = Array.from({ length: 1000 }, (_, index) => `x-${index}: ${'a'.repeat(20)}\r\n`);
    const many = `GET /livez HTTP/1.1\r\nhost: localhost\r\n${lines.join('')}\r\n`;
    expectAnswer(await sendBytes(server.url, many), 431, 'headers_too_large');
  });

  it('an address without end gets 431', async () => {
    const bytes = `GET /${'a'.repeat(20_000)} HTTP/1.1\r\nhost: localhost\r\n\r\n`;
    expectAnswer(await sendBytes(server.url, bytes), 431, 'headers_too_large');
  });

  it('carries a request id, as every answer does', async () => {
    for (const [, bytes] of malformed.slice(0, 2)) {
      const { headers } = await sendBytes(server.url, bytes);
      expect(headers.get('x-request-id')).toMatch(REQUEST_ID);
    }
  });
});

describe('HTTP that Node would answer itself', () => {
  it('HTTP/1.1 without Host gets an error in the envelope', async () => {
    const { status, text } = await sendBytes(server.url, 'GET /livez HTTP/1.1\r\nconnection: close\r\n\r\n');
    expect([400, 403]).toContain(status);
    expectEnvelope(JSON.parse(text), status === 400 ? 'bad_request' : 'host_not_allowed');
  });

  it('an expectation that nobody knows gets an answer in the envelope', async () => {
    const { status, text } = await sendBytes(
      server.url,
      'GET /api/v1/sessions/abc HTTP/1.1\r\nhost: localhost\r\nexpect: wonders\r\nconnection: close\r\n\r\n',
    );
    // Ignoring it is as good as refusing it.
    expect([400, 404, 417]).toContain(status);
    expect(JSON.parse(text)).toMatchObject({ detail: { error: { code: expect.any(String) } } });
  });

  it.each([
    ['', ''],
    ['another one', 'host: evil.example\r\n'],
    ['the same', 'HOST: localhost\r\n'],
  ])('a second Host gets 400: %s', async (_which, second) => {
    const head = `GET /livez HTTP/1.1\r\nhost: localhost\r\n${second}connection: close\r\n\r\n`;
    const answer = await sendBytes(server.url, head);
    if (second === '') expect(answer.status).toBe(200);
    else expectAnswer(answer, 400, 'bad_request');
  });

  it.each(['127.0.0.1:1', 'localhost:80', '/livez'])('CONNECT %s gets an answer', async (target) => {
    const bytes = `CONNECT ${target} HTTP/1.1\r\nhost: localhost\r\n\r\n`;
    const answer = await sendBytes(server.url, bytes);
    expectAnswer(answer, 400, 'bad_request');
    expect(answer.headers.get('x-request-id')).toMatch(REQUEST_ID);
  });

  it.each([
    ['GET', 'websocket', ''],
    ['GET', 'h2c', 'http2-settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n'],
    ['POST', 'h2c', 'content-length: 2\r\n'],
  ])('%s with an upgrade to %s is an ordinary request', async (method, protocol, headers) => {
    const { status } = await sendBytes(
      server.url,
      `${method} /livez HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade, close\r\nupgrade: ${protocol}\r\n${headers}\r\n${method === 'POST' ? '{}' : ''}`,
    );
    expect(status).toBe(method === 'GET' ? 200 : 405);
  });

  it('an upgrade that nobody offers is an ordinary request', async () => {
    const { status, text } = await sendBytes(
      server.url,
      'GET /livez HTTP/1.0\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n',
    );
    expect([status, JSON.parse(text)]).toEqual([200, { status: 'ok' }]);
  });
});

it('the server serves on', async () => {
  expect((await server.get('/livez')).status).toBe(200);
});
