// What was acknowledged is kept, also of a turn that was cancelled before it could begin, and over a kill.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FakeOllama, startFakeOllama } from '../fake-ollama/fake-ollama.ts';
import { type SpawnedServer, spawnServer } from '../support/spawned-server.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { behave } from './behave.ts';
import { isNamed, isPhase, readUntil } from './watching.ts';

describe('a message whose turn was cancelled in line', () => {
  let ollama: FakeOllama;
  let server: SpawnedServer;
  let dataDir: string;
  beforeAll(async () => {
    ollama = await startFakeOllama();
    ollama.setDefault(behave);
    dataDir = await mkdtemp(join(tmpdir(), 'mochi-line-'));
    server = await spawnServer({ dataDir, ollamaHost: ollama.url });
  }, 60_000);
  afterAll(async () => {
    await server.kill('SIGKILL');
    await ollama.close();
    await rm(dataDir, { recursive: true });
  });

  it('is on the path after a kill that came before its place did', async () => {
    const sessionId = await server.createSession();
    const holder = await server.stream(`/chat/${sessionId}/stream`, { message: 'hang 1' });
    await readUntil(holder, isNamed('content_delta'));
    const waiting = await server.stream(`/chat/${sessionId}/stream`, { message: 'My precious text' });
    const [start] = await readUntil(waiting, isPhase('queued'));
    const { body } = await server.post(`/turns/${start?.data.turn_id}/cancel?wait=true`);
    expect(body.state).toBe('cancelled');
    // A copy made at this moment has it, too.
    const lines = await fetch(`${server.url}/api/v1/sessions/${sessionId}/export?format=jsonl`);
    const copy = await startTestServer();
    const imported = await fetch(`${copy.url}/api/v1/sessions/import`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: await lines.text(),
    });
    expect(imported.status).toBe(201);
    const copied = await copy.messages(sessionId);
    expect(copied.map(({ content }) => content)).toEqual(['hang 1', 't0 ', 'My precious text']);
    await copy.close();
    void holder.all().catch(() => undefined);
    void waiting.all().catch(() => undefined);
    await server.kill('SIGKILL');
    server = await spawnServer({ dataDir, ollamaHost: ollama.url });
    const messages = await server.messages(sessionId);
    expect(messages.map(({ content }) => content)).toEqual(['hang 1', 't0 ', 'My precious text']);
    expect(messages.at(-1)).toMatchObject({
      message_id: start?.data.user_message_id,
      turn_id: start?.data.turn_id,
    });
    // Once: another start finds nothing to do.
    await server.kill('SIGKILL');
    server = await spawnServer({ dataDir, ollamaHost: ollama.url });
    expect(await server.messages(sessionId)).toHaveLength(3);
    expect((await server.get(`/turns/${start?.data.turn_id}`)).body.state).toBe('cancelled');
  }, 60_000);
});

describe('on_busy: interrupt', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ config: { maxConcurrentTurns: 1, maxQueuedTurns: 1 } });
    server.ollama.setDefault(behave);
  });
  afterAll(() => server.close());

  it('needs no place of its own in a server that is full, and keeps what it interrupts', async () => {
    const [busy, other] = [await server.createSession(), await server.createSession()];
    const running = await server.stream(`/chat/${busy}/stream`, { message: 'hang 1' });
    await readUntil(running, isNamed('content_delta'));
    const waiting = await server.stream(`/chat/${other}/stream`, { message: 'Waits for a slot' });
    await readUntil(waiting, isPhase('queued'));
    expect((await server.post(`/chat/${busy}`, { message: 'No room' })).status).toBe(503);

    const first = server.post(`/chat/${other}`, { message: 'Rather this', on_busy: 'interrupt' });
    expect((await waiting.all()).at(-1)?.data.state).toBe('cancelled');
    const second = server.post(`/chat/${busy}`, { message: 'Go on', on_busy: 'interrupt' });
    expect((await running.all()).at(-1)?.data.state).toBe('cancelled');
    expect([(await first).status, (await second).status]).toEqual([200, 200]);
    const textsOf = async (id: string) => (await server.messages(id)).map(({ content }) => content);
    expect(await textsOf(other)).toEqual(['Waits for a slot', 'Rather this', 'Fine.']);
    expect(await textsOf(busy)).toEqual(['hang 1', 't0 ', 'Go on', 'Fine.']);
  });
});

describe('a turn while it runs', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
    server.ollama.setDefault(behave);
  });
  afterAll(() => server.close());

  it('is the same wherever it is read, its receipt included', async () => {
    const sessionId = await server.createSession();
    const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'hang 2' });
    const events = await readUntil(stream, isNamed('content_delta'));
    const receipt = events.find(({ event }) => event === 'context')?.data;
    const turnId = events[0]?.data.turn_id;
    await expect.poll(async () => (await server.get(`/turns/${turnId}`)).body.last_event_id).toBe(6);
    const { body: turn } = await server.get(`/turns/${turnId}`);
    expect(turn).toMatchObject({ state: 'running', context: receipt, message_id: expect.any(String) });
    expect((await server.get(`/sessions/${sessionId}/turns`)).body.turns).toEqual([turn]);
    await expect
      .poll(async () => (await server.get(`/sessions/${sessionId}/status`)).body.context)
      .toEqual(receipt);
    stream.abort();
  });

  it.each([
    ['a header of no event of ours', { 'last-event-id': '0x3' }, ''],
    ['a header that is too long', { 'last-event-id': '9'.repeat(20) }, ''],
    ['a number that was not told yet', {}, '?after=99999'],
  ])('is watched to its end by %s', async (_name, headers, query) => {
    const sessionId = await server.createSession();
    const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'hang 1' });
    const [start] = await readUntil(stream, isNamed('content_delta'));
    const watching = fetch(`${server.url}/api/v1/turns/${start?.data.turn_id}/stream${query}`, { headers });
    const response = await watching;
    await server.post(`/turns/${start?.data.turn_id}/cancel`);
    expect(await response.text()).toMatch(/event: done\ndata: .+"state":"cancelled"/);
    await stream.all();
  });
});
