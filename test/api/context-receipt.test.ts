// The receipt of each turn: what was planned and sent, what the engine had read already, and why it had not.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { httpError, text, thinking, toolCall } from '../fake-ollama/chat-script.ts';
import { exceedContextError } from '../fake-ollama/http-answer.ts';
import { finalFields, script } from '../fake-ollama/script-modifiers.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

const capabilities = ['completion', 'tools', 'thinking'];
const names = ['plain', 'other', 'steps', 'wide', 'learned', 'refusing', 'stubborn', 'engine-own'];
const models = [
  ...names.map((name) => ({ name: `${name}:latest`, capabilities, contextLength: 131_072 })),
  { name: 'small:latest', capabilities, contextLength: 4096 },
  { name: 'tiny:latest', contextLength: 4096 },
];

describe('the receipt', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ ollama: { models } });
  });
  afterAll(() => server.close());

  const chat = async (sessionId: string, body: object = {}): Promise<any> => {
    server.ollama.reply(text('Fine.'));
    return (await server.chat(sessionId, { message: 'Hello', ...body })).body.context;
  };

  it('tells what the engine has read already', async () => {
    const sessionId = await server.createSession({ model: 'plain', system_prompt: 'Be brief.' });
    expect(await chat(sessionId)).toMatchObject({ prefix_reused: 0, cache_break: null, messages_sent: 2 });
    expect(await chat(sessionId)).toMatchObject({ prefix_reused: 2, cache_break: null, messages_sent: 4 });
    expect(await chat(sessionId, { message: null })).toMatchObject({ prefix_reused: 4, cache_break: null });
    expect(await chat(sessionId)).toMatchObject({ prefix_reused: 4, cache_break: null, messages_sent: 6 });
  });

  it('counts every step of a turn with tools', async () => {
    const sessionId = await server.createSession({ model: 'plain' });
    server.ollama.reply(toolCall('f', {}), text('Done.'));
    const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'Go' });
    const receipts = (await stream.all()).filter(({ event }) => event === 'context');
    expect(receipts.map(({ data }) => [data.messages_sent, data.prefix_reused, data.cache_break])).toEqual([
      [1, 0, null],
      [3, 1, null],
    ]);
    expect(await chat(sessionId)).toMatchObject({ prefix_reused: 3, cache_break: null, messages_sent: 5 });
  });

  it('names what broke the prompt', async () => {
    const sessionId = await server.createSession({ model: 'plain', system_prompt: 'Be brief.' });
    const breaks = async (body?: object) => {
      const { cache_break: why, prefix_reused: reused } = await chat(sessionId, body);
      return [why, reused];
    };
    await chat(sessionId, { message: 'One' });
    await chat(sessionId, { message: 'Two' });
    await server.request('PUT', `/sessions/${sessionId}/system-prompt`, { content: 'Be kind.' });
    expect(await breaks()).toEqual(['system_prompt', 0]);
    await server.request('PUT', `/sessions/${sessionId}/messages/3`, { content: 'Edited' });
    // The system prompt, the first question and its answer stay.
    expect(await breaks({ message: null })).toEqual(['edit', 3]);
    expect(await breaks({ think: true })).toEqual(['options', 0]);
    expect(await breaks({ think: true, options: { temperature: 1, seed: 3 } })).toEqual([null, 6]);
    expect(await breaks({ options: { num_ctx: 20_000 } })).toEqual(['options', 0]);
    await server.request('PATCH', `/sessions/${sessionId}`, { model: 'other' });
    expect(await breaks()).toEqual(['model', 0]);
    expect((await breaks())[0]).toBeNull();
  });

  it('names no wish to think of a model that cannot: it is sent the same', async () => {
    const sessionId = await server.createSession({ model: 'tiny' });
    await chat(sessionId);
    expect(await chat(sessionId, { think: true })).toMatchObject({ prefix_reused: 1, cache_break: null });
    expect(await chat(sessionId)).toMatchObject({ prefix_reused: 3, cache_break: null });
  });

  it('tells when the history was cut, and then goes on from there for some turns', async () => {
    const sessionId = await server.createSession({ model: 'small', system_prompt: 'Be brief.' });
    const breaks: unknown[] = [];
    for (let turn = 0; turn < 24; turn += 1) {
      const context = await chat(sessionId, { message: `${turn}: ${'word '.repeat(200)}` });
      breaks.push(context.cache_break);
      expect(context.messages_sent + context.messages_left_out).toBe(2 + 2 * turn);
    }
    const cuts = breaks.filter((why) => why === 'left_out').length;
    expect(breaks.every((why) => why === null || why === 'left_out')).toBe(true);
    expect(cuts).toBeGreaterThan(1);
    // Not at every turn: the engine would read everything anew each time.
    expect(cuts).toBeLessThan(10);
  });

  it('is the same on the stream, on the turn and in the status', async () => {
    const sessionId = await server.createSession({ model: 'plain' });
    server.ollama.reply(text('Fine.'));
    const events = await (await server.stream(`/chat/${sessionId}/stream`, { message: 'Hi' })).all();
    const planned = events.find(({ event }) => event === 'context')?.data;
    const complete = events.find(({ event }) => event === 'message_complete')?.data;
    expect(planned).toMatchObject({ prompt_tokens: null, output_tokens: null });
    expect(complete.context).toEqual({
      ...planned,
      prompt_tokens: expect.any(Number),
      output_tokens: expect.any(Number),
      loaded_window: planned.window,
    });
    const turn = await server.get(`/turns/${events[0]?.data.turn_id}`);
    expect(turn.body.context).toEqual(complete.context);
    expect((await server.get(`/sessions/${sessionId}/status`)).body.context).toEqual(complete.context);
  });

  it('raises a suspicion when the engine counts far less than was sent', async () => {
    const sessionId = await server.createSession({ model: 'plain' });
    const long = 'word '.repeat(3000);
    server.ollama.reply(script(text('Fine.'), finalFields({ prompt_eval_count: 900 })));
    const { body } = await server.chat(sessionId, { message: long });
    expect(body.context).toMatchObject({ suspected_truncation: true, prompt_tokens: 900 });
    // Nobody believes that count afterwards.
    expect((await chat(sessionId)).planned_tokens).toBeGreaterThan(3000);
    // Templates drop the thinking of older messages: that is no cut.
    server.ollama.reply(thinking(['deep '.repeat(3000)], ['Yes.']));
    await server.chat(sessionId, { message: 'Think', think: true });
    expect((await chat(sessionId)).suspected_truncation).toBe(false);
  });

  it('plans on top of what the engine counted', async () => {
    const sessionId = await server.createSession({ model: 'learned' });
    const long = 'word '.repeat(2000);
    server.ollama.reply(script(text('Fine.'), finalFields({ prompt_eval_count: 4000, eval_count: 500 })));
    await server.chat(sessionId, { message: long });
    const next = await chat(sessionId, { message: 'x'.repeat(35) });
    expect(next.planned_tokens).toBeGreaterThan(4500);
    expect(next.planned_tokens).toBeLessThan(4540);
  });

  it('learns how many bytes a token of the model holds, and remembers it', async () => {
    const plannedOf = async (model: string): Promise<number> => {
      const sessionId = await server.createSession({ model });
      return (await chat(sessionId, { message: 'word '.repeat(700) })).planned_tokens;
    };
    const long = 'word '.repeat(4000);
    for (let turn = 0; turn < 6; turn += 1) {
      const sessionId = await server.createSession({ model: 'learned' });
      server.ollama.reply(script(text('Fine.'), finalFields({ prompt_eval_count: 8000 })));
      await server.chat(sessionId, { message: long });
    }
    // 2.5 bytes, and not 3.5 as at first.
    expect(await plannedOf('learned')).toBeGreaterThan(1250);
    expect(await plannedOf('wide')).toBeLessThan(1050);
    const before = await plannedOf('learned');
    await server.restart();
    // What short prompts have moved since is not worth a write.
    expect(Math.abs((await plannedOf('learned')) / before - 1)).toBeLessThan(0.1);
  });
});

describe('the ladder', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ ollama: { models } });
  });
  afterAll(() => server.close());

  const lastWindow = (): any => (server.ollama.requestsTo('/api/chat').at(-1)?.body as any)?.options?.num_ctx;

  it('counts the whole history', async () => {
    const sessionId = await server.createSession({ model: 'wide' });
    const windows: number[] = [];
    for (let turn = 0; turn < 8; turn += 1) {
      server.ollama.reply(text('Fine.'));
      const { body } = await server.chat(sessionId, { message: 'word '.repeat(1500) });
      windows.push(lastWindow());
      expect(body.context.messages_left_out).toBe(0);
      const climbed = windows.at(-1) !== windows.at(-2) && turn > 0;
      expect(body.context_window.reason).toBe(
        climbed ? 'usage_threshold' : turn === 0 ? 'initial_setup' : 'no_adjustment',
      );
    }
    expect([...new Set(windows)]).toEqual([8192, 16_384, 32_768]);
    expect(server.ollama.reloads['wide:latest']).toBe(2);
    const { body: session } = await server.get(`/sessions/${sessionId}`);
    expect(session.context_window.adjustment_history).toMatchObject([
      { reason: 'usage_threshold', window: 16_384 },
      { reason: 'usage_threshold', window: 32_768 },
    ]);
  });

  it('twenty sessions of different lengths, in turn, cost as many reloads as steps', async () => {
    const sessions = await Promise.all(
      Array.from({ length: 20 }, () => server.createSession({ model: 'steps' })),
    );
    const windows = new Set<number>();
    for (let round = 0; round < 3; round += 1) {
      for (const [index, sessionId] of sessions.entries()) {
        server.ollama.reply(text('Fine.'));
        await server.chat(sessionId, { message: 'word '.repeat(50 + index * 130) });
        windows.add(lastWindow());
      }
    }
    expect([...windows]).toEqual([8192, 16_384]);
    expect(server.ollama.reloads['steps:latest']).toBe(1);
  });

  it('is taken up again after a restart: the engine still holds the model', async () => {
    const sessionId = await server.createSession({ model: 'plain' });
    await server.chat(sessionId, { message: 'word '.repeat(8000) });
    expect(lastWindow()).toBe(16_384);
    await server.restart();
    const other = await server.createSession({ model: 'plain' });
    await server.chat(other, { message: 'Hello' });
    expect(lastWindow()).toBe(16_384);
    expect(server.ollama.reloads['plain:latest']).toBeUndefined();
  });

  it('plans anew when the engine finds the prompt too long after all', async () => {
    const sessionId = await server.createSession({ model: 'refusing' });
    server.ollama.reply(httpError(400, exceedContextError(12_000, 8192)), text('Fine.'));
    const { body } = await server.chat(sessionId, { message: 'word '.repeat(4000) });
    expect(body.message.content).toBe('Fine.');
    expect(lastWindow()).toBe(16_384);
    expect(body.context).toMatchObject({ window: 16_384, window_reason: 'usage_threshold' });
    expect(body.context.planned_tokens).toBeGreaterThanOrEqual(11_900);
  });

  it('tries that once, and never for a window that was set by hand', async () => {
    const sessionId = await server.createSession({ model: 'stubborn' });
    const refuse = () => httpError(400, exceedContextError(12_000, 8192));
    const attempts = async (body: object) => {
      const before = server.ollama.requestsTo('/api/chat').length;
      const { status, body: answer } = await server.post(`/chat/${sessionId}`, body);
      expect([status, answer.detail.error.code]).toEqual([400, 'context_overflow']);
      return server.ollama.requestsTo('/api/chat').length - before;
    };
    server.ollama.reply(refuse(), refuse());
    expect(await attempts({ message: 'word '.repeat(4000) })).toBe(2);
    server.ollama.reply(refuse());
    expect(await attempts({ message: 'word '.repeat(4000), options: { num_ctx: 16_384 } })).toBe(1);
  });

  it('a window left to the engine is planned for what the engine holds', async () => {
    const sessionId = await server.createSession({
      model: 'engine-own',
      context_window: { dynamic_enabled: false },
    });
    const { body: first } = await server.chat(sessionId, { message: 'Hello' });
    expect(first.context.window).toBeNull();
    const loaded = async () =>
      (await server.post(`/chat/${sessionId}/preview`, { message: 'Hi' })).body.context.loaded_window;
    await expect.poll(loaded).toBe(4096);
    const { body: second } = await server.chat(sessionId, { message: 'Hello again' });
    expect(second.context).toMatchObject({ window: null, loaded_window: 4096, reload_expected: false });
    const { status, body } = await server.post(`/chat/${sessionId}`, { message: 'word '.repeat(4000) });
    expect([status, body.detail.error.details.window]).toEqual([400, 4096]);
  });
});
