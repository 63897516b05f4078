// Counts that no noise touches: how often the server writes to a socket.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { text, tokens } from '../fake-ollama/chat-script.ts';
import { countSocketWrites } from '../support/socket-writes.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

async function streamOnce(): Promise<readonly string[]> {
  const { body } = await server.post('/api/v1/sessions', {});
  const writes = countSocketWrites(Number(new URL(server.url).port));
  const response = await fetch(`${server.url}/api/v1/chat/${body.session_id}/stream`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', connection: 'close' },
    body: JSON.stringify({ message: 'Hello' }),
  });
  await response.text();
  writes.stop();
  return writes.texts;
}

it('a stream of one token takes three writes: its beginning, the token, its end', async () => {
  for (const script of [{ ...text('Hi'), firstTokenMs: 20, everyMs: 20 }, text('Hi')]) {
    const counts: number[] = [];
    // On a busy machine what belongs together may come apart, and is never the other way round: the least counts.
    for (let stream = 0; stream < 8 && !counts.some((count) => count <= 3); stream += 1) {
      server.ollama.reply(script);
      const texts = await streamOnce();
      expect(texts.join('')).toMatch(
        /^HTTP\/1\.1 200 OK[^]*event: turn_start[^]*event: content_delta[^]*event: done/,
      );
      counts.push(texts.length);
    }
    expect(Math.min(...counts)).toBeLessThanOrEqual(3);
  }
});

const ASKED = { model: 'llama3.2', messages: [{ role: 'user', content: 'Hello' }], stream: true };
const PROMPT = { model: 'llama3.2', prompt: 'Hello', stream: true };

it.each([
  ['/v1/chat/completions', ASKED],
  ['/v1/messages', { ...ASKED, max_tokens: 1000 }],
  ['/v1/responses', { model: 'llama3.2', input: 'Hello', stream: true, store: false }],
  ['/v1/completions', PROMPT],
  ['/api/chat', ASKED],
  ['/api/generate', PROMPT],
])('POST %s: what the engine sends at once leaves at once, not token by token', async (path, body) => {
  const pieces: number[] = [];
  for (let stream = 0; stream < 8 && !pieces.some((count) => count <= 4); stream += 1) {
    server.ollama.reply(tokens(50));
    const writes = countSocketWrites(Number(new URL(server.url).port));
    const response = await fetch(`${server.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', connection: 'close' },
      body: JSON.stringify(body),
    });
    expect(await response.text()).toContain('t49 ');
    writes.stop();
    // Each call of write() is a chunk of HTTP's own.
    pieces.push([...writes.texts.join('').matchAll(/\r\n[0-9a-f]+\r\n/g)].length);
  }
  expect(Math.min(...pieces)).toBeLessThanOrEqual(4);
});
