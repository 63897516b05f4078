// The fake as a server: endpoints, recording, faults, stop and restart.
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { hugeLine, tokens } from './chat-script.ts';
import { type FakeOllama, startFakeOllama } from './fake-ollama.ts';
import { postChat } from './read-chat.ts';
import { everyMs, hangAfter, script } from './script-modifiers.ts';

let fake: FakeOllama;
beforeEach(async () => {
  fake = await startFakeOllama();
});
afterEach(() => fake.close());

async function get(path: string, init: RequestInit = {}) {
  const response = await fetch(fake.url + path, init);
  const text = await response.text();
  return { status: response.status, type: response.headers.get('content-type'), text };
}

async function getJson(path: string, body?: unknown) {
  const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
  const answer = await get(path, init);
  return { status: answer.status, body: JSON.parse(answer.text) };
}

test('answers the default chat with the counts of the documentation', async () => {
  const answer = await postChat(fake.url);
  expect(answer.contentType).toBe('application/x-ndjson');
  expect(answer.content).toBe('The capital of France is Paris.');
  expect(answer.lines.at(-2)).toMatchObject({
    model: 'llama3.2',
    message: { role: 'assistant', content: '' },
    done: true,
    done_reason: 'stop',
    prompt_eval_count: 31,
    eval_count: 7,
  });
});

test('a thinking model thinks unless it is told not to', async () => {
  const absent = await postChat(fake.url, { model: 'qwen3:14b' });
  const off = await postChat(fake.url, { model: 'qwen3:14b', think: false });
  expect(absent.text).toContain('"thinking":"The user asks"');
  expect(off.text).not.toContain('thinking');
  expect(off.content).toBe(absent.content);
});

test('lists and shows models', async () => {
  expect(await getJson('/api/version')).toEqual({ status: 200, body: { version: '0.33.0' } });
  const tags = (await getJson('/api/tags')).body.models;
  expect(tags.map((model: { name: string }) => model.name)).toContain('hf.co/org/repo:Q4_K_M');
  expect(tags[0]).toMatchObject({
    capabilities: ['completion', 'tools'],
    details: { context_length: 131_072 },
  });
  expect(tags[0].digest).toMatch(/^[0-9a-f]{64}$/);

  const shown = await getJson('/api/show', { model: 'QWEN3:14b' });
  expect(shown.body.model_info['qwen3.context_length']).toBe(40_960);
  expect(shown.body.capabilities).toEqual(['completion', 'tools', 'thinking']);
  expect((await getJson('/api/show', { name: 'old' })).body).not.toHaveProperty('capabilities');
  expect(await getJson('/api/show', { model: 'foo' })).toEqual({
    status: 404,
    body: { error: "model 'foo:latest' not found" },
  });
});

test('an old server tells no capabilities in its list', async () => {
  const old = await startFakeOllama({ version: '0.20.1' });
  const list = await (await fetch(`${old.url}/api/tags`)).text();
  await old.close();
  expect(list).not.toContain('capabilities');
  expect(list).not.toContain('context_length');
});

test('paths and methods', async () => {
  expect((await get('/')).text).toBe('Ollama is running');
  expect((await get('/api/version', { method: 'HEAD' })).status).toBe(200);
  expect(await get('/api/nope')).toEqual({
    status: 404,
    type: 'text/plain; charset=utf-8',
    text: '404 page not found',
  });
  expect((await get('/api/chat')).status).toBe(405);
  expect(await get('/api/tags', { headers: { origin: 'https://evil.example' } })).toMatchObject({
    status: 403,
    text: '',
  });
});

test('counts reloads and shows the window in use', async () => {
  fake.loadDelayMs = 60;
  const startedAt = performance.now();
  const answer = await postChat(fake.url, { options: { num_ctx: 8192 } });
  expect(performance.now() - startedAt).toBeGreaterThan(55);
  expect(answer.lines.at(-2)?.['load_duration']).toBeGreaterThan(55e6);
  await postChat(fake.url, { options: { num_ctx: 8192, temperature: 1 } });
  expect(fake.reloads).toEqual({});

  const reloading = postChat(fake.url, { options: { num_ctx: 999_999 } });
  await fake.waitForRequest('/api/chat', (request) => request.body?.options?.['num_ctx'] === 999_999);
  expect((await getJson('/api/ps')).body.models[0].context_length).toBe(0);
  await reloading;
  expect(fake.reloads).toEqual({ 'llama3.2:latest': 1 });
  expect((await getJson('/api/ps')).body.models).toMatchObject([
    { name: 'llama3.2:latest', context_length: 131_072 },
  ]);

  const unloaded = await postChat(fake.url, { messages: [], keep_alive: 0 });
  expect(unloaded.lines[0]).toMatchObject({ done: true, done_reason: 'unload' });
  expect((await getJson('/api/ps')).body.models).toEqual([]);
});

test('uses the queue first, then the default', async () => {
  fake.setDefault((body) => tokens(body.messages?.length ?? 0));
  fake.reply(tokens(3), () => tokens(2));
  expect((await postChat(fake.url)).content).toBe('t0 t1 t2 ');
  expect((await postChat(fake.url, { model: 'foo' })).status).toBe(404);
  expect(fake.pendingReplies).toBe(1);
  expect((await postChat(fake.url)).content).toBe('t0 t1 ');
  expect((await postChat(fake.url)).content).toBe('t0 ');
});

test('records requests and finds those that tests wait for', async () => {
  const waiting = fake.waitForRequest('/api/chat', (request) => request.body?.model === 'tiny');
  await postChat(fake.url);
  await postChat(fake.url, { model: 'tiny' });
  expect(await waiting).toBe(fake.requestsTo('/api/chat')[1]);
  const [first] = fake.requests;
  expect(first).toMatchObject({ method: 'POST', path: '/api/chat', aborted: false, abortedAt: null });
  expect(first?.body).toEqual(JSON.parse(first?.rawBody ?? ''));
  await expect(fake.waitForRequest('/api/show', undefined, 20)).rejects.toThrow('POST /api/chat');
});

test.each<[string, () => void]>([
  ['before the first byte', () => fake.reply(script(tokens(1), hangAfter(0)))],
  ['between chunks', () => fake.reply(script(tokens(100), everyMs(30)))],
  ['while loading', () => (fake.loadDelayMs = 10_000)],
  ['on a mute endpoint', () => fake.fault('/api/chat', 'mute')],
])('notices that a client has gone: %s', async (_, prepare) => {
  prepare();
  const client = httpRequest(`${fake.url}/api/chat`, { method: 'POST' });
  client.on('error', () => {}); // 'socket hang up', by our own doing
  client.end(JSON.stringify({ model: 'tiny', messages: [{ role: 'user', content: 'x' }] }));
  await fake.waitForRequest('/api/chat');
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(fake.requests[0]?.aborted).toBe(false);
  client.destroy();
  expect(fake.requestsTo('/api/chat')).toEqual([await fake.waitForAbort()]);
});

test('a client that stops reading holds the answer, and is missed when it goes', async () => {
  fake.reply(hugeLine(50_000_000));
  const body = '{"model":"tiny","messages":[]}'.replace('[]', '[{"role":"user","content":"x"}]');
  const socket = connect(fake.port, '127.0.0.1');
  socket.pause();
  socket.write(`POST /api/chat HTTP/1.1\r\nhost: x.local\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
  await fake.waitForRequest('/api/chat');
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(fake.requests[0]?.aborted).toBe(false);
  socket.destroy();
  await fake.waitForAbort();
});

test('faults of endpoints', async () => {
  fake.fault('/api/tags', 'error500');
  expect((await getJson('/api/tags')).status).toBe(500);
  fake.fault('/api/tags', 'html');
  expect(await get('/api/tags')).toMatchObject({ status: 502, type: 'text/html' });
  fake.fault('/api/tags', 'refuse');
  await expect(fetch(`${fake.url}/api/tags`)).rejects.toThrow('fetch failed');
  fake.fault('/api/tags', 'drop');
  await expect(get('/api/tags')).rejects.toThrow('terminated');
  fake.fault('/api/tags', null);
  fake.fault('*', 'mute');
  const signal = AbortSignal.timeout(100);
  await expect(fetch(fake.url, { signal })).rejects.toThrow('timeout');
  expect((await fake.waitForAbort()).path).toBe('/');
  expect(fake.requestsTo('/api/tags').filter((request) => request.aborted)).toEqual([]);
});

test('stop refuses connections, restart takes the same port', async () => {
  fake.reply(script(tokens(2), hangAfter(1)));
  const cut = postChat(fake.url);
  await fake.waitForRequest('/api/chat');
  await fake.stop();
  // Whether the first chunk made it or not: the connection broke, and not by the client.
  await cut.then((answer) => expect(answer.failure).toContain('terminated')).catch(() => {});
  expect(fake.openSockets).toBe(0);
  expect(fake.requests[0]?.aborted).toBe(false);
  await expect(connectTo(fake.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  await fake.restart();
  expect((await postChat(fake.url)).content).toContain('Paris');
});

test('close leaves nothing behind, whatever is under way', async () => {
  fake.reply(script(tokens(9), everyMs(60_000)), script(tokens(9), hangAfter(2)));
  const chats = [postChat(fake.url), postChat(fake.url)].map((chat) => chat.catch(() => null));
  await expect.poll(() => fake.requests.length).toBe(2);
  const waiting = expect(fake.waitForAbort()).rejects.toThrow('closed');
  expect(fake.openSockets).toBe(2);
  await fake.close();
  await Promise.all([...chats, waiting]);
  expect(fake.openSockets).toBe(0);
  await expect(connectTo(fake.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

function connectTo(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve();
    });
    socket.once('error', reject);
  });
}
