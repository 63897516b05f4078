// Requests that take too long to arrive, and last answers that must arrive although the request is broken.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { behave, spoken } from '../turns/behave.ts';
import { textOf } from '../turns/watching.ts';
import { parseAnswer, type RawAnswer } from './raw-http.ts';
import { expectEnvelope } from './wire-formats.ts';

const LIMIT_SECONDS = 0.4;

let server: TestServer;
let sessionId: string;
beforeAll(async () => {
  server = await startTestServer({ config: { requestTimeoutSeconds: LIMIT_SECONDS } });
  server.ollama.setDefault(behave);
  sessionId = await server.createSession();
});
afterAll(() => server.close());

function open(): Socket {
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  onTestFinished(() => void socket.destroy());
  return socket;
}

/** Everything until the server closes its side. */
async function readAll(socket: Socket): Promise<RawAnswer> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  await once(socket, 'end');
  return parseAnswer(Buffer.concat(chunks).toString('utf8'));
}

const head = (length: number) =>
  `POST /api/v1/chat/${sessionId} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`;

describe('a request that drips', () => {
  it.each([
    ['in its body', () => head(5000)],
    ['in its headers', () => 'GET /livez HTTP/1.1\r\nhost: localhost\r\nx-slow: '],
    ['in its first line', () => 'GET /liv'],
  ])('%s is cut with 408', async (_where, begin) => {
    const socket = open();
    socket.write(begin());
    const dripping = setInterval(() => socket.write('a'), 20);
    const { status, text, headers } = await readAll(socket);
    clearInterval(dripping);
    expect([status, headers.get('connection')]).toEqual([408, 'close']);
    expectEnvelope(JSON.parse(text), 'request_timeout');
  });

  it('and whose client never closes holds no connection', async () => {
    const { hostname, port } = new URL(server.url);
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    onTestFinished(() => void socket.destroy());
    socket.on('error', () => undefined);
    socket.write(head(5000));
    const dripping = setInterval(() => socket.write('a'), 20);
    onTestFinished(() => clearInterval(dripping));
    socket.resume();
    // Only a connection that the server has destroyed refuses what is written.
    await new Promise((resolve) => socket.once('close', resolve));
    expect(socket.errored).not.toBeNull();
  });
});

describe('an answer that takes longer than a request may', () => {
  it('is streamed to its end', async () => {
    const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'pace 400' });
    const began = performance.now();
    expect(textOf(await stream.all())).toBe(spoken(400));
    expect(performance.now() - began).toBeGreaterThan(LIMIT_SECONDS * 2000);
  });

  it('is waited for', async () => {
    const { body } = await server.chat(sessionId, { message: 'pace 300' });
    expect(body.message.content).toBe(spoken(300));
  });
});

describe('the last answer', () => {
  const garbage = Buffer.alloc(256 * 1024, 'a');
  it.each([
    ['after a line that is no request', () => 'nonsense\r\n\r\n', 400],
    [
      'inside of a body',
      () => head(0).replace('content-length: 0', 'transfer-encoding: chunked').concat('zz\r\n'),
      400,
    ],
    ['after headers without end', () => `GET /livez HTTP/1.1\r\nx: ${'a'.repeat(20_000)}`, 431],
  ])('is read by a client that sends on: %s', async (_what, begin, expected) => {
    const socket = open();
    socket.write(begin());
    const sending = setInterval(() => socket.write(garbage), 5);
    const { status, text } = await readAll(socket);
    clearInterval(sending);
    expect(status).toBe(expected);
    expect(JSON.parse(text).detail.error.message).toMatch(/\.$/);
  });
});
