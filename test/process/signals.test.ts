// How the process ends when it is asked to: what runs may finish, what cannot is told and kept.
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { mute, text } from '../fake-ollama/chat-script.ts';
import { type FakeOllama, startFakeOllama } from '../fake-ollama/fake-ollama.ts';
import { hangAfter, pauseAfter, script } from '../fake-ollama/script-modifiers.ts';
import { eventually } from '../support/eventually.ts';
import { faultsOf, pathOf, readStore } from '../support/read-store.ts';
import { type SpawnedServer, spawnServer } from '../support/spawned-server.ts';

// Processes start slowly on a machine that does much else.
describe('signals', { timeout: 90_000 }, () => {
  let ollama: FakeOllama;
  let dataDir: string;
  beforeAll(async () => {
    ollama = await startFakeOllama();
    dataDir = await mkdtemp(join(tmpdir(), 'mochi-signals-'));
  });
  afterAll(async () => {
    await ollama.close();
    await rm(dataDir, { recursive: true });
  });

  async function start(graceSeconds: string, drainSeconds = '0'): Promise<SpawnedServer> {
    const env = { MOCHI_SHUTDOWN_GRACE_SECONDS: graceSeconds, MOCHI_DRAIN_SECONDS: drainSeconds };
    const server = await spawnServer({ dataDir, ollamaHost: ollama.url, env });
    // One that a failed test leaves would keep the folder from the next.
    onTestFinished(async () => void (await server.kill('SIGKILL')));
    return server;
  }

  /** Streams until the first piece of the answer. @returns what follows */
  async function startStream(server: SpawnedServer, sessionId: string, message: string) {
    const stream = await server.stream(`/chat/${sessionId}/stream`, { message });
    for (;;) {
      const { value, done } = await stream.events.next();
      if (done || value.event === 'content_delta') return stream;
    }
  }

  /** What a new connection meets. */
  async function tryConnect(server: SpawnedServer): Promise<'open' | 'refused'> {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    try {
      await once(socket, 'connect');
      return 'open';
    } catch {
      return 'refused';
    } finally {
      socket.destroy();
    }
  }

  it('SIGTERM at the very moment of the ready line ends the process in order', async () => {
    const server = await start('60');
    expect(await server.kill('SIGTERM')).toMatchObject({ status: 0, signal: null });
  });

  it('SIGTERM lets a turn finish, and exits with 0', async () => {
    const server = await start('60');
    const sessionId = await server.createSession();
    ollama.reply(script(text('Just ', 'a ', 'moment.'), pauseAfter(1, 500)));
    const stream = await startStream(server, sessionId, 'Wait for me');
    server.signal('SIGTERM');
    expect((await stream.all()).map(({ event, data }) => [event, data.content ?? data.state])).toEqual([
      ['content_delta', 'a '],
      ['content_delta', 'moment.'],
      ['message_complete', undefined],
      ['done', 'completed'],
    ]);
    expect(await server.exited).toMatchObject({ status: 0, signal: null });
    const rows = await readStore(dataDir);
    expect(faultsOf(rows)).toEqual([]);
    expect(pathOf(rows, sessionId).at(-1)).toMatchObject({ content: 'Just a moment.', status: 'complete' });
  });

  it('SIGTERM tells a load balancer first, and serves on until that has seen it', async () => {
    const server = await start('0.1', '60');
    expect((await server.get('/readyz')).headers.get('connection')).toBe('keep-alive');
    const sessionId = await server.createSession();
    server.signal('SIGTERM');
    await expect.poll(async () => (await server.get('/readyz')).status).toBe(503);
    const { headers, body } = await server.get('/readyz');
    expect([headers.get('connection'), headers.get('retry-after')]).toEqual(['close', '2']);
    expect(body.detail.error).toMatchObject({ code: 'not_accepting', details: { reason: 'stopping' } });
    expect((await server.get('/livez')).status).toBe(200);
    ollama.reply(text('Still here.'));
    expect((await server.chat(sessionId, { message: 'Hello?' })).body.message.content).toBe('Still here.');
    // Who does not want to wait says it again.
    await server.kill('SIGTERM');

    const brief = await start('0.1', '0.3');
    expect(await brief.kill('SIGTERM')).toMatchObject({ status: 0, signal: null });
    // Nobody who sits before it waits for a balancer.
    const watched = await start('0.1', '60');
    expect(await watched.kill('SIGINT')).toMatchObject({ status: 0, signal: null });
  });

  it('SIGTERM interrupts what is not done in time: every client is told, every part is kept', async () => {
    const server = await start('0.2');
    const [streamed, plain, silent] = [
      await server.createSession(),
      await server.createSession(),
      await server.createSession(),
    ];
    ollama.reply(script(text('Half ', 'of it'), hangAfter(1)), mute(), mute());
    const stream = await startStream(server, streamed, 'Tell me all');
    const waiting = server.post(`/chat/${plain}`, { message: 'Plainly' });
    await ollama.waitForRequest('/api/chat', ({ rawBody }) => rawBody.includes('Plainly'));
    const first = await server.stream(`/chat/${silent}/stream`, { message: 'One' });
    const second = await server.stream(`/chat/${silent}/stream`, { message: 'Two' });
    // A request that never becomes whole must not hold the end up.
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    await once(socket, 'connect');
    socket
      .on('error', () => undefined)
      .write('POST /api/v1/sessions HTTP/1.1\r\nhost: localhost\r\ncontent-le');

    server.signal('SIGTERM');
    for (const turn of [stream, first, second]) {
      const [error, done] = (await turn.all()).slice(-2);
      expect(error).toMatchObject({ event: 'error', data: { code: 'turn_interrupted' } });
      expect(done).toMatchObject({ event: 'done', data: { state: 'interrupted' } });
    }
    expect(await waiting).toMatchObject({
      status: 503,
      body: { detail: { error: { code: 'turn_interrupted' } } },
    });
    expect(await server.exited).toMatchObject({ status: 0, signal: null });

    const rows = await readStore(dataDir);
    expect(faultsOf(rows)).toEqual([]);
    const shown = (sessionId: string) =>
      pathOf(rows, sessionId).map(({ content, status }) => [content, status]);
    expect(shown(streamed)).toEqual([
      ['Tell me all', 'complete'],
      ['Half ', 'partial'],
    ]);
    expect(shown(plain)).toEqual([['Plainly', 'complete']]);
    expect(shown(silent)).toEqual([
      ['One', 'complete'],
      ['Two', 'complete'],
    ]);
    const states = rows.turns
      .filter(({ session_id }) => [streamed, plain, silent].includes(session_id))
      .map(({ state }) => state);
    expect(states).toEqual(['interrupted', 'interrupted', 'interrupted', 'interrupted']);
  });

  it('SIGTERM closes the port before it waits, and a second one ends the wait', async () => {
    const server = await start('3600');
    const sessionId = await server.createSession();
    ollama.reply(script(text('Never ', 'ending'), hangAfter(1)));
    const stream = await startStream(server, sessionId, 'How long?');
    const cut = expect(stream.all()).rejects.toThrow();
    server.signal('SIGTERM');
    await server.printed('stderr', /"stopping"/);
    await eventually(async () => expect(await tryConnect(server)).toBe('refused'));
    expect(server.isRunning).toBe(true);
    const { status, signal } = await server.kill('SIGTERM');
    expect({ status, signal }).toEqual({ status: 1, signal: null });
    await cut;

    const next = await start('0.2');
    const messages = await next.messages(sessionId);
    expect(messages.map(({ content, status }) => [content, status])).toEqual([
      ['How long?', 'complete'],
      ['Never ', 'partial'],
    ]);
    expect(await next.kill('SIGINT')).toMatchObject({ status: 0, signal: null });
    expect(faultsOf(await readStore(dataDir))).toEqual([]);
  });
});
