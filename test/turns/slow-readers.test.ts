// Readers that stop reading hold little memory of the server, and nobody else waits for them.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { text } from '../fake-ollama/chat-script.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { collectAnswers } from './collect-answers.ts';
import { textOf } from './watching.ts';

const COUNT = 20_000;
/** So many of them are far more than the sockets between two processes hold. */
const PIECE = 'x'.repeat(300);
const READERS = 12;

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

async function openReader(turnId: string): Promise<Socket> {
  const { hostname, port, host } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  socket.write(`GET /api/v1/turns/${turnId}/stream HTTP/1.1\r\nhost: ${host}\r\n\r\n`);
  await once(socket, 'data');
  return socket.pause();
}

it('what waits for a reader is bounded, whatever the answer; who reads gets all', async () => {
  const { answers, stop } = collectAnswers('GET');
  onTestFinished(stop);
  const sessionId = await server.createSession();
  // The engine thinks for a moment, so that the readers are there before the first word.
  server.ollama.reply({
    ...text(...Array<string>(COUNT).fill(PIECE)),
    cached: true,
    ignoresLimits: true,
    firstTokenMs: 500,
  });
  const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'At length' });
  const turnId = stream.headers.get('x-turn-id') ?? '';
  const readers = await Promise.all(Array.from({ length: READERS }, () => openReader(turnId)));
  const events = await stream.all();
  expect(events.at(-1)?.data.state).toBe('completed');
  expect(textOf(events)).toHaveLength(COUNT * PIECE.length);

  expect(answers).toHaveLength(READERS);
  const waiting = () => answers.map((answer) => answer.writableLength);
  // They are stuck: the sockets took what they take, and the server holds back the rest.
  await expect.poll(() => Math.min(...waiting())).toBeGreaterThan(0);
  expect(Math.max(...waiting())).toBeLessThan(1024 * 1024);

  // Whoever reads on is told the end.
  for (const reader of readers.splice(0, 2)) {
    let tail = '';
    for await (const chunk of reader) {
      tail = (tail + String(chunk)).slice(-2000);
      if (tail.includes('event: done')) break;
    }
    expect(tail).toContain('"state":"completed"');
  }
  for (const reader of readers) reader.destroy();
});
