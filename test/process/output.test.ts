// What a running server prints, whatever state Ollama is in: one line that it is ready, a log, and never a secret.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { httpAnswer, mute, text } from '../fake-ollama/chat-script.ts';
import { type FakeOllama, startFakeOllama } from '../fake-ollama/fake-ollama.ts';
import type { Fault } from '../fake-ollama/fault.ts';
import { htmlAnswer } from '../fake-ollama/http-answer.ts';
import { cutAfter, script } from '../fake-ollama/script-modifiers.ts';
import { spawnServer } from '../support/spawned-server.ts';

/** One line that it is ready, and what to try. */
const READY =
  /^mochi-server 0\.1\.0 is ready at (http:\/\/127\.0\.0\.1:\d+) \(.+\)\nOpen http:\/\/127\.0\.0\.1:\d+\/ in a browser, or talk to it.*: .*mochi-server chat --port \d+, or\ncurl .+\n$/;
const SECRETS = ['key-of-alice', 'key-of-bob', 'ollama-user', 'ollama-word', btoa('ollama-user:ollama-word')];

let ollama: FakeOllama;
let folder: string;
beforeAll(async () => {
  ollama = await startFakeOllama();
  folder = await mkdtemp(join(tmpdir(), 'mochi-output-'));
});
afterAll(async () => {
  await ollama.close();
  await rm(folder, { recursive: true });
});

// Processes start slowly on a machine that does much else.
const SLOW_MACHINE_MS = 90_000;

describe('without Ollama', { timeout: SLOW_MACHINE_MS }, () => {
  it.each<[string, Fault | null]>([
    ['refuses connections', null],
    ['closes them at once', 'refuse'],
    ['never answers', 'mute'],
  ])('the port opens when Ollama %s, and what needs no model works', async (_, fault) => {
    if (fault === null) await ollama.stop();
    else ollama.fault('*', fault);
    const server = await spawnServer({
      dataDir: join(folder, `without-${fault}`),
      ollamaHost: ollama.url,
      env: { MOCHI_ENGINE_INFO_TIMEOUT_SECONDS: '0.2', MOCHI_LOG_FORMAT: 'pretty' },
    });
    expect(await server.get('/health')).toMatchObject({
      status: 200,
      body: { status: 'ok', ollama_connected: false, ollama_host: ollama.url },
    });
    expect(await server.get('/readyz')).toMatchObject({ status: 200 });
    expect(await server.get('/sessions', { 'x-request-id': 'from-the-test' })).toMatchObject({
      status: 200,
      body: { sessions: [] },
    });
    expect(await server.post('/sessions', { model: 'llama3.2' })).toMatchObject({
      status: 502,
      body: { detail: { error: { code: 'ollama_unreachable' } } },
    });
    const { status, stdout, stderr } = await server.kill('SIGTERM');
    expect(status).toBe(0);
    expect(stdout).toMatch(READY);
    // Readable when asked for, and the request can be found all the same.
    expect(stderr).toMatch(/request.*from-the-test/);
    expect(() => JSON.parse(stderr.split('\n', 1)[0] ?? '')).toThrow();
    if (fault === null) await ollama.restart();
    else ollama.fault('*', null);
  });
});

describe('a session with keys and credentials', () => {
  const answers: string[] = [];
  const withKey = { authorization: 'Bearer key-of-bob' };
  let stdout: string;
  let stderr: string;
  let url: string;
  let requestId: string;

  beforeAll(async () => {
    const server = await spawnServer({
      dataDir: join(folder, 'keys'),
      ollamaHost: ollama.url.replace('//', '//ollama-user:ollama-word@'),
      env: {
        MOCHI_API_KEYS: 'key-of-alice, key-of-bob',
        MOCHI_LOG_LEVEL: 'debug',
        MOCHI_FIRST_TOKEN_TIMEOUT_SECONDS: '0.2',
      },
    });
    url = server.url;
    const ask = async (
      method: string,
      path: string,
      body?: unknown,
      headers: Record<string, string> = withKey,
    ) => {
      const answer = await server.request(method, path, body, headers);
      answers.push(JSON.stringify([...answer.headers]), JSON.stringify(answer.body));
      return answer;
    };
    const { body, headers } = await ask('POST', '/sessions', { model: 'llama3.2' });
    requestId = headers.get('x-request-id') ?? '';
    const chat = `/chat/${body.session_id}`;
    await ask('POST', chat, { message: 'Hello' });
    const faults = [httpAnswer(htmlAnswer()), script(text('a', 'b'), cutAfter(1)), mute()];
    ollama.reply(...faults);
    for (const _ of faults)
      expect((await ask('POST', chat, { message: 'Hello?' })).status).toBeGreaterThan(500);
    const stream = await server.stream(`${chat}/stream`, { message: 'Hello!' }, withKey);
    answers.push(JSON.stringify(await stream.all()));
    await ask('GET', '/health');
    await ask('GET', '/models');
    await ask('GET', '/openapi.json');
    await ask('GET', `/sessions/none?key=key-of-alice`);
    expect((await ask('GET', '/sessions', undefined, { authorization: 'Bearer key-of-bobby' })).status).toBe(
      401,
    );
    expect((await ask('GET', '/sessions', undefined, { authorization: 'Basic key-of-alice' })).status).toBe(
      401,
    );
    await ollama.stop();
    expect((await ask('POST', chat, { message: 'Anybody?' })).status).toBe(502);
    expect((await ask('GET', '/models')).status).toBe(502);
    await ask('GET', '/health');
    ({ stdout, stderr } = await server.kill('SIGTERM'));
    await ollama.restart();
  }, SLOW_MACHINE_MS);

  it('says once where it is ready, and what to try', () => {
    expect(stdout).toMatch(READY);
    expect(READY.exec(stdout)?.[1]).toBe(url);
  });

  it('logs lines of JSON that tell which request they are about', () => {
    const lines = stderr.trimEnd().split('\n');
    const entries: Record<string, unknown>[] = lines.map((line) => JSON.parse(line));
    for (const entry of entries) {
      expect(entry).toMatchObject({
        level: expect.any(Number),
        time: expect.any(String),
        msg: expect.any(String),
      });
    }
    const requests = entries.filter(({ msg }) => msg === 'request');
    expect(requests.length).toBeGreaterThanOrEqual(15);
    for (const entry of requests) expect(entry['request_id']).toMatch(/^\w{8,}$/);
    const created = requests.find((entry) => entry['request_id'] === requestId);
    expect(created).toMatchObject({ method: 'POST', path: '/api/v1/sessions', status: 201 });
  });

  it('uses the credentials, and neither prints nor answers a secret', () => {
    const [basic] = ollama.requestsTo('/api/chat').map(({ headers }) => headers.authorization);
    expect(basic).toBe(`Basic ${btoa('ollama-user:ollama-word')}`);
    const said = [stdout, stderr, ...answers].join('\n');
    expect(SECRETS.filter((secret) => said.includes(secret))).toEqual([]);
    expect(said).toContain(new URL(ollama.url).host);
  });
});
