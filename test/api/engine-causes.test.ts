// What is at the engine's address when it is no Ollama that answers: the cause is told, on every way to it.
import { afterEach, describe, expect, it } from 'vitest';
import { type RawListener, startRawListener, startTlsListener } from '../fake-ollama/raw-listener.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { expectError } from './wire-formats.ts';

let server: TestServer;
let listener: RawListener;
afterEach(async () => {
  await server.close();
  await listener.close();
});

const http = (status: string, body = '', headers = '') =>
  `HTTP/1.1 ${status}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n${headers}\r\n${body}`;
const html = 'content-type: text/html\r\n';

interface Strange {
  readonly start: () => Promise<RawListener>;
  /** Address before the host, and after the port. */
  readonly url?: (port: number) => string;
  readonly code: 'ollama_unreachable' | 'ollama_error';
  readonly says: RegExp;
}
const raw = (bytes: string) => () => startRawListener(bytes);

const STRANGE: Readonly<Record<string, Strange>> = {
  'a certificate that signed itself': {
    start: () => startTlsListener(http('200 OK', '{"models":[]}')),
    url: (port) => `https://localhost:${port}`,
    code: 'ollama_unreachable',
    says: /certificate is not trusted \(it has signed itself\).*NODE_EXTRA_CA_CERTS/,
  },
  'no TLS where https:// is asked for': {
    start: raw(http('200 OK', '{}')),
    url: (port) => `https://127.0.0.1:${port}`,
    code: 'ollama_unreachable',
    says: /answers without TLS\. Write http:/,
  },
  'TLS bytes': {
    start: raw('\u0015\u0003\u0001\u0000\u0002\u0002\u0046'),
    code: 'ollama_error',
    says: /answers with TLS\. Write https:/,
  },
  'TLS behind a Go server': {
    start: raw(http('400 Bad Request', 'Client sent an HTTP request to an HTTPS server.\n')),
    code: 'ollama_error',
    says: /answers with TLS\. Write https:/,
  },
  'a frame of HTTP/2': {
    start: raw('\u0000\u0000\u0012\u0004\u0000\u0000\u0000\u0000\u0000'),
    code: 'ollama_error',
    says: /no HTTP\/1\.1 but HTTP\/2\./,
  },
  'the preface of HTTP/2': {
    start: raw('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    code: 'ollama_error',
    says: /no HTTP\/1\.1 but HTTP\/2\./,
  },
  'another protocol': {
    start: raw('SSH-2.0-OpenSSH_9.2\r\n'),
    code: 'ollama_error',
    says: /something that is no HTTP\/1\.1: "SSH-2\.0-OpenSSH_9\.2"/,
  },
  'bad chunks': {
    start: raw('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n'),
    code: 'ollama_error',
    says: /breaks HTTP \(Invalid character in chunk size\)/,
  },
  'header fields without end': {
    start: raw(`HTTP/1.1 200 OK\r\nx: ${'a'.repeat(100_000)}`),
    code: 'ollama_error',
    says: /header fields have no end/,
  },
  'a proxy that wants credentials': {
    start: raw(http('401 Unauthorized', '<html><h1>Who are you?</h1></html>', html)),
    code: 'ollama_error',
    says: /answers 401 \(Who are you\?\): it wants credentials.*user:password@host/,
  },
  'a refusal without a word': {
    start: raw(http('403 Forbidden')),
    code: 'ollama_error',
    says: /answers 403: it refuses this client/,
  },
  'a redirect': {
    start: raw(
      http('301 Moved Permanently', '', 'location: https://u:s3cret@elsewhere.test/x?token=s3cret\r\n'),
    ),
    code: 'ollama_error',
    says: /redirects to https:\/\/elsewhere\.test\/x \(301\)\. Name the final address/,
  },
  'a login page': {
    start: raw(http('200 OK', '<!doctype html><title>Please log in</title>', html)),
    code: 'ollama_error',
    says: /web page \("Please log in"\): this is no Ollama\. Check the address and the path/,
  },
  'a path that is not the engine\u2019s': {
    start: raw(http('404 Not Found', '404 page not found', 'content-type: text/plain\r\n')),
    url: (port) => `http://127.0.0.1:${port}/v1`,
    code: 'ollama_error',
    says: /answers 404 \(404 page not found\): this is no Ollama\..*must not end with \/v1\./,
  },
};

describe.each(Object.entries(STRANGE))('%s', (_name, { start, url, code, says }) => {
  it('is told by lists, by health, and by both routes of a chat', async () => {
    listener = await start();
    server = await startTestServer();
    const sessionId = await server.createSession();
    const ollamaHost = url?.(listener.port) ?? `http://127.0.0.1:${listener.port}`;
    await server.restart({ ollamaHost });

    const list = await server.get('/models');
    expectError(list, 502, code);
    expect(list.body.detail.error.message).toMatch(says);
    expect(list.body.detail.error.message).not.toContain('s3cret');
    const plain = await server.post(`/chat/${sessionId}`, { message: 'Anybody?' });
    expectError(plain, 502, code);
    expect(plain.body.detail.error.message).toMatch(says);
    const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'Anybody?' });
    const failure = (await stream.all()).at(-2)?.data;
    expect([failure.code, failure.message]).toEqual([code, expect.stringMatching(says)]);
    expect((await server.get('/health')).body.engine).toMatchObject({ reachable: false });
    const deleted = await server.request('DELETE', '/models/anything');
    expect(deleted.body.detail.error.message).toMatch(says);
    const pulled = await server.post('/models/pull', { name: 'anything' });
    expect(pulled.body.detail?.error.message ?? pulled.body).toMatch(says);
  });
});
