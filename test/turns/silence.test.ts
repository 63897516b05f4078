// Silence: a stream is never quiet for longer than proxies bear, and a reader that takes nothing is let go.
import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { text } from '../fake-ollama/chat-script.ts';
import { hangAfter, script } from '../fake-ollama/script-modifiers.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { behave } from './behave.ts';
import { watchAll } from './watching.ts';

const COUNT = 20_000;
/** So many of them are far more than the sockets between two processes hold. */
const PIECE = 'x'.repeat(300);

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  server.ollama.setDefault(behave);
  await server.chat(await server.createSession(), { message: 'The model is known now' });
});
afterEach(() => vi.useRealTimers());
afterAll(() => server.close());

/** A request as bytes. */
function send(method: string, path: string, body: unknown = null): Socket {
  const { hostname, port, host } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  const json = body === null ? '' : JSON.stringify(body);
  const head = [
    `${method} /api/v1${path} HTTP/1.1`,
    `host: ${host}`,
    'content-type: application/json',
    `content-length: ${json.length}`,
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n${json}`);
  onTestFinished(() => void socket.destroy());
  return socket;
}

/** Resolves when the other side has closed, whether cleanly or not. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.on('error', () => undefined);
    socket.once('close', () => resolve());
    socket.resume();
  });
}

/** Reads the head of the answer, and nothing more. @returns the turn that it names */
function readHead(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    socket.once('data', (chunk) => {
      socket.pause();
      resolve(/x-turn-id: (\w+)/.exec(chunk.toString('latin1'))?.[1] ?? '');
    });
  });
}

/** A turn with a reader that stopped reading, while everything was said; then the engine is silent. */
async function stall(method: 'POST' | 'GET') {
  const sessionId = await server.createSession();
  server.ollama.reply(
    script(
      { ...text(...Array<string>(COUNT).fill(PIECE)), cached: true, ignoresLimits: true },
      hangAfter(COUNT),
    ),
  );
  const body = { message: 'Fill the pipes', on_disconnect: method === 'POST' ? 'cancel' : 'continue' };
  const asking = send('POST', `/chat/${sessionId}/stream`, body);
  const turnId = await readHead(asking);
  const stuck = method === 'POST' ? asking : send('GET', `/turns/${turnId}/stream`).pause();
  if (method === 'GET') asking.resume();
  let said = 0;
  // Four events come before the first word.
  while (said < COUNT + 4) said = (await server.get(`/turns/${turnId}`)).body.last_event_id;
  return { turnId, stuck, said };
}

it('a comment every 15 seconds while nothing happens', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const sessionId = await server.createSession();
  const socket = send('POST', `/chat/${sessionId}/stream`, { message: 'mute' }).setEncoding('utf8');
  let bytes = '';
  socket.on('data', (chunk: string) => {
    bytes += chunk;
  });
  const pings = () => bytes.split(': ping\n\n').length - 1;
  await expect.poll(() => bytes).toContain('event: status');
  vi.advanceTimersByTime(14_000);
  vi.advanceTimersByTime(1_500);
  await expect.poll(pings).toBe(1);
  vi.advanceTimersByTime(45_000);
  await expect.poll(pings).toBe(4);
  // Comments are frames of their own: no event is broken by them.
  expect(bytes).toMatch(/\n\n\r\n[\da-f]+\r\n: ping\n\n\r\n/);
});

it('a reader of its own turn that takes nothing for 60 seconds is cut off, and its turn with it', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const { said, stuck, turnId } = await stall('POST');
  vi.advanceTimersByTime(61_000);
  expect(await watchAll(server, turnId, { after: said })).toMatchObject([
    { event: 'error', data: { code: 'turn_cancelled' } },
    { event: 'done', data: { state: 'cancelled' } },
  ]);
  await closed(stuck);
});

it('a watcher that takes nothing for 60 seconds is cut off, and the turn goes on', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const { stuck, turnId } = await stall('GET');
  vi.advanceTimersByTime(61_000);
  vi.useRealTimers();
  await closed(stuck);
  expect((await server.get(`/turns/${turnId}`)).body.state).toBe('running');
  await server.post(`/turns/${turnId}/cancel?wait=true`);
});
