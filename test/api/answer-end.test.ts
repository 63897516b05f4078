// Where an answer ends: within the room that its prompt leaves in the window, so that no context ever slides.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { text, tokens } from '../fake-ollama/chat-script.ts';
import { finalFields, script } from '../fake-ollama/script-modifiers.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { windowsLearned } from '../support/windows-learned.ts';

const capabilities = ['completion', 'tools'];
const long = ['talker', 'kept', 'minus', 'own', 'brief'].map((name) => ({
  name,
  capabilities,
  contextLength: 131_072,
}));
const models = [
  ...long,
  { name: 'persona', capabilities, contextLength: 2048, system: 'You are a pirate. '.repeat(170) },
  ...['short', 'random'].map((name) => ({ name, capabilities, contextLength: 2048 })),
];

describe('an answer', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ ollama: { models } });
  });
  afterAll(() => server.close());

  const lastOptions = (): any => server.ollama.requestsTo('/api/chat').at(-1)?.body?.options;

  it('that does not know how to end is cut at the window, and says so', async () => {
    const sessionId = await server.createSession({ model: 'short' });
    server.ollama.reply(tokens(3000));
    const { status, body } = await server.chat(sessionId, { message: 'Go' });
    expect([status, body.message.finish_reason]).toEqual([200, 'length']);
    const { window, prompt_tokens: prompt, output_tokens: output, answer_limit: limit } = body.context;
    expect(lastOptions()).toEqual({ num_ctx: 2048, num_predict: limit });
    expect(output).toBe(limit);
    expect(prompt + output).toBeLessThanOrEqual(window);
    // The whole room, but for what the template may add, and for rounding.
    expect(output).toBeGreaterThan(window - prompt - 150);
    expect(server.ollama.shifts).toEqual({});
    // The next one has the room that is left.
    server.ollama.reply(tokens(3000));
    const { body: next } = await server.chat(sessionId, { message: 'Go on' });
    expect(next.context.prompt_tokens + next.context.output_tokens).toBeLessThanOrEqual(2048);
    expect(server.ollama.shifts).toEqual({});
  });

  it('leaves room for the SYSTEM of a Modelfile, which nobody sends', async () => {
    const sessionId = await server.createSession({ model: 'persona' });
    server.ollama.reply(tokens(3000));
    const { body } = await server.chat(sessionId, { message: 'Go' });
    expect(body.message.finish_reason).toBe('length');
    expect(body.context.planned_tokens).toBeGreaterThan(700);
    expect(server.ollama.shifts).toEqual({});
    // One of the session stands in its place.
    const own = await server.createSession({ model: 'persona', system_prompt: 'Be brief.' });
    const { body: preview } = await server.post(`/chat/${own}/preview`, { message: 'Go' });
    expect(preview.context.planned_tokens).toBeLessThan(100);
    expect(JSON.stringify((await server.get('/models')).body)).not.toMatch(/ownPrompt|pirate/);
  });

  it('is as long as the client allows where there is room, and no longer than the room otherwise', async () => {
    const sessionId = await server.createSession({ model: 'short' });
    const ask = async (numPredict: number) => {
      const { body } = await server.chat(sessionId, { message: 'Go', options: { num_predict: numPredict } });
      return { ...body.context, sent: lastOptions().num_predict };
    };
    expect(await ask(100)).toMatchObject({ sent: 100, answer_limit: 100, num_predict_clamped: false });
    const clamped = await ask(5000);
    expect(clamped).toMatchObject({ answer_limit: clamped.sent, num_predict_clamped: true });
    expect(clamped.sent).toBeLessThan(2048);
    // "No limit" is no wish for a length.
    const free = await ask(-1);
    expect(free).toMatchObject({ answer_limit: free.sent, num_predict_clamped: false });
    expect(free.sent).toBeGreaterThan(1500);
  });

  it('tells its limit on every way', async () => {
    const sessionId = await server.createSession({ model: 'short' });
    const body = { message: 'Go', options: { num_predict: 9000 } };
    const { body: preview } = await server.post(`/chat/${sessionId}/preview`, body);
    const limit = preview.context.answer_limit;
    expect(preview.engine_request.options.num_predict).toBe(limit);
    const events = await (await server.stream(`/chat/${sessionId}/stream`, body)).all();
    const receipt = { answer_limit: limit, num_predict_clamped: true };
    expect(events.find(({ event }) => event === 'context')?.data).toMatchObject(receipt);
    expect((await server.get(`/turns/${events[0]?.data.turn_id}`)).body.context).toMatchObject(receipt);
  });

  it('never makes the context slide, whatever was said', async () => {
    server.ollama.setDefault(tokens(3000));
    const said = fc.oneof(
      fc.string({ maxLength: 300 }),
      fc.string({ unit: fc.integer({ min: 0, max: 9 }).map(String), maxLength: 1500 }),
      fc.string({ unit: fc.constantFrom('漢', '字', '仮', '名'), maxLength: 700 }),
      fc.string({ unit: fc.constantFrom('word ', 'another ', 'л', 'é'), maxLength: 400 }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          said.filter((message) => /\S/.test(message)),
          { minLength: 1, maxLength: 5 },
        ),
        async (messages) => {
          const sessionId = await server.createSession({ model: 'random' });
          // Some are too long.
          for (const message of messages) await server.post(`/chat/${sessionId}`, { message });
          expect(server.ollama.shifts).toEqual({});
        },
      ),
      { numRuns: 15 },
    );
    server.ollama.setDefault(null);
  });

  it('has the room that answers of its model have needed lately: climbing comes before cutting', async () => {
    const answerOf = async (model: string, message: string, options = {}) => {
      const sessionId = await server.createSession({ model });
      server.ollama.reply(script(text('Well.'), finalFields({ eval_count: 3500 })));
      return (await server.chat(sessionId, { message, options })).body.context.window;
    };
    const question = 'word '.repeat(3200);
    expect(await answerOf('talker', question)).toBe(8192);
    for (let turn = 0; turn < 10; turn += 1) await answerOf('talker', 'Hello');
    expect(await answerOf('talker', question)).toBe(16_384);
    // What a client has limited needs no more than that.
    expect(await answerOf('kept', question, { num_predict: 4 })).toBe(8192);
    for (let turn = 0; turn < 10; turn += 1) await answerOf('kept', 'Hello', { num_predict: 4000 });
    expect(await answerOf('kept', question)).toBe(8192);
  });

  it('has that room after a restart as well', async () => {
    const ask = async (message: string) => {
      const sessionId = await server.createSession({ model: 'minus' });
      server.ollama.reply(script(text('Well.'), finalFields({ eval_count: 3500 })));
      return (await server.chat(sessionId, { message })).body.context.window;
    };
    for (let turn = 0; turn < 3; turn += 1) expect(await ask('Hello')).toBe(8192);
    await server.restart();
    expect(await ask('word '.repeat(3200))).toBe(16_384);
  });

  it('is bounded by the window of the engine, once that is known', async () => {
    const sessionId = await server.createSession({
      model: 'own',
      context_window: { dynamic_enabled: false },
    });
    const { body: first } = await server.chat(sessionId, { message: 'Hello' });
    expect(first.context.answer_limit).toBeNull();
    await windowsLearned(server.ollama);
    const limit = async () =>
      (await server.post(`/chat/${sessionId}/preview`, { message: 'Go' })).body.context.answer_limit;
    await expect.poll(limit).toBeLessThan(4096);
    server.ollama.reply(tokens(6000));
    const { body } = await server.chat(sessionId, { message: 'Go' });
    expect(body.message.finish_reason).toBe('length');
    expect(lastOptions()).toEqual({ num_predict: body.context.answer_limit });
    expect(server.ollama.shifts).toEqual({});
  });
});
