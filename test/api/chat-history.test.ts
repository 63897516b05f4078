// A history longer than the window: the newest whole exchanges are sent, and what stayed out is told.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sequence, text, toolCalls } from '../fake-ollama/chat-script.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

/** About 450 tokens; a window of 4096 with its reserve holds six of them and not seven. */
const filler = 'word '.repeat(310);
const strict = { name: 'strict:latest', capabilities: ['completion', 'tools'], strictTemplate: true };

describe('a history longer than the window', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ ollama: { models: [strict] } });
  });
  afterAll(() => server.close());

  const sent = () => server.ollama.requestsTo('/api/chat').at(-1)?.body?.messages ?? [];

  it('is sent from a question on, after the system prompt; the receipt counts the rest', async () => {
    const sessionId = await server.createSession({ model: 'strict', system_prompt: 'Be brief.' });
    let isCut = false;
    for (let turn = 0; turn < 10; turn += 1) {
      server.ollama.reply(text(`Answer ${turn}. `));
      const { body } = await server.chat(sessionId, { message: `${turn}: ${filler}` });
      const prompt = sent();
      const path = (await server.messages(sessionId)).slice(0, -1);
      const rest = prompt.slice(1);
      expect(prompt[0]).toEqual({ role: 'system', content: 'Be brief.' });
      expect(rest[0]?.role).toBe('user');
      // The end of the path without a gap.
      expect(rest.map(({ content }) => content)).toEqual(
        path.slice(path.length - rest.length).map(({ content }) => content),
      );
      const { messages_sent: sentCount, messages_left_out: leftOut } = body.context;
      expect(sentCount).toBe(prompt.length);
      expect(sentCount + leftOut).toBe(path.length);
      isCut ||= leftOut > 0;
    }
    expect(isCut).toBe(true);
    expect(sent().length).toBeGreaterThan(4);
    // Nothing of the history itself is gone.
    expect(await server.messages(sessionId)).toHaveLength(21);
  });

  it('never parts a call from its result', async () => {
    const sessionId = await server.createSession({ model: 'strict' });
    for (let turn = 0; turn < 10; turn += 1) {
      const calls = toolCalls([
        { name: 'get_weather', args: { city: filler.slice(0, 400) }, id: `call_${turn}a` },
        { name: 'get_time', args: {}, id: `call_${turn}b` },
      ]);
      server.ollama.reply(sequence(text('Let me see. '), calls), text(`Answer ${turn}.`));
      // The strict template refuses a result without its call.
      const { body } = await server.chat(sessionId, { message: `${turn}: ${filler.slice(0, 900)}` });
      const prompt = sent();
      expect(prompt[0]?.role).toBe('user');
      const called = prompt.flatMap(({ tool_calls: made = [] }) => made.map(({ id }) => id));
      const answered = prompt.flatMap(({ tool_call_id: id }) => id ?? []);
      expect(answered).toEqual(called);
      expect(body.context.messages_sent).toBe(prompt.length);
    }
    const { body } = await server.chat(sessionId, { message: 'The end.' });
    expect(body.context.messages_left_out).toBeGreaterThan(0);
    // Whole exchanges of five messages each, and the last question.
    expect((body.context.messages_sent - 1) % 5).toBe(0);
  });

  it('is cut for a regenerated answer as it was for the first one', async () => {
    const sessionId = await server.createSession({ model: 'strict' });
    for (let turn = 0; turn < 9; turn += 1) await server.chat(sessionId, { message: `${turn}: ${filler}` });
    const first = sent();
    const { body } = await server.chat(sessionId, { message: null });
    expect(sent()).toEqual(first);
    expect(body.context.messages_left_out).toBe(17 - first.length);
  });

  it('leaves out nothing that the next turn could not leave out too: the newest exchange is always there', async () => {
    const sessionId = await server.createSession({ model: 'strict' });
    await server.chat(sessionId, { message: 'Remember: blue.' });
    const large = 'word '.repeat(1600);
    await server.chat(sessionId, { message: large });
    expect(sent().map(({ content }) => content)).toContain(large);
    const { body } = await server.chat(sessionId, { message: 'What did I say?' });
    expect(sent().at(-1)?.content).toBe('What did I say?');
    expect(body.context.messages_sent + body.context.messages_left_out).toBe(5);
  });
});
