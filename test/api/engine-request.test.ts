// What the engine is sent: the whole history in the engine's own words, and nothing left to its defaults.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sequence, text, thinking, toolCalls, twoChunks } from '../fake-ollama/chat-script.ts';
import { defaultModels } from '../fake-ollama/fake-model.ts';
import { emptyAnswer } from '../fake-ollama/http-answer.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const strict = { name: 'strict:latest', capabilities: ['completion', 'tools'], strictTemplate: true };

describe('the request to the engine', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ ollama: { models: [...defaultModels, strict] } });
  });
  afterAll(() => server.close());

  const lastBody = (): any => server.ollama.requestsTo('/api/chat').at(-1)?.body;

  it('is a streaming one that refuses a silent cut, with the window and think told', async () => {
    const sessionId = await server.createSession();
    await server.chat(sessionId, { message: 'Hello' });
    expect(lastBody()).toEqual({
      model: 'llama3.2:latest',
      messages: [{ role: 'user', content: 'Hello' }],
      stream: true,
      think: false,
      truncate: false,
      options: { num_ctx: 8192, num_predict: expect.any(Number) },
    });
  });

  it('has the system prompt first, then the whole history, each request a prefix of the next', async () => {
    const sessionId = await server.createSession({ system_prompt: 'You are a pirate.' });
    const prompts: any[][] = [];
    for (const message of ['One', 'Two', 'Three']) {
      server.ollama.reply(text(`Answer to ${message}.`));
      await server.chat(sessionId, { message });
      prompts.push(lastBody().messages);
    }
    expect(prompts.at(-1)).toEqual([
      { role: 'system', content: 'You are a pirate.' },
      { role: 'user', content: 'One' },
      { role: 'assistant', content: 'Answer to One.' },
      { role: 'user', content: 'Two' },
      { role: 'assistant', content: 'Answer to Two.' },
      { role: 'user', content: 'Three' },
    ]);
    for (const prompt of prompts) expect(prompts.at(-1)?.slice(0, prompt.length)).toEqual(prompt);
  });

  it('has the system prompt that stands now', async () => {
    const sessionId = await server.createSession({ system_prompt: 'You are a pirate.' });
    await server.chat(sessionId, { message: 'One' });
    await server.request('PUT', `/sessions/${sessionId}/system-prompt`, { content: 'You are a poet.' });
    await server.chat(sessionId, { message: 'Two' });
    expect(lastBody().messages[0]).toEqual({ role: 'system', content: 'You are a poet.' });
    await server.request('DELETE', `/sessions/${sessionId}/system-prompt`);
    await server.chat(sessionId, { message: 'Three' });
    expect(lastBody().messages.map(({ role }: any) => role)).not.toContain('system');
  });

  it('repeats a round of tools as the engine wants it, also on the turn after', async () => {
    const sessionId = await server.createSession({ model: 'strict' });
    const calls = twoChunks(
      { name: 'get_weather', args: { city: 'Paris', days: [1, 2] }, id: 'call_a' },
      { name: 'get_weather', args: { city: 'Rome' }, id: 'call_b' },
    );
    server.ollama.reply(sequence(text('Let me see.'), calls), text('I could not find out.'));
    await server.chat(sessionId, { message: 'Weather?' });
    const loop = lastBody().messages;
    expect(loop).toEqual([
      { role: 'user', content: 'Weather?' },
      {
        role: 'assistant',
        content: 'Let me see.',
        tool_calls: [
          { id: 'call_a', function: { name: 'get_weather', arguments: { city: 'Paris', days: [1, 2] } } },
          { id: 'call_b', function: { name: 'get_weather', arguments: { city: 'Rome' } } },
        ],
      },
      {
        role: 'tool',
        content: expect.stringMatching(/^Error: /),
        tool_name: 'get_weather',
        tool_call_id: 'call_a',
      },
      {
        role: 'tool',
        content: expect.stringMatching(/^Error: /),
        tool_name: 'get_weather',
        tool_call_id: 'call_b',
      },
    ]);
    await server.restart();
    await server.chat(sessionId, { message: 'Thanks.' });
    expect(lastBody().messages).toEqual([
      ...loop,
      { role: 'assistant', content: 'I could not find out.' },
      { role: 'user', content: 'Thanks.' },
    ]);
  });

  it('makes up an id for a call that came without one, and uses it on both sides', async () => {
    const sessionId = await server.createSession({ model: 'strict' });
    const call = { name: 'get_time', args: {}, id: false as const, index: false as const };
    server.ollama.reply(toolCalls([call, call]), text('Late.'));
    await server.chat(sessionId, { message: 'Time?' });
    const [, asking, ...results] = lastBody().messages;
    const ids = asking.tool_calls.map(({ id }: any) => id);
    expect(ids).toEqual([expect.stringMatching(/^call_\w+$/), expect.stringMatching(/^call_\w+$/)]);
    expect(new Set(ids).size).toBe(2);
    expect(results.map(({ tool_call_id: id }: any) => id)).toEqual(ids);
  });

  it('sends arguments as an object even where the model wrote none', async () => {
    const sessionId = await server.createSession({ model: 'strict' });
    const broken = ['{"city":"Par', '[1]', 'Paris', '{"city":"Paris"}'].map((args, index) => ({
      name: 'get_weather',
      args,
      id: `call_${index}`,
    }));
    server.ollama.reply(toolCalls(broken), text('Sorry.'));
    await server.chat(sessionId, { message: 'Weather?' });
    const sent = lastBody().messages[1].tool_calls.map(({ function: { arguments: given } }: any) => given);
    expect(sent).toEqual([{}, {}, {}, { city: 'Paris' }]);
  });

  it('gives thinking back, inside a turn and later', async () => {
    const sessionId = await server.createSession({ model: 'qwen3:14b' });
    const call = toolCalls([{ name: 'get_time', args: {}, id: 'call_a' }]);
    server.ollama.reply(
      sequence(thinking(['I need the', ' time.']), call),
      thinking(['Now I know.'], ['Noon.']),
    );
    await server.chat(sessionId, { message: 'Time?', think: true });
    expect(lastBody().messages[1]).toMatchObject({ role: 'assistant', thinking: 'I need the time.' });
    await server.chat(sessionId, { message: 'Thanks.' });
    expect(lastBody().messages.map(({ thinking }: any) => thinking)).toEqual([
      undefined,
      'I need the time.',
      undefined,
      'Now I know.',
      undefined,
    ]);
  });

  it.each([
    ['a thinking model, asked', 'qwen3:14b', true, true],
    ['a thinking model, a level', 'qwen3:14b', 'high', 'high'],
    ['a thinking model, not asked', 'qwen3:14b', undefined, false],
    ['a thinking model, told not to', 'qwen3:14b', false, false],
    ['another model, asked', 'llama3.2', true, false],
    ['another model, a level', 'llama3.2', 'low', false],
    ['another model, not asked', 'llama3.2', undefined, false],
    ['a model without details, asked', 'old', true, false],
  ])('says think explicitly: %s', async (_name, model, think, sent) => {
    const sessionId = await server.createSession({ model });
    await server.chat(sessionId, { message: 'Hello', ...(think !== undefined && { think }) });
    expect(lastBody().think).toBe(sent);
  });

  it("merges the client's options with the window, and makes a list of a lone stop text", async () => {
    const sessionId = await server.createSession();
    const options = { temperature: 0.2, top_p: 0.9, seed: 7, num_predict: 50, unheard_of: 'x' };
    await server.chat(sessionId, { message: 'Hello', options: { ...options, stop: 'END' } });
    expect(lastBody().options).toEqual({ ...options, stop: ['END'], num_ctx: 8192 });
    await server.chat(sessionId, { message: 'Hello again', options: { stop: ['A', 'B'] } });
    const limits = { num_ctx: 8192, num_predict: expect.any(Number) };
    expect(lastBody().options).toEqual({ stop: ['A', 'B'], ...limits });
    // Options are for their turn only.
    await server.chat(sessionId, { message: 'And now' });
    expect(lastBody().options).toEqual(limits);
  });

  it('sends images with their message, on later turns too', async () => {
    const sessionId = await server.createSession({ model: 'llava:7b' });
    await server.chat(sessionId, { message: 'What is this?', images: [PIXEL] });
    expect(lastBody().messages).toEqual([{ role: 'user', content: 'What is this?', images: [PIXEL] }]);
    await server.chat(sessionId, { message: 'Are you sure?' });
    expect(lastBody().messages.map(({ images }: any) => images)).toEqual([[PIXEL], undefined, undefined]);
    expect((await server.messages(sessionId))[0].images).toEqual([PIXEL]);
  });

  it('sends the format as the client gave it', async () => {
    const sessionId = await server.createSession();
    server.ollama.reply(text('{"city":"Paris"}'));
    const format = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
    await server.chat(sessionId, { message: 'Capital?', format });
    expect(lastBody().format).toEqual(format);
    await server.chat(sessionId, { message: 'Hello', format: null });
    expect(lastBody()).not.toHaveProperty('format');
  });

  it('sends what was never answered along with what follows', async () => {
    const sessionId = await server.createSession();
    server.ollama.reply({ answer: emptyAnswer(500), steps: [] });
    await server.post(`/chat/${sessionId}`, { message: 'First?' });
    await server.chat(sessionId, { message: 'Second?' });
    expect(lastBody().messages.map(({ content }: any) => content)).toEqual(['First?', 'Second?']);
  });

  it("keeps the client's own headers to itself", async () => {
    const sessionId = await server.createSession();
    await server.post(`/chat/${sessionId}`, { message: 'Hello' }, { origin: 'http://localhost:5173' });
    const { headers } = server.ollama.requestsTo('/api/chat').at(-1) ?? {};
    expect(headers).not.toHaveProperty('origin');
    expect(headers?.host).toBe(new URL(server.ollama.url).host);
  });
});
