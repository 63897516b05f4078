// HTTP that no client library sends: the order of answers, old versions, odd targets, smuggled requests.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tokens } from '../fake-ollama/chat-script.ts';
import { everyMs, script } from '../fake-ollama/script-modifiers.ts';
import { expectEnvelope } from './judge.ts';
import { exchange, type WireAnswer } from './wire.ts';
import { openWorld, type World } from './world.ts';

const HOST = 'host: localhost\r\n';
const CLOSE = `${HOST}connection: close\r\n\r\n`;
const JSON_TYPE = 'content-type: application/json\r\n';

describe('on the wire', () => {
  let world: World;
  let url: string;
  beforeAll(async () => {
    world = await openWorld();
    url = world.server.url;
  });
  afterAll(() => world.close());

  const sessionCount = async () => (await world.server.get('/sessions')).body.sessions.length;

  it('answers pipelined requests in their order', async () => {
    const { session_id: sessionId } = await world.place();
    const paths = [
      '/livez',
      `/api/v1/sessions/${sessionId}/tree`,
      '/nothing',
      '/api/v1/health',
      '/api/v1/models',
    ];
    const bytes = [...paths, '/readyz'].map(
      (path) => `GET ${path} HTTP/1.1\r\n${path === '/readyz' ? CLOSE : `${HOST}\r\n`}`,
    );
    const answers = await exchange(url, bytes.join(''), { count: 6 });
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 404, 200, 200, 200]);
    expect(bodyOf(answers[1])).toMatchObject({ session_id: sessionId });
    expect(bodyOf(answers[4])).toMatchObject({ models: expect.any(Array) });
  });

  it('carries out pipelined chats one after the other', async () => {
    const sessionId = await world.server.createSession();
    const chat = (message: string) => {
      const body = JSON.stringify({ message });
      return `POST /api/v1/chat/${sessionId} HTTP/1.1\r\n${HOST}${JSON_TYPE}content-length: ${body.length}\r\n\r\n${body}`;
    };
    const answers = await exchange(url, `${chat('one')}${chat('two')}GET /livez HTTP/1.1\r\n${CLOSE}`, {
      count: 3,
    });
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    const contents = (await world.server.messages(sessionId)).map(({ content }) => content);
    expect([contents.length, contents[0], contents[2]]).toEqual([4, 'one', 'two']);
  });

  it.each([
    ['HTTP/1.0 with a Host', `GET /livez HTTP/1.0\r\n${HOST}\r\n`, 200],
    ['HTTP/1.0 without', 'GET /livez HTTP/1.0\r\n\r\n', 403],
    ['a whole URL as target', `GET http://localhost/livez HTTP/1.1\r\n${CLOSE}`, 200],
    ['a URL without path', `GET http://localhost HTTP/1.1\r\n${CLOSE}`, 200],
    ['a whole URL with the port', `GET http://localhost:80/livez HTTP/1.1\r\n${CLOSE}`, 200],
    ['a whole URL of another host', `GET http://evil.example/livez HTTP/1.1\r\n${CLOSE}`, 403],
    ['a whole URL of another port', `GET http://localhost:81/livez HTTP/1.1\r\n${CLOSE}`, 403],
    ['a whole URL with a user', `GET http://localhost@evil.example/livez HTTP/1.1\r\n${CLOSE}`, 403],
    ['a whole URL with our name as user', `GET http://u@localhost/livez HTTP/1.1\r\n${CLOSE}`, 403],
    ['a whole URL without host', `GET http:///livez HTTP/1.1\r\n${CLOSE}`, 403],
    ['another scheme and host', `GET ftp://evil.example/livez HTTP/1.1\r\n${CLOSE}`, 403],
    ['HTTP/2.0 in words', `GET /livez HTTP/2.0\r\n${CLOSE}`, 400],
    ['HTTP/0.9 in words', `GET /livez HTTP/0.9\r\n${CLOSE}`, 400],
    ['another scheme', `GET ftp://localhost/livez HTTP/1.1\r\n${CLOSE}`, 404],
    ['an asterisk that asks for something', `GET * HTTP/1.1\r\n${CLOSE}`, 404],
    ['an asterisk', `OPTIONS * HTTP/1.1\r\n${CLOSE}`, 404],
    ['TRACE', `TRACE /nothing HTTP/1.1\r\n${CLOSE}`, 404],
    [
      'an upgrade to WebSocket',
      `GET /livez HTTP/1.1\r\nupgrade: websocket\r\nsec-websocket-key: x\r\n${CLOSE}`,
      200,
    ],
    ['the greeting of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
    ['a path that climbs', `GET /api/v1/sessions/../../livez HTTP/1.1\r\n${CLOSE}`, 404],
    ['raw UTF-8 in the path', Buffer.from(`GET /api/v1/sessions/é HTTP/1.1\r\n${CLOSE}`), 400],
  ])('%s', async (_what, bytes, status) => {
    const [answer] = await exchange(url, bytes);
    expect(answer?.status).toBe(status);
    if (status >= 400) expectEnvelope(bodyOf(answer), status, _what);
  });

  it('CONNECT opens no tunnel', async () => {
    let connections = 0;
    const bait = createServer(() => {
      connections += 1;
    }).listen(0, '127.0.0.1');
    await once(bait, 'listening');
    const { port } = bait.address() as AddressInfo;
    const answers = await exchange(
      url,
      `CONNECT 127.0.0.1:${port} HTTP/1.1\r\n${HOST}\r\nGET / HTTP/1.1\r\n\r\n`,
    );
    bait.close();
    expect([answers.every(({ status }) => status >= 400), connections]).toEqual([true, 0]);
  });

  it.each([
    ['two lengths', 'content-length: 5\r\ncontent-length: 44\r\n'],
    ['a length and chunks', 'content-length: 4\r\ntransfer-encoding: chunked\r\n'],
    ['an unknown transfer coding', 'transfer-encoding: xchunked\r\n'],
    ['chunks that are not the last coding', 'transfer-encoding: chunked, gzip\r\n'],
    ['a blank before the colon', 'transfer-encoding : chunked\r\n'],
    ['a chunk size with a sign', 'transfer-encoding: chunked\r\n\r\n+2\r\n{}\r\n0\r\n'],
    ['a chunk size beyond all bounds', 'transfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n{}\r\n0\r\n'],
    ['a bare line feed after a chunk size', 'transfer-encoding: chunked\r\n\r\n2\n{}\r\n0\r\n'],
  ])('smuggles nothing past %s', async (_what, headers) => {
    const before = await sessionCount();
    const inner = JSON.stringify({ model: 'llama3.2' });
    const smuggled = `POST /api/v1/sessions HTTP/1.1\r\n${HOST}${JSON_TYPE}content-length: ${inner.length}\r\n\r\n${inner}`;
    const bytes = `POST /api/v1/sessions HTTP/1.1\r\n${HOST}${JSON_TYPE}${headers}\r\n0\r\n\r\n${smuggled}`;
    const answers = await exchange(url, bytes);
    expect(answers.map(({ status }) => status)).toEqual([400]);
    expectEnvelope(bodyOf(answers[0]), 400, _what);
    expect(await sessionCount()).toBe(before);
  });

  it('serves the others while a hundred requests never end', async () => {
    const stuck = await Promise.all(
      Array.from({ length: 100 }, (_, index) => openAndSend(url, PARTS[index % PARTS.length] ?? '')),
    );
    world.server.ollama.reply(script(tokens(5), everyMs(1)));
    const sessionId = await world.server.createSession();
    expect((await world.server.chat(sessionId, { message: 'Hello' })).status).toBe(200);
    for (const socket of stuck) socket.destroy();
  });
});

/** Beginnings of requests. */
const PARTS = [
  '',
  'GE',
  'GET /livez HTTP/1.1\r\nhost: loc',
  `POST /api/v1/sessions HTTP/1.1\r\n${HOST}${JSON_TYPE}content-length: 1000\r\n\r\n{"model":`,
  `POST /api/v1/sessions HTTP/1.1\r\n${HOST}${JSON_TYPE}transfer-encoding: chunked\r\n\r\nffff\r\n{`,
  '\r\n\r\n\r\n',
];

async function openAndSend(url: string, bytes: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const socket: Socket = connect(Number(port), hostname, () => {
    if (bytes === '') resolve(socket);
    else socket.write(bytes, () => resolve(socket));
  });
  socket.on('error', reject);
  return promise;
}

function bodyOf(answer: WireAnswer | undefined): any {
  return JSON.parse(answer?.body.toString('utf8') ?? 'null');
}
