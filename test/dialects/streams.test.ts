// Streams of other APIs over real sockets: what waits for a reader that stops, signs of life in a long silence, and a
// head that does not wait for ever.
import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { mute, text } from '../fake-ollama/chat-script.ts';
import { hangAfter, type ScriptModifier, script } from '../fake-ollama/script-modifiers.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { collectAnswers } from '../turns/collect-answers.ts';

const COUNT = 10_000;
/** So many of them are far more than the sockets between two processes hold. */
const PIECE = 'x'.repeat(400);

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  await server.chat(await server.createSession(), { message: 'The model is known now' });
});
afterEach(() => vi.useRealTimers());
afterAll(() => server.close());

/** A request as bytes, and what has come back. */
function send(
  method: string,
  path: string,
  body: unknown = null,
): { readonly socket: Socket; seen(): string } {
  const { hostname, port, host } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  const json = body === null ? '' : JSON.stringify(body);
  socket.write(
    `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\ncontent-length: ${json.length}\r\n\r\n${json}`,
  );
  const parts: string[] = [];
  socket.setEncoding('latin1').on('data', (part: string) => parts.push(part));
  socket.on('error', () => undefined);
  onTestFinished(() => void socket.destroy());
  return { socket, seen: () => parts.join('') };
}

const asked = { model: 'llama3.2', messages: [{ role: 'user', content: 'Hello' }], stream: true };
const atLength = (...modifiers: readonly ScriptModifier[]) =>
  script({ ...text(...Array<string>(COUNT).fill(PIECE)), cached: true, ignoresLimits: true }, ...modifiers);

it('what waits for a reader that stops is a piece, however much was said; who reads gets all', async () => {
  server.ollama.reply(atLength());
  const response = await fetch(`${server.url}/v1/responses`, {
    method: 'POST',
    body: JSON.stringify({ model: 'llama3.2', input: 'At length' }),
  });
  const { id } = (await response.json()) as { id: string };
  const { answers, stop } = collectAnswers('GET', '?stream=true');
  onTestFinished(stop);
  const { socket, seen } = send('GET', `/v1/responses/${id}?stream=true`);
  socket.pause();
  await expect.poll(() => answers[0]?.writableLength ?? 0).toBeGreaterThan(0);
  await server.get('/turns/turn_none');
  expect(answers[0]?.writableLength).toBeLessThan(512 * 1024);
  socket.resume();
  await expect.poll(() => seen().slice(-40), { timeout: 20_000 }).toContain('data: [DONE]');
  // As a delta, a text, a part, an item and a response.
  expect(seen().length).toBeGreaterThan(5 * COUNT * PIECE.length);
});

it.each([
  ['/v1/chat/completions', asked, ': ping\n\n'],
  ['/v1/responses', { model: 'llama3.2', input: 'Hello', stream: true, store: false }, ': ping\n\n'],
  ['/v1/messages', { ...asked, max_tokens: 100 }, 'event: ping\ndata: {"type":"ping"}\n\n'],
  ['/api/chat', asked, '"message":{"role":"assistant","content":""},"done":false}\n'],
])(
  'POST %s: after ten seconds without a word the head goes out, then a sign of life every 15',
  async (path, body, sign) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
    server.ollama.requests.length = 0;
    server.ollama.reply(mute());
    const { seen } = send('POST', path, body);
    await expect.poll(() => server.ollama.requestsTo('/api/chat').length).toBe(1);
    vi.advanceTimersByTime(9_000);
    // A way there and back.
    await server.get('/turns/turn_none');
    expect(seen()).toBe('');
    vi.advanceTimersByTime(1_500);
    await expect.poll(seen).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    const signs = () => seen().split(sign).length - 1;
    expect(signs()).toBe(0);
    for (const count of [1, 2]) {
      vi.advanceTimersByTime(15_500);
      await expect.poll(signs).toBe(count);
    }
  },
);

it.each([
  ['/v1/chat/completions', asked],
  ['/api/chat', asked],
])(
  'POST %s: a reader that takes nothing for 60 seconds is cut off, and its turn with it',
  async (path, body) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    server.ollama.reply(atLength(hangAfter(COUNT)));
    const { answers, stop } = collectAnswers('POST', path);
    onTestFinished(stop);
    const { socket } = send('POST', path, body);
    socket.pause();
    const aborted = server.ollama.waitForAbort();
    await expect.poll(() => answers[0]?.writableNeedDrain).toBe(true);
    // Until nothing moves between the two any more.
    for (let before = -1, now = 0; before !== now; ) {
      before = now;
      await server.get('/turns/turn_none');
      now = answers[0]?.writableLength ?? 0;
    }
    vi.advanceTimersByTime(61_000);
    expect((await aborted).path).toBe('/api/chat');
  },
);
