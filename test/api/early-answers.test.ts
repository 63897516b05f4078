// Answers that come before the whole request has: clients that send on must still read them.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { request as undiciRequest } from 'undici';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { parseAnswer } from './raw-http.ts';

const MIB = 1024 * 1024;
const KEY = 'sk-early';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ config: { apiKeys: [KEY] } });
});
afterAll(() => server.close());

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: Buffer;
}

type Client = (asked: Asked) => Promise<{ status: number; text: string }>;

const clients: Record<string, Client> = {
  async fetch({ method, path, headers, body }) {
    const options: RequestInit = { method, headers, body: new Uint8Array(body) };
    const response = await fetch(`${server.url}${path}`, options);
    return { status: response.status, text: await response.text() };
  },
  async undici({ method, path, headers, body }) {
    const { statusCode, body: answer } = await undiciRequest(`${server.url}${path}`, {
      method: method as 'POST',
      headers,
      body,
    });
    return { status: statusCode, text: await answer.text() };
  },
  async 'node:http'({ method, path, headers, body }) {
    const outgoing = httpRequest(`${server.url}${path}`, { method, headers, agent: false });
    const answered = once(outgoing, 'response') as Promise<[IncomingMessage]>;
    outgoing.end(body);
    const [response] = await answered;
    // It has its answer; what it still sends may be cut when the machine is slow.
    outgoing.on('error', () => undefined);
    return {
      status: response.statusCode ?? 0,
      text: Buffer.concat(await Array.fromAsync(response)).toString(),
    };
  },
  /** Sends all before it reads, as Python does. */
  async 'a client that first writes'({ method, path, headers, body }) {
    const { hostname, port } = new URL(server.url);
    const socket = connect(Number(port), hostname);
    const failed = new Promise<never>((_resolve, reject) => void socket.once('error', reject));
    const lines = Object.entries({ host: 'localhost', 'content-length': String(body.length), ...headers });
    socket.write(
      `${method} ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`,
    );
    await Promise.race([new Promise<void>((resolve) => void socket.write(body, () => resolve())), failed]);
    let received = '';
    while (!received.includes('}}}')) {
      const [part] = await Promise.race([once(socket, 'data'), failed]);
      received += String(part);
    }
    socket.destroy();
    return parseAnswer(received);
  },
};

const authorization = `Bearer ${KEY}`;
const json = { 'content-type': 'application/json' };
const close = { connection: 'close' };
const early: [status: number, method: string, path: string, headers: Record<string, string>][] = [
  [413, 'POST', '/api/v1/sessions', { ...json, authorization }],
  [401, 'POST', '/api/v1/sessions', json],
  [403, 'POST', '/api/v1/sessions', { ...json, authorization, origin: 'https://evil.example' }],
  [404, 'POST', '/no/such/path', { ...json, authorization }],
  [405, 'PATCH', '/livez', { ...json, authorization }],
  [415, 'POST', '/api/v1/sessions', { 'content-type': 'text/plain', authorization }],
];

describe.each(Object.entries(clients))('%s', (name, ask) => {
  it.each(early)('reads %i, on a connection that goes on and on one that closes', async (status, ...rest) => {
    const [method, path, headers] = rest;
    const body = Buffer.alloc(11 * MIB, 'a');
    // What is lost is lost by chance.
    for (let round = 0; round < 4; round += 1) {
      for (const more of name === 'fetch' ? [{}] : [{}, close]) {
        const answer = await ask({ method, path, headers: { ...headers, ...more }, body });
        expect(answer.status).toBe(status);
        expect(JSON.parse(answer.text)).toMatchObject({ detail: { error: { code: expect.any(String) } } });
      }
    }
  });
});

const hasPython = spawnSync('python3', ['--version']).status === 0;

it.skipIf(!hasPython)('Python reads all of them (skipped: python3 is not there)', async () => {
  const script = `
import http.client, json, sys
host, port, asked = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])
statuses = []
for status, method, path, headers in asked:
    for connection in ("keep-alive", "close"):
        client = http.client.HTTPConnection(host, port, timeout=20)
        client.request(method, path, b"a" * (11 * 1024 * 1024), {**headers, "connection": connection})
        answer = client.getresponse()
        json.loads(answer.read())
        statuses.append(answer.status)
        client.close()
print(json.dumps(statuses))
`;
  const { hostname, port } = new URL(server.url);
  const python = spawn('python3', ['-c', script, hostname, port, JSON.stringify(early)]);
  let [said, complained] = ['', ''];
  python.stdout.on('data', (text) => (said += String(text)));
  python.stderr.on('data', (text) => (complained += String(text)));
  await once(python, 'close');
  expect(complained).toBe('');
  expect(JSON.parse(said)).toEqual(early.flatMap(([status]) => [status, status]));
});

it('an unknown expectation is answered to a client that sends its body all the same', async () => {
  const headers = { ...json, authorization, expect: 'wonders' };
  const answer = await clients['a client that first writes']?.({
    method: 'POST',
    path: '/api/v1/sessions',
    headers,
    body: Buffer.alloc(2 * MIB, 'a'),
  });
  expect(answer?.status).toBe(400);
});

it.each([
  ['after an answer that closes', 'content-length: 900000000\r\nconnection: close\r\n\r\n', ''],
  ['after an answer on a connection that goes on', 'content-length: 900000000\r\n\r\n', ''],
  ['in chunks', 'transfer-encoding: chunked\r\n\r\n', `${(MIB).toString(16)}\r\n`],
])('who sends without end is cut: %s', async (_what, headers, before) => {
  const { hostname, port } = new URL(server.url);
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  const closed = new Promise<void>((resolve) => void socket.once('close', () => resolve()));
  socket.on('error', () => undefined).resume();
  socket.write(`POST /no/such/path HTTP/1.1\r\nhost: localhost\r\n${headers}`);
  const chunk = Buffer.concat([Buffer.from(before), Buffer.alloc(MIB, 'a'), Buffer.from(before && '\r\n')]);
  let sent = 0;
  while (socket.writable && sent < 200) {
    await Promise.race([new Promise<void>((resolve) => void socket.write(chunk, () => resolve())), closed]);
    sent += 1;
  }
  // Sixteen, and what lay in the sockets between.
  expect(sent).toBeLessThan(60);
});
