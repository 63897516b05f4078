// The whole server on a real model: the flows of a user, a long conversation, and the death of the engine.
import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isEmbedded } from './real-engine.ts';
import { type RealServer, startRealServer } from './real-server.ts';

let server: RealServer;
let sessionId: string;
beforeAll(async () => {
  server = await startRealServer({ firstContextWindow: '512' });
  sessionId = await server.createSession({ model: server.model });
});
afterAll(() => server.close());

const SHORT = { num_predict: 24, seed: 7, temperature: 0 };

describe('a conversation', () => {
  it('answers a message, with counts and a receipt', async () => {
    const { body } = await server.chat(sessionId, {
      message: 'Say hello to all who are here.',
      options: SHORT,
    });
    expect(body.message.content).toMatch(/\w/);
    expect(body.message.eval_count).toBeGreaterThan(0);
    expect(body.message.prompt_eval_count).toBeGreaterThan(5);
    // A model of Ollama may bring a first window of its own.
    const current_window = isEmbedded ? 512 : body.context.window;
    expect(body.context_window).toMatchObject({ current_window, reason: 'initial_setup' });
  });

  it('streams, and what is streamed is what is stored', async () => {
    const stream = await server.stream(`/chat/${sessionId}/stream`, {
      message: 'Count from one to twenty.',
      options: SHORT,
    });
    const events = await stream.all();
    const phases = events.filter(({ event }) => event === 'status').map(({ data }) => data.phase);
    expect(phases.at(-1)).toBe('generating');
    const deltas = events.filter(({ event }) => event === 'content_delta');
    expect(deltas.length).toBeGreaterThan(1);
    const text = deltas.map(({ data }) => data.content).join('');
    expect((await server.messages(sessionId)).at(-1)).toMatchObject({ content: text, status: 'complete' });
  });

  it('regenerates as a sibling', async () => {
    const before = (await server.messages(sessionId)).at(-1);
    const { body } = await server.chat(sessionId, { message: null, options: SHORT });
    expect(body.message.message_id).not.toBe(before.message_id);
    expect((await server.messages(sessionId)).at(-1)).toMatchObject({ sibling_count: 2 });
  });

  it('knows the system prompt, an edit, and goes on after a part', async () => {
    const session = await server.createSession({ model: server.model, system_prompt: 'You are a pirate.' });
    await server.chat(session, { message: 'Hello!', options: SHORT });
    await server.request('PUT', `/sessions/${session}/messages/1`, { content: 'Good morning!' });
    await server.chat(session, { message: null, options: SHORT });
    const { body } = await server.chat(session, { message: null, mode: 'continue', options: SHORT });
    expect(body.message.content).toEqual(expect.any(String));
    const messages = await server.messages(session);
    expect(messages.map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'assistant']);
    expect(messages[1].content).toBe('Good morning!');
  });

  it('stops when it is cancelled, keeps the part, and answers the next message', async () => {
    const stream = await server.stream(`/chat/${sessionId}/stream`, {
      message: 'Tell me a very long story.',
    });
    for await (const { event } of stream.events) {
      if (event !== 'content_delta') continue;
      await server.post(`/chat/${sessionId}/cancel?wait=true`);
      break;
    }
    stream.abort();
    expect((await server.messages(sessionId)).at(-1)).toMatchObject({ role: 'assistant', status: 'partial' });
    await server.chat(sessionId, { message: 'Say hello.', options: SHORT });
  });

  it('answers as a summary with topics when it is asked for one', async () => {
    const format = {
      type: 'object',
      properties: {
        summary: { type: 'string', maxLength: 200 },
        topics: { type: 'array', maxItems: 2, items: { type: 'string', maxLength: 40 } },
      },
      required: ['summary', 'topics'],
    };
    const session = await server.createSession({ model: server.model });
    const message = 'Summarise in one short sentence, with at most two topics: Cats sleep most of the day.';
    const options = { temperature: 0, num_predict: 300, repeat_penalty: 1.2 };
    const { body } = await server.chat(session, { message, format, options });
    expect(body.message.parsed).toEqual({ summary: expect.any(String), topics: expect.any(Array) });
  });
});

describe('a long conversation', () => {
  // Of its own: the step of a model is shared by all sessions of a server.
  let server: RealServer;
  beforeAll(async () => {
    server = await startRealServer({ firstContextWindow: '256', maxContextWindow: '1024' });
  });
  afterAll(() => server.close());

  it('climbs the ladder step by step, and leaves nothing out', async (context) => {
    const session = await server.createSession({ model: server.model });
    const windows: number[] = [];
    const paragraph = 'The quick brown fox jumps over the lazy dog while the band plays on. '.repeat(8);
    for (let turn = 0; turn < 5; turn += 1) {
      const { body } = await server.chat(session, {
        message: `Part ${turn}. ${paragraph}`,
        options: { ...SHORT, num_predict: 8 },
      });
      windows.push(body.context.window);
      expect(body.context.messages_left_out).toBe(0);
      expect(body.context.prompt_tokens).toBeLessThan(body.context.window);
    }
    expect(windows).toEqual(windows.toSorted((left, right) => left - right));
    if (windows[0] !== 256 && !isEmbedded) context.skip('the model begins with a window of its own');
    expect(new Set(windows).size).toBeGreaterThanOrEqual(3);
    expect((await server.get('/models/loaded')).body.models).toContainEqual(
      expect.objectContaining({ window: windows.at(-1) }),
    );
  });
});

describe.runIf(isEmbedded)('a kill -9 of the engine in the middle of an answer', () => {
  it('fails the turn, keeps the part, and costs the next message a new process', async () => {
    const stream = await server.stream(`/chat/${sessionId}/stream`, {
      message: 'Tell me a very long story.',
    });
    const told: string[] = [];
    for await (const { event, data } of stream.events) {
      told.push(event);
      if (told.filter((name) => name === 'content_delta').length === 3) killEngine();
      if (event === 'error') expect(data.code).toBe('engine_failed');
    }
    expect(told.slice(-2)).toEqual(['error', 'done']);
    expect((await server.messages(sessionId)).at(-1)).toMatchObject({ role: 'assistant', status: 'partial' });
    const { body } = await server.chat(sessionId, { message: 'Are you there?', options: SHORT });
    expect(body.message.content).toMatch(/\w/);
  });
});

/** The engine process is the only child of this one that runs `child.ts`. */
function killEngine(): void {
  const list = execFileSync('ps', ['-o', 'pid=,args=', '--ppid', String(process.pid)], { encoding: 'utf8' });
  for (const line of list.split('\n').filter((text) => text.includes('embedded/child.ts'))) {
    try {
      process.kill(Number.parseInt(line, 10), 'SIGKILL');
    } catch {
      // It has gone since.
    }
  }
}
