// A full disk, page by page: the client is told, the server lives on, nothing that was acknowledged is lost.
// The disk of the process is full when a limit on the size of its files says so.
import { statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import SqliteDriver from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { text, tokens, toolCall } from '../fake-ollama/chat-script.ts';
import { type FakeOllama, startFakeOllama } from '../fake-ollama/fake-ollama.ts';
import { everyMs, hangAfter, script } from '../fake-ollama/script-modifiers.ts';
import { eventually } from '../support/eventually.ts';
import { faultsOf, pathOf, readStore } from '../support/read-store.ts';
import { type SpawnedServer, spawnServer } from '../support/spawned-server.ts';

const MODEL = { name: 'strict:latest', capabilities: ['completion', 'tools'], strictTemplate: true };
const SAVE_ERROR = { detail: { error: { code: 'session_save_error', message: expect.any(String) } } };
/** A page and its header, as the write-ahead log holds them, and the header of the log. */
const FRAME = 4096 + 24;
const LOG_HEADER = 32;
/** More than a whole turn writes. */
const MAX_PAGES = 150;

/** Processes start slowly on a machine that does much else. */
const SLOW_MACHINE_MS = 90_000;

let ollama: FakeOllama;
let dataDir: string;
let server: SpawnedServer;
beforeAll(async () => {
  ollama = await startFakeOllama({ models: [MODEL] });
  dataDir = await mkdtemp(join(tmpdir(), 'mochi-full-'));
  server = await spawnServer({ dataDir, ollamaHost: ollama.url });
}, SLOW_MACHINE_MS);
afterAll(async () => {
  await server.kill('SIGTERM');
  await ollama.close();
  await rm(dataDir, { recursive: true });
});

const newSession = () => server.createSession({ model: MODEL.name });

/** Room for so many pages; the log grows by one for each page of a commit, and holds none before. */
function leaveRoomFor(pages: number): void {
  const driver = new SqliteDriver(join(dataDir, 'mochi.db'));
  const [{ busy }] = driver.pragma('wal_checkpoint(truncate)') as [{ busy: number }];
  driver.close();
  expect(busy).toBe(0);
  server.limitFiles(LOG_HEADER + pages * FRAME);
}

/** No write succeeds any more. */
function fillUp(): void {
  server.limitFiles(statSync(join(dataDir, 'mochi.db-wal')).size);
}

describe('a full disk', { timeout: SLOW_MACHINE_MS }, () => {
  it('answers 500 in the envelope, shows what is there, and works again when there is room', async () => {
    const sessionId = await newSession();
    await server.chat(sessionId, { message: 'before' });
    const before = await server.messages(sessionId);
    fillUp();
    const chat = `/chat/${sessionId}`;
    expect(await server.post(chat, { message: 'lost' })).toMatchObject({ status: 500, body: SAVE_ERROR });
    expect((await server.stream(`${chat}/stream`, { message: 'lost' })).status).toBe(500);
    expect(await server.post('/sessions', { model: MODEL.name })).toMatchObject({
      status: 500,
      body: SAVE_ERROR,
    });
    const session = `/sessions/${sessionId}`;
    for (const [method, path, body] of [
      ['PATCH', session, { title: 'lost' }],
      ['PUT', `${session}/messages/0`, { content: 'lost' }],
      ['PUT', `${session}/system-prompt`, { content: 'lost' }],
      ['POST', `${session}/fork`, {}],
      ['DELETE', session, undefined],
    ] as const) {
      const answer = await server.request(method, path, body);
      expect([method, path, answer.status, answer.body]).toMatchObject([method, path, 500, SAVE_ERROR]);
      expect(answer.body.detail.error.message).not.toContain(dataDir);
    }
    expect(await server.messages(sessionId)).toEqual(before);
    expect((await server.get('/sessions')).body.sessions).toHaveLength(1);
    expect(await server.get('/livez')).toMatchObject({ status: 200 });

    server.limitFiles(null);
    await server.chat(sessionId, { message: 'after' });
    const contents = (await server.messages(sessionId)).map(({ content }) => content);
    expect(contents.filter((_, index) => index % 2 === 0)).toEqual(['before', 'after']);
    expect(faultsOf(await readStore(dataDir, sessionId))).toEqual([]);
  });

  it('is told in the middle of a stream; the part stays, and the session goes on', async () => {
    const sessionId = await newSession();
    ollama.reply(script(tokens(600), everyMs(100)));
    const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'Tell me all' });
    await eventually(async () => expect(await server.messages(sessionId)).toHaveLength(2));
    fillUp();
    const [error, done] = (await stream.all()).slice(-2);
    expect(error).toMatchObject({ event: 'error', data: { code: 'session_save_error' } });
    expect(done).toMatchObject({ event: 'done', data: { state: 'failed' } });
    const [question, part] = await server.messages(sessionId);
    expect(part.content).toMatch(/^t0 /);

    server.limitFiles(null);
    await server.chat(sessionId, { message: 'Go on' });
    expect(await server.messages(sessionId)).toMatchObject([
      question,
      { content: part.content, status: 'partial' },
      { content: 'Go on', status: 'complete' },
      { role: 'assistant', status: 'complete' },
    ]);
    expect(faultsOf(await readStore(dataDir, sessionId))).toEqual([]);
  });

  it('loses no message that waits in line', async () => {
    const sessionId = await newSession();
    ollama.reply(script(text('Half', ' of it'), hangAfter(1)));
    const first = await server.stream(`/chat/${sessionId}/stream`, { message: 'first' });
    const second = await server.stream(`/chat/${sessionId}/stream`, { message: 'second' });
    const { value } = await second.events.next();
    await eventually(async () => expect(await server.messages(sessionId)).toHaveLength(2));
    fillUp();
    first.abort();
    expect((await second.all()).slice(-2)).toMatchObject([
      { event: 'error', data: { code: 'session_save_error' } },
      { event: 'done', data: { state: 'failed' } },
    ]);

    server.limitFiles(null);
    await server.chat(sessionId, { message: 'third' });
    const messages = await server.messages(sessionId);
    expect(messages.map(({ content }) => content)).toContain('second');
    expect(messages.map(({ message_id }) => message_id)).toContain(value?.data.user_message_id);
    expect(faultsOf(await readStore(dataDir, sessionId))).toEqual([]);
  });

  it('stops a turn at any page without leaving a session that cannot go on', async () => {
    ollama.setDefault(({ messages = [] }) =>
      messages.at(-1)?.content === 'use a tool' ? toolCall('look', { at: 'it' }) : text('Fine', '.'),
    );
    const states = new Set<string>();
    const faults: unknown[] = [];
    for (let pages = 0; pages < MAX_PAGES && !states.has('completed'); pages += 1) {
      const sessionId = await newSession();
      leaveRoomFor(pages);
      const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'use a tool' });
      const events = stream.status === 200 ? await stream.all() : [];
      server.limitFiles(null);
      const state = events.at(-1)?.data.state ?? 'refused';
      states.add(state);

      await server.chat(sessionId, { message: 'go on' });
      const rows = await readStore(dataDir, sessionId);
      const found = faultsOf(rows);
      const acknowledged = events[0]?.data.user_message_id;
      if (acknowledged !== undefined && pathOf(rows, sessionId)[0]?.id !== acknowledged) found.push('lost');
      if (found.length > 0) faults.push({ pages, state, found });
    }
    ollama.setDefault(null);
    expect(faults).toEqual([]);
    expect(states).toEqual(new Set(['refused', 'failed', 'completed']));
  });
});
