// Counts that no noise touches: how often the server writes to a socket.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { text } from '../fake-ollama/chat-script.ts';
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
