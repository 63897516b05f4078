// What holds for every answer: request ids, trailing slashes, HEAD, and one way to write a time.
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { text as textAnswer, toolCall } from '../fake-ollama/chat-script.ts';
import { nativeTool, skill, writeFiles } from '../support/agent-world.ts';
import { ADD, startToolServer, type ToolServer } from '../support/server-with-tools.ts';
import { sendRequest } from './raw-http.ts';
import { REQUEST_ID, TIMESTAMP } from './wire-formats.ts';

const document: { paths: Record<string, Record<string, unknown>> } = JSON.parse(
  readFileSync(new URL('../../openapi.json', import.meta.url), 'utf8'),
);
/** Other APIs have forms of their own. */
const isOwn = (path: string) => !/^\/(?:v1|ai)\/|^\/api\/(?!v1\/)/.test(path);
const readable = Object.keys(document.paths).filter(
  // This one has no end.
  (path) => 'get' in (document.paths[path] ?? {}) && isOwn(path) && path !== '/api/v1/approvals/stream',
);
/** Watched, and never read without a body. */
const isStream = (path: string) => /\/(stream|events)$/.test(path);

let server: ToolServer;
let turnId: string;
let sessionId: string;
/** What stands in paths, by the name of its parameter. */
let ids: Record<string, string>;
beforeAll(async () => {
  server = await startToolServer([ADD]);
  await server.post('/system-prompts', { filename: 'known.md', content: 'Known' });
  sessionId = await server.createSession({ model: 'llava:7b', system_prompt: 'S' });
  server.ollama.reply(toolCall('rm', {}), textAnswer('No.'));
  const image =
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
  turnId = (await server.chat(sessionId, { message: 'Hi', images: [image] })).body.turn_id;
  const question = (await server.messages(sessionId)).find(({ role }) => role === 'user');
  ids = { message_id: question?.message_id ?? '', ...(await openThings()) };
});

/** An approval that waits, a run of a tool, an agent and its chat. */
async function openThings(): Promise<Record<string, string>> {
  const asking = await server.createSession({ tool_settings: { tools: ['add_numbers'] } });
  server.ollama.reply(toolCall('add_numbers', { a: 1, b: 2 }));
  const waiting = await server.post(`/chat/${asking}`, { message: 'Add.', on_approval: 'return' });
  const run = await server.post('/tools/add_numbers/run', { arguments: { a: 1, b: 2 } });
  writeFiles(server.dataDir, {
    'agents/helper/SKILL.md': skill(),
    'agents/helper/index.mjs': nativeTool('look'),
  });
  await server.post('/agents/reload', undefined);
  const work = await server.post('/agents/agent/helper/chat', { instruction: 'Look.' });
  return {
    confirmation_id: waiting.body.approvals[0].confirmation_id,
    execution_id: run.body.execution_id,
    agent_chat: work.body.session_id,
  };
}
afterAll(() => server.close());

const fill = (path: string) =>
  path
    .replace('/agents/chats/{session_id}', `/agents/chats/${ids['agent_chat']}`)
    .replace('/agent/{name}', '/agent/helper')
    .replace('/images/{index}', '/images/0')
    .replace(/\{(message_id|confirmation_id|execution_id)\}/, (_whole, name) => ids[name] ?? '')
    .replace('{session_id}', sessionId)
    .replace('{turn_id}', turnId)
    .replace('/tools/{name}', '/tools/add_numbers')
    .replace('{name}', 'llama3.2')
    .replace('{filename}', 'known.md')
    .replace('{index}', '1')
    // What a call needs besides its path.
    .replace(/\/search\/?$/, '$&?q=Hi')
    .replace(/\/events\/?$/, '$&?follow=false');

describe('x-request-id', () => {
  it('is new for each answer', async () => {
    const ids = new Set<string | null>();
    for (const path of ['/livez', '/sessions', '/sessions/abc', '/nope', '/livez']) {
      const { headers } = await server.get(path);
      expect(headers.get('x-request-id')).toMatch(REQUEST_ID);
      ids.add(headers.get('x-request-id'));
    }
    expect(ids.size).toBe(5);
  });

  it.each(['abc', 'A-1_b.2:c', 'f'.repeat(128), '0f3c5a9d-21be-4a6e-8f2d-1b2c3d4e5f60'])(
    'is the own one of the client: %s',
    async (id) => {
      for (const path of ['/livez', '/sessions/abc', '/nope']) {
        const { headers } = await server.get(path, { 'x-request-id': id });
        expect(headers.get('x-request-id')).toBe(id);
      }
      const stream = await server.stream(
        `/chat/${sessionId}/stream`,
        { message: null },
        { 'x-request-id': id },
      );
      expect(stream.headers.get('x-request-id')).toBe(id);
      await stream.all();
    },
  );

  it.each(['', 'a b', 'a"b', '<script>', 'a,b', 'é', 'f'.repeat(129), 'a\tb', '${jndi:x}'])(
    'is replaced when it is not a plain one: "%s"',
    async (id) => {
      const { headers } = await sendRequest(server.url, { path: '/livez', headers: { 'x-request-id': id } });
      expect(headers.get('x-request-id')).toMatch(REQUEST_ID);
    },
  );
});

describe.each(readable)('GET %s', (path) => {
  it('answers the same with a slash at its end', async () => {
    const plain = await server.get(fill(path));
    const slashed = await server.get(fill(`${path}/`));
    expect([plain.status, slashed.status]).toEqual([200, 200]);
    expect(slashed.body).toEqual(plain.body);
  });

  it.runIf(isOwn(path))('answers HEAD without a body', async () => {
    const get = await sendRequest(server.url, { path: fill(path) });
    const head = await sendRequest(server.url, { method: 'HEAD', path: fill(path) });
    // Nobody watches without reading.
    expect([head.status, head.text]).toEqual([isStream(path) ? 405 : 200, '']);
    if (head.status === 405) return;
    for (const name of ['content-type', 'content-length']) {
      expect([name, head.headers.get(name)]).toEqual([name, get.headers.get(name)]);
    }
  });

  it('writes every time in UTC, with six fraction digits', async () => {
    const answer = await sendRequest(server.url, { path: fill(path) });
    const times = listTimes(answer.text);
    for (const time of times) expect(time).toMatch(TIMESTAMP);
    const hasTimes =
      /sessions|turns|search|executions|approvals|chats/.test(path) &&
      !/\/(status|summary|output|\{index\})$/.test(path);
    expect(times.length > 0).toBe(hasTimes);
  });
});

it.each([
  ['POST', '/api/v1/sessions/', { model: 'llama3.2' }, 201],
  ['PATCH', '/api/v1/sessions/{session_id}/', { title: 'T' }, 200],
  ['PUT', '/api/v1/sessions/{session_id}/messages/1/', { content: 'C' }, 200],
  ['PUT', '/api/v1/sessions/{session_id}/system-prompt/', { content: 'C' }, 200],
  ['POST', '/api/v1/sessions/{session_id}/fork/', {}, 201],
  ['POST', '/api/v1/sessions/{session_id}/summarize/', {}, 502],
  ['POST', '/api/v1/chat/{session_id}/', { message: 'M' }, 200],
  ['POST', '/api/v1/chat/{session_id}/stream/', { message: 'M' }, 200],
  ['DELETE', '/api/v1/sessions/{session_id}/system-prompt/', undefined, 204],
] as const)('%s %s works', async (method, path, body, status) => {
  expect((await server.request(method, fill(path), body)).status).toBe(status);
});

it.each(['', '/stream'])('POST /chat/{id}%s writes times the same way', async (route) => {
  const { text } = await sendRequest(server.url, {
    method: 'POST',
    path: `/api/v1/chat/${sessionId}${route}`,
    headers: { 'content-type': 'application/json' },
    body: '{"message":"One"}',
  });
  const times = listTimes(text);
  expect(times.length).toBeGreaterThan(0);
  for (const time of times) expect(time).toMatch(TIMESTAMP);
});

/** Every member of an answer, event data included, that is a time by its name and not null. */
function listTimes(answer: string): string[] {
  return [...answer.matchAll(/"\w*(?:_at|timestamp)": ?"([^"]*)"/g)].map(([, time = '']) => time);
}
