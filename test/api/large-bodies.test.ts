// Ten megabytes of structure: refused before they are built, by every route, while the others are served.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { expectError } from './wire-formats.ts';

const LENGTH = 10_000_000;

let server: TestServer;
let sessionId: string;
beforeAll(async () => {
  server = await startTestServer();
  sessionId = await server.createSession();
});
afterAll(() => server.close());

const fill = (item: string) => item.repeat(LENGTH / item.length).slice(0, -1);
const distinct = (write: (index: number) => string, length = 700_000) =>
  Array.from({ length }, (_, index) => write(index)).join();

const bodies: [string, string][] = [
  ['lists', `{"message":"Hi","x":[${fill('[],')}]}`],
  ['numbers', `{"message":"Hi","x":[${fill('1,')}]}`],
  ['objects', `{"message":"Hi","x":[${fill('{"a":1},')}]}`],
  ['short keys', `{${distinct((index) => `"${index.toString(36)}_":0`)},"message":"Hi"}`],
  ['keys that are indices', `{${distinct((index) => `"${index * 5003}":0`)},"message":"Hi"}`],
  ['short strings', `{"message":"Hi","x":[${distinct((index) => `"${index.toString(36)}"`)}]}`],
  [
    'distinct keys, few enough as values',
    `{${distinct((index) => `"${index}_":0`, 199_000)},"message":"Hi"}`,
  ],
  [
    'distinct keys in many objects',
    `{"message":"Hi","x":[${distinct((index) => `{"a${index}":0,"b${index}":0}`, 60_000)}]}`,
  ],
  ['levels', `{"message":"Hi","x":${'['.repeat(LENGTH / 2)}${']'.repeat(LENGTH / 2)}}`],
  ['opened levels', '['.repeat(LENGTH)],
];

describe.each(bodies)('%s', (_what, body) => {
  it('get 422, by their shape', async () => {
    const answer = await server.post(`/chat/${sessionId}`, body);
    expectError(answer, 422, 'validation_error');
    // The words of the scan: nothing was built before it spoke.
    expect(answer.body.detail.error.message).toMatch(
      /is nested over 64 levels|holds more than (200000 values|10000 distinct keys)/,
    );
  });
});

it('as many values as a long history has are taken', async () => {
  const messages = Array.from({ length: 10_000 }, (_, index) => ({ role: 'user', content: `n${index}` }));
  const { status } = await server.request('PATCH', `/sessions/${sessionId}`, { title: 'Long', x: messages });
  expect(status).toBe(200);
});

it('the longest text is no structure', async () => {
  const text = '[{,"'.repeat(1_000_000);
  const answer = await server.post(`/chat/${sessionId}`, { message: text });
  expectError(answer, 400, 'context_overflow');
});

it('lines of an import are bounded as bodies are, each by itself', async () => {
  const type = { 'content-type': 'application/x-ndjson' };
  for (const [, body] of bodies.filter(([what]) => !what.includes('levels'))) {
    const answer = await server.post('/sessions/import', `{"type":"session"}\n${body}\n`, type);
    expectError(answer, 422, 'validation_error');
    expect(answer.body.detail.error.message).toMatch(/line 2 holds more than \d+ (values|distinct keys)/);
  }
});
