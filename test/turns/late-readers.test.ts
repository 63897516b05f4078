// Readers that come to a long answer when it is over: they hold little of the server, and get every byte.
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { text } from '../fake-ollama/chat-script.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { collectAnswers } from './collect-answers.ts';
import { watchAll } from './watching.ts';

const COUNT = 2500;
/** So many of them are 5 MB: more than the log of a turn keeps, so that late readers get a snapshot. */
const PIECE = 'Ünïcode 🦙 '.repeat(150);
const ANSWER = PIECE.repeat(COUNT);
const READERS = 50;
/** A piece of 64 kB and what Node puts around it. */
const MAX_WAITING = 160 * 1024;
/** The frames of one reader; fifty of them would hold more than half a gigabyte. */
const MAX_SHARED = 100 * 1024 * 1024;

let server: TestServer;
let turnId: string;
const { answers, stop } = collectAnswers('GET');

beforeAll(async () => {
  server = await startTestServer();
  const sessionId = await server.createSession();
  server.ollama.reply({ ...text(...Array<string>(COUNT).fill(PIECE)), cached: true });
  turnId = (await server.chat(sessionId, { message: 'At length' })).body.turn_id;
});
afterEach(() => {
  vi.useRealTimers();
  answers.length = 0;
});
afterAll(async () => {
  stop();
  await server.close();
});

/** A reader that has taken a first chunk, and then stops. */
async function openReader(): Promise<Socket> {
  const { hostname, port, host } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  socket.write(`GET /api/v1/turns/${turnId}/stream HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`);
  await once(socket, 'readable');
  return socket;
}

const waitingIn = (response: ServerResponse | undefined) => response?.writableLength ?? 0;

/** Reads on in steps, each far from the one before in time; the server sends more after each. */
async function readSlowly(socket: Socket, response: ServerResponse | undefined): Promise<Buffer> {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const chunks: Buffer[] = [];
  for (let round = 0; round < 4; round += 1) {
    const sent = response?.socket?.bytesWritten ?? 0;
    // Until the server has found room for another piece: its patience begins anew then.
    while (response?.socket?.bytesWritten === sent && !response.writableFinished) {
      const chunk: Buffer | null = socket.read();
      if (chunk === null) await new Promise(setImmediate);
      else chunks.push(chunk);
    }
    vi.advanceTimersByTime(50_000);
  }
  vi.useRealTimers();
  for await (const chunk of socket) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe.each([
  ['from memory', async () => undefined],
  ['from the store', async () => server.restart()],
])('%s', (_where, prepare) => {
  beforeAll(prepare);

  it('fifty that do not read hold a piece each, and the frames once', async () => {
    const before = process.memoryUsage().arrayBuffers;
    const readers = await Promise.all(Array.from({ length: READERS }, openReader));
    await expect.poll(() => answers.every((answer) => waitingIn(answer) > 0)).toBe(true);
    expect(answers).toHaveLength(READERS);
    expect(Math.max(...answers.map(waitingIn))).toBeLessThan(MAX_WAITING);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(MAX_SHARED);
    for (const reader of readers) reader.destroy();
    await expect.poll(() => answers.every(({ destroyed }) => destroyed)).toBe(true);
  });

  it('one that reads slowly, for minutes, gets every byte', async () => {
    const reader = await openReader();
    const bytes = await readSlowly(reader, answers[0]);
    const chunked = bytes.subarray(bytes.indexOf('\r\n\r\n') + 4);
    const body = unchunk(chunked).toString('utf8');
    const expected = await watchAll(server, turnId);
    const frames = expected.map(
      ({ id, event, data }) => `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`,
    );
    expect(expected.map(({ event }) => event)).toEqual(['snapshot', 'message_complete', 'done']);
    // Compared as numbers and booleans: a difference of megabytes helps nobody.
    expect([body.length, body === frames.join('')]).toEqual([frames.join('').length, true]);
    expect(expected[1]?.data.message.content === ANSWER).toBe(true);
  });

  it('one that stops is cut off after 60 seconds', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const reader = await openReader();
    const [answer] = answers;
    await expect.poll(() => waitingIn(answer), { interval: 5 }).toBeGreaterThan(0);
    vi.advanceTimersByTime(59_000);
    expect(answer?.destroyed).toBe(false);
    vi.advanceTimersByTime(2_000);
    expect(answer?.destroyed).toBe(true);
    reader.destroy();
  });
});

function unchunk(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; ; ) {
    const lineEnd = bytes.indexOf('\r\n', at);
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    if (!(size > 0)) return Buffer.concat(parts);
    parts.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 2 + size + 2;
  }
}
