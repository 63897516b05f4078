// A key stands for its turn over a restart too.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { text } from '../fake-ollama/chat-script.ts';
import type { StreamedEvent } from '../support/read-events.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { askedOf, behave } from './behave.ts';
import { closingOf, isNamed, namesOf, readUntil } from './watching.ts';

const FORMAT = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };

/** What is asked before the restart and again after it. */
const requests = {
  plain: { message: 'Hello' },
  tools: { message: 'tool and then answer' },
  thinking: { message: 'Think', think: true },
  structured: { message: 'As JSON', format: FORMAT },
  window: { message: 'Small', options: { num_ctx: 2048 } },
  failed: { message: 'fail 0' },
  cut: { message: 'fail 2' },
} as const;
type Name = keyof typeof requests;
const names = Object.keys(requests) as Name[];

let server: TestServer;
let calls = 0;
const sessions = new Map<Name, string>();
const answers = new Map<Name, { status: number; body: any; turnId: string | null }>();
const streams = new Map<Name, StreamedEvent[]>();

const key = { 'idempotency-key': 'once' };
const sessionOf = (name: Name) => sessions.get(name) ?? '';

async function post(name: Name) {
  const { status, body, headers } = await server.post(`/chat/${sessionOf(name)}`, requests[name], key);
  return { status, body, turnId: headers.get('x-turn-id') };
}

beforeAll(async () => {
  server = await startTestServer();
  server.ollama.setDefault((body) =>
    askedOf({ body }) === 'As JSON' ? text('{"city":', '"Paris"}') : behave(body),
  );
  for (const name of names) {
    sessions.set(name, await server.createSession({ model: 'qwen3:14b' }));
    answers.set(name, await post(name));
    const stream = await server.stream(`/chat/${sessionOf(name)}/stream`, requests[name], key);
    streams.set(name, await stream.all());
  }
  await server.restart();
  calls = server.ollama.requestsTo('/api/chat').length;
});
afterAll(() => server.close());

describe('after a restart', () => {
  it.each(names)('the plain answer is the same: %s', async (name) => {
    expect(await post(name)).toEqual(answers.get(name));
  });

  it.each(names)('the stream is a snapshot and the same end: %s', async (name) => {
    const stream = await server.stream(`/chat/${sessionOf(name)}/stream`, requests[name], key);
    const told = await stream.all();
    const live = streams.get(name) ?? [];
    expect(namesOf(told)).toEqual(['snapshot', ...namesOf(closingOf(live))]);
    expect(closingOf(told)).toEqual(closingOf(live));
  });

  it('another body is refused', async () => {
    const { status, body } = await server.post(`/chat/${sessionOf('plain')}`, { message: 'Other' }, key);
    expect([status, body.detail.error.code]).toEqual([422, 'idempotency_mismatch']);
  });

  it('the engine was not asked, and nothing was stored', async () => {
    expect(server.ollama.requestsTo('/api/chat')).toHaveLength(calls);
    for (const name of names) {
      expect((await server.get(`/sessions/${sessionOf(name)}/turns`)).body.turns).toHaveLength(2);
    }
  });

  it('a turn that the stop cut short repeats that', async () => {
    const sessionId = await server.createSession();
    const body = { message: 'hang 2' };
    const stream = await server.stream(`/chat/${sessionId}/stream`, body, key);
    await readUntil(stream, isNamed('content_delta'));
    const rest = stream.all();
    await server.restart();
    const events = await rest;
    const repeated = await server.stream(`/chat/${sessionId}/stream`, body, key);
    expect(repeated.headers.get('x-turn-id')).toBe(stream.headers.get('x-turn-id'));
    const told = await repeated.all();
    expect(closingOf(told)).toEqual(closingOf(events));
    expect(closingOf(told)).toMatchObject([
      { data: { code: 'turn_interrupted' } },
      { data: { state: 'interrupted' } },
    ]);
  });
});
