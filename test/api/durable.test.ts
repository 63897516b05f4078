// What clients see of a disk that is slow, hangs or fails: nothing is told before it is kept.
import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { text } from '../fake-ollama/chat-script.ts';
import { hangAfter, script } from '../fake-ollama/script-modifiers.ts';
import { countStatements } from '../support/count-statements.ts';
import { HeldDisk } from '../support/held-disk.ts';
import type { StreamedEvent } from '../support/read-events.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

describe.skipIf(process.platform === 'darwin')('a disk that', () => {
  let server: TestServer;
  let disk: HeldDisk;
  let sessionId: string;
  afterEach(async () => {
    disk.release();
    await server.close();
  });

  async function start(): Promise<void> {
    disk = new HeldDisk();
    server = await startTestServer({ disk });
    sessionId = await server.createSession();
  }

  /** Says what the promise came to, once it did. */
  function settled<T>(promise: Promise<T>): { readonly value: T | undefined } {
    const state: { value: T | undefined } = { value: undefined };
    void promise.then((value) => {
      state.value = value;
    });
    return state;
  }

  it('is slow: neither the client nor the engine hears of a message before it is kept, nor the client of its answer', async () => {
    await start();
    server.ollama.reply(text('Kept', '.'));
    disk.hold();
    const begun = disk.syncs;
    let answer: ReturnType<TestServer['stream']> | undefined;
    await countStatements(async (soFar) => {
      answer = server.stream(`/chat/${sessionId}/stream`, { message: 'Hello' });
      await disk.began(begun + 1);
      // What is to be asked is planned meanwhile: the history was read.
      while (!soFar.some((statement) => statement.includes('order by "depth" desc'))) await setImmediate();
    });
    const asked = answer ?? Promise.reject(new Error('Nothing was asked.'));
    const opened = settled(asked);
    // Others are answered meanwhile, and see what is committed.
    expect((await server.messages(sessionId)).map(({ content }) => content)).toEqual(['Hello']);
    expect(opened.value).toBeUndefined();
    expect(server.ollama.requestsTo('/api/chat')).toEqual([]);
    disk.release();

    const { events } = await asked;
    const told: StreamedEvent[] = [];
    const next = async () => {
      const { value } = await events.next();
      if (value !== undefined) told.push(value);
      return value?.event;
    };
    disk.hold();
    const before = disk.syncs;
    while ((await next()) !== 'content_delta');
    const rest = settled(
      (async () => {
        while ((await next()) !== 'done');
        return 'all';
      })(),
    );
    await disk.began(before + 1);
    expect((await server.messages(sessionId)).at(-1)).toMatchObject({ content: 'Kept.', status: 'complete' });
    expect((await server.get('/livez')).status).toBe(200);
    expect(told.map(({ event }) => event)).not.toContain('message_complete');
    disk.release();
    await expect.poll(() => rest.value).toBe('all');
    expect(told.at(-2)?.event).toBe('message_complete');
  });

  it('is slow: whoever reads that a turn has ended is not refused for it', async () => {
    await start();
    const ended = async () => {
      const { body } = await server.get(`/sessions/${sessionId}`);
      return body.message_count % 2 === 0 && body.active_turn === null;
    };
    const rejecting = () => server.post(`/chat/${sessionId}`, { message: 'Next', on_busy: 'reject' });
    const instructing = () =>
      server.request('PUT', `/sessions/${sessionId}/system-prompt`, { content: 'Be kind.' });
    for (const next of [rejecting, instructing]) {
      server.ollama.reply(text('Fine.'), text('Fine.'));
      const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'Hello' });
      for (let event = ''; event !== 'turn_start'; ) event = (await stream.events.next()).value?.event ?? '';
      disk.hold();
      await expect.poll(ended).toBe(true);
      const answer = settled(next());
      disk.release();
      await expect.poll(() => answer.value?.status).toBe(200);
      await stream.all();
    }
  });

  it('hangs: whoever stores something waits, the rest is answered, and the probe says so', async () => {
    await start();
    expect((await server.get('/readyz')).status).toBe(200);
    disk.hold();
    const begun = disk.syncs;
    const created = server.post('/sessions', {});
    await disk.began(begun + 1);
    disk.skipTime(6000);
    expect(await server.get('/readyz')).toMatchObject({
      status: 503,
      body: { detail: { error: { code: 'database_busy', details: { reason: 'sync_hangs' } } } },
    });
    expect((await server.get('/livez')).status).toBe(200);
    expect((await server.get('/sessions')).status).toBe(200);
    disk.release();
    expect((await created).status).toBe(201);
    expect((await server.get('/readyz')).status).toBe(200);
  });

  it('fails: whoever waits is told, nothing more is stored, what there is can be read, and a start finds it whole', async () => {
    await start();
    const asked = await server.createSession();
    server.ollama.reply(script(text('one ', 'two '), hangAfter(2)));
    const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'Long' });
    for (let event = ''; event !== 'content_delta'; ) event = (await stream.events.next()).value?.event ?? '';
    disk.hold();
    const begun = disk.syncs;
    const waiting = [
      server.post('/sessions', {}),
      server.post(`/chat/${asked}/stream`, { message: 'Lost?' }),
    ];
    await disk.began(begun + 1);
    await expect.poll(async () => (await server.get('/sessions')).body.sessions.length).toBe(3);
    await expect.poll(async () => (await server.messages(asked)).length).toBe(1);
    disk.fail();
    for (const { status, body } of await Promise.all(waiting)) {
      expect({ status, ...body.detail.error }).toMatchObject({
        status: 500,
        code: 'session_save_error',
        details: { reason: 'eio' },
      });
    }
    const refusal = {
      status: 503,
      body: { detail: { error: { code: 'storage_lost', details: { reason: 'sync_failed' } } } },
    };
    expect(await server.post('/sessions', {})).toMatchObject(refusal);
    // The engine was never asked for the turn that nobody can promise to keep.
    expect(server.ollama.requestsTo('/api/chat').map(({ rawBody }) => rawBody.includes('Lost?'))).toEqual([
      false,
    ]);
    expect(await server.get('/readyz')).toMatchObject(refusal);
    expect((await server.messages(sessionId)).at(0)).toMatchObject({ content: 'Long' });
    // The turn that ran cannot be stored: its watchers are told the end all the same.
    await server.post(`/turns/${stream.headers.get('x-turn-id')}/cancel`);
    expect((await stream.all()).at(-1)).toMatchObject({ event: 'done' });

    disk = new HeldDisk();
    await server.restart({}, { disk });
    expect((await server.get('/readyz')).status).toBe(200);
    expect((await server.messages(sessionId)).map(({ content, status }) => [content, status])).toEqual([
      ['Long', 'complete'],
      ['one two ', 'partial'],
    ]);
    server.ollama.reply(text('Again.'));
    expect((await server.chat(sessionId, { message: 'Once more' })).status).toBe(200);
  });
});
