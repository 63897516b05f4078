// Many requests written at once on one connection: answered in their order, a few at a time.
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { exchange } from '../fuzz/wire.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { behave } from '../turns/behave.ts';
import { collectAnswers } from '../turns/collect-answers.ts';
import { isNamed, readUntil } from '../turns/watching.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  server.ollama.setDefault(behave);
});
afterAll(() => server.close());

const get = (path: string, connection = 'keep-alive') =>
  `GET ${path} HTTP/1.1\r\nhost: localhost\r\nconnection: ${connection}\r\n\r\n`;

function post(path: string, body: string, framing: 'length' | 'chunks'): string {
  const head = `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n`;
  if (framing === 'length') return `${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
  const [first, rest] = [body.slice(0, 5), body.slice(5)];
  const chunks = [first, rest].map((part) => `${Buffer.byteLength(part).toString(16)}\r\n${part}\r\n`);
  return `${head}transfer-encoding: chunked\r\n\r\n${chunks.join('')}0\r\n\r\n`;
}

describe('requests that are written at once', () => {
  it('are all answered, in their order', async () => {
    const paths = Array.from({ length: 500 }, (_, index) => (index % 7 === 0 ? '/livez' : `/no/${index}`));
    const bytes = `${paths.map((path) => get(path)).join('')}${get('/readyz', 'close')}`;
    const answers = await exchange(server.url, bytes, { count: 501 });
    const told = answers.map(({ body }) => JSON.parse(body.toString()));
    expect(told).toHaveLength(501);
    for (const [index, path] of paths.entries()) {
      if (path === '/livez') expect(told[index]).toEqual({ status: 'ok' });
      else expect(told[index]?.detail.error.details.path).toBe(path);
    }
  });

  it.each(['length', 'chunks'] as const)('with bodies that look like requests, by %s', async (framing) => {
    // Heads inside of bodies are no heads, however the bytes are cut on their way to the parser.
    const title = (index: number) => `Title ${index} ${get('/livez')}`;
    const requests = Array.from({ length: 40 }, (_, index) => {
      const body = `{"model":"llama3.2","title":${JSON.stringify(title(index))},"x":"\u00e9"}\r\n\r\n\r\n`;
      return post('/api/v1/sessions', body, framing);
    });
    const answers = await exchange(server.url, Buffer.from(`${requests.join('')}${get('/livez', 'close')}`), {
      count: 41,
    });
    expect(answers.map(({ status }) => status)).toEqual([...Array(40).fill(201), 200]);
    const ids = answers.slice(0, 40).map(({ body }) => JSON.parse(body.toString()).session_id);
    const { sessions } = (await server.get('/sessions?limit=40')).body;
    const titles = new Map(
      sessions.map((session: { session_id: string; title: string }) => [session.session_id, session.title]),
    );
    expect(ids.map((id) => titles.get(id))).toEqual(ids.map((_id, index) => title(index)));
  });

  it('byte by byte are the same requests', async () => {
    const bytes = `${get('/livez')}${post('/api/v1/sessions', '{"model":"llama3.2"}', 'length')}${get('/readyz', 'close')}`;
    const { hostname, port } = new URL(server.url);
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    const parts: Buffer[] = [];
    socket.on('data', (part: Buffer) => parts.push(part));
    for (const byte of Buffer.from(bytes)) {
      socket.write(Uint8Array.of(byte));
      await new Promise(setImmediate);
    }
    await new Promise((resolve) => socket.once('close', resolve));
    const statuses = Buffer.concat(parts)
      .toString()
      .match(/HTTP\/1\.1 \d+/g);
    expect(statuses).toEqual(['HTTP/1.1 200', 'HTTP/1.1 201', 'HTTP/1.1 200']);
  });
});

it('a few are under way at a time; the others are not begun before those have ended', async () => {
  const sessionId = await server.createSession();
  const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'hang 2' });
  onTestFinished(() => stream.abort());
  await readUntil(stream, isNamed('content_delta'));
  const turnId = stream.headers.get('x-turn-id') ?? '';
  const { answers, stop } = collectAnswers('GET');
  onTestFinished(stop);
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  onTestFinished(() => void socket.destroy());
  let received = '';
  socket.setEncoding('utf8').on('data', (text: string) => {
    received += text;
  });
  socket.write(get(`/api/v1/turns/${turnId}/stream`).repeat(100));
  await expect.poll(() => received).toContain('content_delta');
  // Whatever was sent before this has been read, or waits.
  for (let round = 0; round < 10; round += 1) await server.get('/livez');
  expect(answers.length).toBeLessThanOrEqual(5);
  await server.post(`/turns/${turnId}/cancel?wait=true`);
  await expect.poll(() => received.match(/event: done/g)).toHaveLength(100);
});
