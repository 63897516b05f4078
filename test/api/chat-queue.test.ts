// Turns in line: one at a time per session in the order of arrival, so many at once in all, and a clear no
// when too many wait.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { httpError, text } from '../fake-ollama/chat-script.ts';
import { hangAfter, script } from '../fake-ollama/script-modifiers.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

type EventStream = Awaited<ReturnType<TestServer['stream']>>;

/** Reads on until an event of that name; its payload. */
async function until({ events }: EventStream, name: string): Promise<any> {
  for (;;) {
    const { value, done } = await events.next();
    if (done) throw new Error(`the stream ended before ${name}`);
    if (value.event === name) return value.data;
  }
}

const holding = script(text('Wait', ' for me'), hangAfter(1));

describe('turns of one session', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server.close());

  const told = async (sessionId: string) =>
    (await server.messages(sessionId)).map(({ role, content }) => `${role}: ${content}`);
  const stream = (sessionId: string, message: string) =>
    server.stream(`/chat/${sessionId}/stream`, { message });

  it('run one after the other, in the order of arrival', async () => {
    const sessionId = await server.createSession();
    const started = server.ollama.requestsTo('/api/chat').length;
    server.ollama.reply(holding, text('Two.'), text('Three.'));
    const first = await stream(sessionId, 'First?');
    await until(first, 'content_delta');
    const second = await stream(sessionId, 'Second?');
    expect(await until(second, 'status')).toMatchObject({ phase: 'queued', position: 1 });
    const third = await stream(sessionId, 'Third?');
    expect(await until(third, 'status')).toMatchObject({ phase: 'queued', position: 2 });
    expect(server.ollama.requestsTo('/api/chat')).toHaveLength(started + 1);
    first.abort();
    expect((await second.all()).at(-1)?.data.state).toBe('completed');
    expect((await third.all()).at(-1)?.data.state).toBe('completed');
    expect(await told(sessionId)).toEqual([
      'user: First?',
      'assistant: Wait',
      'user: Second?',
      'assistant: Two.',
      'user: Third?',
      'assistant: Three.',
    ]);
    const prompts = server.ollama.requestsTo('/api/chat').slice(started);
    expect(prompts.map(({ body }) => body?.messages?.length)).toEqual([1, 3, 5]);
  });

  it('never mix, however many come at once', async () => {
    const sessionId = await server.createSession();
    const asked = Array.from({ length: 8 }, (_, index) => `Question ${index}?`);
    server.ollama.setDefault((body) => text('Answer to ', body.messages?.at(-1)?.content ?? '', '.'));
    const answers = await Promise.all(asked.map((message) => server.chat(sessionId, { message })));
    server.ollama.setDefault(null);
    for (const [index, { body }] of answers.entries()) {
      expect(body.message.content).toBe(`Answer to ${asked[index]}.`);
    }
    const lines = await told(sessionId);
    const questions = lines.filter((_, index) => index % 2 === 0).map((line) => line.replace('user: ', ''));
    expect(questions.toSorted()).toEqual(asked);
    expect(lines.filter((_, index) => index % 2 === 1)).toEqual(
      questions.map((question) => `assistant: Answer to ${question}.`),
    );
  });

  it('keep the id that a waiting turn was told for its message, also when the same text failed before it', async () => {
    const sessionId = await server.createSession();
    server.ollama.reply(
      script(httpError(500, 'no'), (base) => ({ ...base, firstTokenMs: 250 })),
      text('Yes.'),
    );
    const first = await stream(sessionId, 'Again?');
    await until(first, 'turn_start');
    const second = await stream(sessionId, 'Again?');
    const { user_message_id: promised } = await until(second, 'turn_start');
    await Promise.all([first.all(), second.all()]);
    expect((await server.messages(sessionId)).map(({ message_id: id }) => id)).toContain(promised);
  });

  it('are eight in line at most: the next is refused with the turn that holds the session', async () => {
    const sessionId = await server.createSession();
    server.ollama.reply(holding);
    const holder = await stream(sessionId, 'Hold?');
    await until(holder, 'content_delta');
    const waiting: EventStream[] = [];
    for (let position = 1; position <= 8; position += 1) {
      const next = await stream(sessionId, `Waiting ${position}?`);
      expect(await until(next, 'status')).toMatchObject({ phase: 'queued', position });
      waiting.push(next);
    }
    for (const route of [`/chat/${sessionId}`, `/chat/${sessionId}/stream`]) {
      const { status, body } = await server.post(route, { message: 'One too many?' });
      expect([status, body.detail.error.code]).toEqual([409, 'session_busy']);
      expect(body.detail.error.details).toMatchObject({
        session_id: sessionId,
        turn_id: holder.headers.get('x-turn-id'),
      });
    }
    holder.abort();
    for (const next of waiting) expect((await next.all()).at(-1)?.data.state).toBe('completed');
    const questions = (await told(sessionId)).filter((line) => line.startsWith('user'));
    expect(questions).toEqual(
      ['Hold?', ...waiting.map((_, at) => `Waiting ${at + 1}?`)].map((q) => `user: ${q}`),
    );
  });

  it('of other sessions do not wait for them', async () => {
    const [busy, free] = [await server.createSession(), await server.createSession()];
    server.ollama.reply(holding);
    const holder = await stream(busy, 'Hold?');
    await until(holder, 'content_delta');
    await server.chat(free, { message: 'Hello' });
    holder.abort();
  });
});

describe('turns of all sessions', () => {
  let server: TestServer;
  const open: EventStream[] = [];
  beforeAll(async () => {
    server = await startTestServer({ config: { maxConcurrentTurns: 1, maxQueuedTurns: 2 } });
  });
  afterEach(async () => {
    for (const stream of open.splice(0)) stream.abort();
    // Whoever comes last in the line comes after all that were left.
    server.ollama.setDefault(null);
  });
  afterAll(() => server.close());

  async function stream(message: string) {
    const sessionId = await server.createSession();
    const opened = await server.stream(`/chat/${sessionId}/stream`, { message });
    open.push(opened);
    return { ...opened, sessionId };
  }

  it('wait for a free place and say so', async () => {
    server.ollama.reply(holding);
    const first = await stream('First?');
    await until(first, 'content_delta');
    const before = server.ollama.requestsTo('/api/chat').length;
    const second = await stream('Second?');
    expect((await until(second, 'status')).phase).toBe('queued');
    expect(server.ollama.requestsTo('/api/chat')).toHaveLength(before);
    first.abort();
    expect((await second.all()).at(-1)?.data.state).toBe('completed');
  });

  it('are refused with 503 and a time to come back when too many wait; nothing is stored of them', async () => {
    server.ollama.reply(holding);
    const first = await stream('First?');
    await until(first, 'content_delta');
    const waiting = [await stream('Second?'), await stream('Third?')];
    for (const next of waiting) expect((await until(next, 'status')).phase).toBe('queued');
    const sessionId = await server.createSession();
    for (const route of [`/chat/${sessionId}`, `/chat/${sessionId}/stream`]) {
      const { status, body, headers } = await server.post(route, { message: 'Too many?' });
      expect([status, body.detail.error.code]).toEqual([503, 'overloaded']);
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    }
    expect(await server.messages(sessionId)).toEqual([]);
    first.abort();
    for (const next of waiting) expect((await next.all()).at(-1)?.data.state).toBe('completed');
    await server.chat(sessionId, { message: 'Now?' });
  });
});
