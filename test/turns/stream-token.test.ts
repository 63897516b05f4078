// EventSource cannot send a key: a token in the address opens the stream of one turn, for a while.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventSource } from 'undici';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { expectError } from '../api/wire-formats.ts';
import { startFakeOllama } from '../fake-ollama/fake-ollama.ts';
import { spawnServer } from '../support/spawned-server.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { behave, spoken } from './behave.ts';
import { isNamed, readUntil } from './watching.ts';

const KEY = 'sk-the-key';
const withKey = { authorization: `Bearer ${KEY}` };

let server: TestServer;
let turnId: string;
let token: string;
beforeAll(async () => {
  server = await startTestServer({ config: { apiKeys: [KEY] } });
  server.ollama.setDefault(behave);
  turnId = await chatOnce('pace 20');
  const issued = await server.post(`/turns/${turnId}/stream-token`, undefined, withKey);
  expect([issued.status, issued.headers.get('cache-control')]).toEqual([200, 'no-store']);
  expect(issued.body).toEqual({ token: expect.stringMatching(/^[\w.-]{30,100}$/), expires_in_seconds: 600 });
  token = issued.body.token;
});
afterAll(() => server.close());

/** @returns the id of a turn that has ended */
async function chatOnce(message: string): Promise<string> {
  const { session_id: id } = (await server.post('/sessions', { model: 'llama3.2' }, withKey)).body;
  const { body } = await server.post(`/chat/${id}`, { message }, withKey);
  return body.turn_id;
}

const openStream = (id: string, query: string) => server.get(`/turns/${id}/stream${query}`);

describe('a token', () => {
  it('opens the stream of its turn, as often as it is used', async () => {
    for (let round = 0; round < 2; round += 1) {
      const { status, body } = await openStream(turnId, `?token=${token}`);
      expect(status).toBe(200);
      expect(body).toContain('event: done');
    }
    expect((await openStream(turnId, `?token=${token}&after=3`)).body).not.toContain('id: 3\n');
  });

  it('is all that EventSource needs, over a connection that breaks too', async () => {
    const source = new EventSource(`${server.url}/api/v1/turns/${turnId}/stream?token=${token}`);
    onTestFinished(() => source.close());
    let said = '';
    await new Promise<void>((resolve, reject) => {
      source.addEventListener('content_delta', (event) => {
        said += JSON.parse((event as MessageEvent).data).content;
      });
      source.addEventListener('done', () => resolve());
      source.addEventListener('error', () => reject(new Error('the stream was not opened')));
    });
    expect(said).toBe(spoken(20));
  });

  it('opens the stream of a turn that runs', async () => {
    const { session_id: id } = (await server.post('/sessions', { model: 'llama3.2' }, withKey)).body;
    const stream = await server.stream(`/chat/${id}/stream`, { message: 'hang 2' }, withKey);
    onTestFinished(() => stream.abort());
    await readUntil(stream, isNamed('content_delta'));
    const running = stream.headers.get('x-turn-id') ?? '';
    const issued = await server.post(`/turns/${running}/stream-token`, undefined, withKey);
    const watched = await fetch(`${server.url}/api/v1/turns/${running}/stream?token=${issued.body.token}`);
    expect([watched.status, watched.headers.get('content-type')]).toEqual([
      200,
      'text/event-stream; charset=utf-8',
    ]);
    await server.post(`/turns/${running}/cancel`, undefined, withKey);
    expect(await watched.text()).toContain('"state":"cancelled"');
  });

  it('opens nothing else', async () => {
    const other = await chatOnce('pace 2');
    const { session_id: id } = (await server.get(`/turns/${turnId}`, withKey)).body;
    for (const [method, path] of [
      ['GET', `/turns/${other}/stream`],
      ['GET', `/turns/${turnId}`],
      ['POST', `/turns/${turnId}/cancel`],
      ['POST', `/turns/${turnId}/stream-token`],
      ['GET', `/sessions/${id}/messages`],
      ['POST', `/chat/${id}/stream`],
      ['GET', '/sessions'],
      ['HEAD', `/turns/${turnId}/stream`],
    ] as const) {
      const answer = await fetch(`${server.url}/api/v1${path}?token=${token}`, { method });
      expect([method, path, answer.status]).toEqual([method, path, 401]);
    }
    // As a key it is none.
    expect((await server.get('/sessions', { authorization: `Bearer ${token}` })).status).toBe(401);
  });

  it.each([
    ['none', () => ''],
    ['an empty one', () => '?token='],
    ['a key', () => `?token=${KEY}`],
    ['one that was changed', () => `?token=${token.slice(0, -2)}${token.endsWith('AA') ? 'BB' : 'AA'}`],
    ['one that is longer', () => `?token=${token}A`],
    ['one with a later time', () => `?token=${token.replace(/^[^.]+/, 'zzzzzz')}`],
    ['two', () => `?token=${token}&token=${token}`],
    ['a part', () => `?token=${token.split('.')[1]}`],
    ['a long one', () => `?token=${'a'.repeat(5000)}`],
  ])('must be whole: %s is 401', async (_which, query) => {
    const answer = await openStream(turnId, query());
    expectError(answer, 401, 'unauthorized');
    expect(JSON.stringify(answer.body)).not.toContain(token.slice(0, 20));
    if (query().length > 10) expect(answer.body.detail.error.message).toContain('/stream-token');
  });

  it('is issued for a turn that there is, to who has a key', async () => {
    expectError(await server.post(`/turns/${turnId}/stream-token`), 401, 'unauthorized');
    expectError(
      await server.post('/turns/turn_none/stream-token', undefined, withKey),
      404,
      'turn_not_found',
    );
  });
});

it('no token reaches the log', { timeout: 60_000 }, async () => {
  const ollama = await startFakeOllama();
  const dataDir = await mkdtemp(join(tmpdir(), 'mochi-token-'));
  const spawned = await spawnServer({
    dataDir,
    ollamaHost: ollama.url,
    env: { MOCHI_API_KEYS: KEY, MOCHI_LOG_LEVEL: 'debug', MOCHI_LOG_FORMAT: 'json' },
  });
  onTestFinished(async () => {
    await spawned.kill('SIGKILL');
    await ollama.close();
    await rm(dataDir, { recursive: true });
  });
  const { session_id: id } = (await spawned.post('/sessions', { model: 'llama3.2' }, withKey)).body;
  const turn = (await spawned.post(`/chat/${id}`, { message: 'Hi' }, withKey)).body.turn_id;
  const issued = await spawned.post(`/turns/${turn}/stream-token`, undefined, withKey);
  const given = issued.body.token;
  expect((await spawned.get(`/turns/${turn}/stream?token=${given}`)).status).toBe(200);
  expect((await spawned.get(`/turns/${turn}/stream?token=${given}x`)).status).toBe(401);
  expect((await spawned.get(`/no/such/path?token=${given}`, withKey)).status).toBe(404);
  const { stdout, stderr } = await spawned.kill('SIGTERM');
  expect(stderr).toContain(`/api/v1/turns/${turn}/stream`);
  expect(stdout + stderr).not.toContain(given);
});

it('without keys, a token is neither needed nor looked at', async () => {
  const open = await startTestServer();
  onTestFinished(() => open.close());
  const sessionId = await open.createSession();
  const { turn_id: turn } = (await open.chat(sessionId, { message: 'Hi' })).body;
  expect((await open.post(`/turns/${turn}/stream-token`)).status).toBe(200);
  expect((await open.get(`/turns/${turn}/stream?token=anything`)).status).toBe(200);
});
