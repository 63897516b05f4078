// Clients that end their side after the request: whoever waits gets the answer, whoever is gone is noticed.
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { tokens } from '../fake-ollama/chat-script.ts';
import { everyMs, script } from '../fake-ollama/script-modifiers.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { askedOf, behave, spoken } from '../turns/behave.ts';
import { untilIdle } from '../turns/watching.ts';
import { parseAnswer } from './raw-http.ts';

/** Long enough for several probes. */
const SLOW = script(tokens(50), everyMs(20));

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  server.ollama.setDefault((body) => (body.messages?.at(-1)?.content === 'slowly' ? SLOW : behave(body)));
});
afterAll(() => server.close());

function write(bytes: string, options: { readonly version?: string } = {}): Socket {
  const { hostname, port } = new URL(server.url);
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined);
  socket.write(bytes.replaceAll('HTTP/1.1', `HTTP/${options.version ?? '1.1'}`));
  return socket;
}

function chat(path: string, body: object): string {
  const text = JSON.stringify(body);
  return `POST /api/v1${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${text.length}\r\n\r\n${text}`;
}

/** All until the server closes, interim answers apart. */
async function readAll(
  socket: Socket,
): Promise<{ interim: string[]; answer: ReturnType<typeof parseAnswer> }> {
  const parts: Buffer[] = [];
  for await (const part of socket) parts.push(part);
  const [interim = '', rest = ''] = Buffer.concat(parts)
    .toString()
    .split(/(?=HTTP\/1\.1 200)/);
  return rest === ''
    ? { interim: [], answer: parseAnswer(interim) }
    : { interim: interim.split('\r\n\r\n').filter(Boolean), answer: parseAnswer(rest) };
}

describe('who ends its side and waits', () => {
  it.each(['1.1', '1.0'])('gets the plain answer, HTTP/%s', async (version) => {
    const sessionId = await server.createSession();
    const socket = write(chat(`/chat/${sessionId}`, { message: 'slowly', on_disconnect: 'cancel' }), {
      version,
    });
    socket.end();
    const { interim, answer } = await readAll(socket);
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.text).message.content).toBe(spoken(50));
    // What HTTP/1.0 does not know is not sent to it.
    expect(new Set(interim)).toEqual(new Set(version === '1.1' ? ['HTTP/1.1 100 Continue'] : []));
  });

  it('gets the stream, to its end', async () => {
    const sessionId = await server.createSession();
    const socket = write(chat(`/chat/${sessionId}/stream`, { message: 'slowly' }));
    socket.end();
    const { answer } = await readAll(socket);
    const frames = answer.text.split('\n\n').filter((frame) => !frame.startsWith(':') && frame !== '');
    expect(frames.map((frame) => /^id: \d+\nevent: (\w+)\ndata: .*$/.exec(frame)?.[1]).at(-1)).toBe('done');
    const said = frames.flatMap((frame) => /event: content_delta\ndata: (.*)$/.exec(frame)?.[1] ?? []);
    expect(said.map((data) => JSON.parse(data).content).join('')).toBe(spoken(50));
    expect(answer.text).toContain('\n\n:\n\n');
  });

  it('gets every answer of several requests', async () => {
    const sessionId = await server.createSession();
    const get = 'GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n';
    const socket = write(`${get}${chat(`/chat/${sessionId}`, { message: 'slowly' })}${get.repeat(10)}`);
    socket.end();
    const parts: Buffer[] = [];
    for await (const part of socket) parts.push(part);
    const text = Buffer.concat(parts).toString();
    expect(text.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(12);
    expect(text.match(/"status":"ok"/g)).toHaveLength(11);
  });

  it('gets the answer of a request that was answered at once', async () => {
    const socket = write('GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n');
    socket.end();
    const { answer } = await readAll(socket);
    expect([answer.status, JSON.parse(answer.text)]).toEqual([200, { status: 'ok' }]);
  });
});

describe('who ends its side and is gone', () => {
  const lastTurn = async (sessionId: string) =>
    (await server.get(`/sessions/${sessionId}/turns?limit=1`)).body.turns[0];

  it.each([
    ['the stream', '/stream', {}],
    ['the plain answer', '', { on_disconnect: 'cancel' }],
  ])('is noticed while the model says nothing: %s', async (_what, suffix, policy) => {
    const sessionId = await server.createSession();
    const message = `mute ${sessionId}`;
    const socket = write(chat(`/chat/${sessionId}${suffix}`, { message, ...policy }));
    await server.ollama.waitForRequest('/api/chat', (request) => askedOf(request) === message);
    // First the end of its side, later the rest: what a process does that ends its output and then itself.
    socket.end();
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect((await lastTurn(sessionId)).state).toBe('running');
    socket.destroy();
    await server.ollama.waitForAbort((request) => askedOf(request) === message);
    await untilIdle(server, sessionId);
    expect((await lastTurn(sessionId)).state).toBe('cancelled');
  });
});
