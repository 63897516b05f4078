// What holds for every answer: request ids, trailing slashes, HEAD, and one way to write a time.
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { text as textAnswer, toolCall } from '../fake-ollama/chat-script.ts';
import { ADD, startToolServer } from '../support/server-with-tools.ts';
import type { TestServer } from '../support/test-server.ts';
import { sendRequest } from './raw-http.ts';
import { REQUEST_ID, TIMESTAMP } from './wire-formats.ts';

const document: { paths: Record<string, Record<string, unknown>> } = JSON.parse(
  readFileSync(new URL('../../openapi.json', import.meta.url), 'utf8'),
);
const readable = Object.keys(document.paths).filter((path) => 'get' in (document.paths[path] ?? {}));

let server: TestServer;
let turnId: string;
let sessionId: string;
beforeAll(async () => {
  server = await startToolServer([ADD]);
  await server.post('/system-prompts', { filename: 'known.md', content: 'Known' });
  sessionId = await server.createSession({ system_prompt: 'S' });
  server.ollama.reply(toolCall('rm', {}), textAnswer('No.'));
  turnId = (await server.chat(sessionId, { message: 'Hi' })).body.turn_id;
});
afterAll(() => server.close());

const fill = (path: string) =>
  path
    .replace('{session_id}', sessionId)
    .replace('{turn_id}', turnId)
    .replace('/tools/{name}', '/tools/add_numbers')
    .replace('{name}', 'llama3.2')
    .replace('{filename}', 'known.md')
    .replace('{index}', '1')
    // What a call needs besides its path.
    .replace(/\/search\/?$/, '$&?q=Hi');

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

  it('answers HEAD without a body', async () => {
    const get = await sendRequest(server.url, { path: fill(path) });
    const head = await sendRequest(server.url, { method: 'HEAD', path: fill(path) });
    // Nobody watches a turn without reading it.
    expect([head.status, head.text]).toEqual([path.endsWith('/stream') ? 405 : 200, '']);
    if (head.status === 405) return;
    for (const name of ['content-type', 'content-length']) {
      expect([name, head.headers.get(name)]).toEqual([name, get.headers.get(name)]);
    }
  });

  it('writes every time in UTC, with six fraction digits', async () => {
    const answer = await sendRequest(server.url, { path: fill(path) });
    const times = listTimes(answer.text);
    for (const time of times) expect(time).toMatch(TIMESTAMP);
    const hasTimes = /sessions|turns|search/.test(path) && !/\/(status|summary)$/.test(path);
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
