// A count that no noise touches: how much of the heap an open stream holds.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { type ChatScript, text } from '../fake-ollama/chat-script.ts';
import { startFakeOllama } from '../fake-ollama/fake-ollama.ts';
import { spawnServer } from '../support/spawned-server.ts';

const FIRST = 50;
const MORE = 200;
/** What it is, 25.6 KiB, and a tenth: whoever makes it larger is told. */
const MOST_BYTES = 28 * 1024;
/** Streams with a long question, which is held once: not also as the prompt, and as what was sent of it. */
const LONG = 50;
const LONG_QUESTION = 'word '.repeat(10_000);

const preload = fileURLToPath(new URL('../support/note-heap.ts', import.meta.url));

/** A word, and then nothing more. */
const unfinished: ChatScript = { steps: [...text('Hm').steps.slice(0, 1), { type: 'hang' }] };

it('a stream that waits for its engine holds little, and a long question once', {
  timeout: 60_000,
}, async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'mochi-heap-'));
  const file = join(dataDir, 'heap');
  const ollama = await startFakeOllama();
  ollama.reply(...Array.from({ length: FIRST + MORE + LONG }, () => unfinished));
  const server = await spawnServer({
    dataDir,
    ollamaHost: ollama.url,
    env: {
      NODE_OPTIONS: `--import=${preload}`,
      HEAP_USED: file,
      MOCHI_MAX_CONCURRENT_TURNS: '1000',
      MOCHI_ENGINE_PARALLEL: '1000',
    },
  });
  const left = new AbortController();

  // One after the other, and all before: connections on which they were made, and which rest then, are no streams.
  const sessions: string[] = [];
  while (sessions.length < FIRST + MORE + LONG) {
    sessions.push((await server.post('/api/v1/sessions', {})).body.session_id);
  }

  async function openStream(message = 'Hello'): Promise<void> {
    const response = await fetch(`${server.url}/api/v1/chat/${sessions.pop()}/stream`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ message }),
      signal: left.signal,
    });
    const reader = (response.body ?? new ReadableStream<Uint8Array>()).getReader();
    let read = '';
    while (!read.includes('content_delta')) read += Buffer.from((await reader.read()).value ?? []).toString();
  }

  async function heapUsed(): Promise<number> {
    rmSync(file, { force: true });
    server.signal('SIGUSR2');
    while (!existsSync(file)) await server.get('/livez');
    // It is there as a whole: it was renamed.
    return Number(readFileSync(file, 'utf8'));
  }

  const openStreams = (length: number, message?: string) =>
    Promise.all(Array.from({ length }, () => openStream(message)));
  await openStreams(FIRST);
  const before = await heapUsed();
  for (let opened = 0; opened < MORE; opened += 50) await openStreams(50);
  const after = await heapUsed();
  const each = (after - before) / MORE;
  await openStreams(LONG, LONG_QUESTION);
  const eachLong = ((await heapUsed()) - after) / LONG;
  left.abort();
  await server.kill('SIGKILL');
  await ollama.close();
  await rm(dataDir, { recursive: true });
  expect(each).toBeLessThanOrEqual(MOST_BYTES);
  expect(eachLong).toBeLessThanOrEqual(MOST_BYTES + 1.5 * LONG_QUESTION.length);
});
