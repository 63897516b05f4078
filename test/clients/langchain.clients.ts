// LangChain's chat models, pointed at this server by its address and nothing else.
import { ChatAnthropic } from '@langchain/anthropic';
import type { BaseChatModel } from '@langchain/core/language_models/chat_models';
import { type BaseMessage, HumanMessage } from '@langchain/core/messages';
import { tool } from '@langchain/core/tools';
import { ChatOllama } from '@langchain/ollama';
import { ChatOpenAI } from '@langchain/openai';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { text, thinking, toolCalls } from '../fake-ollama/chat-script.ts';
import { cutAfter, hangAfter, script } from '../fake-ollama/script-modifiers.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { expectSaid } from './read-everywhere.ts';

const MODEL = 'qwen3:14b';
const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const QUESTION = 'What is the capital of France?';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());
beforeEach(() => {
  server.ollama.requests.length = 0;
});

type Headers = Record<string, string>;
const openAi = (model: string, headers: Headers, useResponsesApi: boolean) =>
  new ChatOpenAI({
    model,
    apiKey: 'unused',
    maxRetries: 0,
    useResponsesApi,
    configuration: { baseURL: `${server.url}/v1`, defaultHeaders: headers },
  });
/** A model of each, with headers as each of them takes them. */
const MODELS: Record<string, (model: string, headers?: Headers) => BaseChatModel> = {
  'openai, chat': (model, headers = {}) => openAi(model, headers, false),
  'openai, responses': (model, headers = {}) => openAi(model, headers, true),
  ollama: (model, headers = {}) =>
    new ChatOllama({ model, baseUrl: server.url, headers: new Headers(headers), maxRetries: 0 }),
  anthropic: (model, headers = {}) =>
    new ChatAnthropic({
      model,
      apiKey: 'unused',
      anthropicApiUrl: server.url,
      maxTokens: 1024,
      maxRetries: 0,
      clientOptions: { defaultHeaders: headers },
    }),
};

/** The last prompt, each message as its role and text. */
function asked(): string[] {
  const { body } = server.ollama.requestsTo('/api/chat').at(-1) ?? {};
  const { messages } = body as { messages: { role: string; content: string }[] };
  return messages.map(({ role, content }) => `${role}: ${content}`);
}
const sent = () => server.ollama.requestsTo('/api/chat').at(-1)?.body as Record<string, unknown>;

const weather = tool(({ city }: { city: string }) => `sun in ${city}`, {
  name: 'weather',
  description: 'The weather of a city.',
  schema: z.object({ city: z.string() }),
});
const call = (city: string) => ({ name: 'weather', args: { city } });
const bound = (model: BaseChatModel, choice?: string) => {
  if (model.bindTools === undefined) throw new Error('has no tools');
  return model.bindTools([weather], choice === undefined ? {} : { tool_choice: choice });
};

/** As an agent does: until no tool is asked for. */
async function converse(model: BaseChatModel, said: BaseMessage[]): Promise<BaseMessage[]> {
  const answer = await bound(model).invoke(said);
  const calls = answer.tool_calls ?? [];
  const results = await Promise.all(calls.map((called) => weather.invoke({ ...called, type: 'tool_call' })));
  const all = [...said, answer, ...results];
  return calls.length === 0 ? all : converse(model, all);
}

describe.each(Object.entries(MODELS))('%s', (name, open) => {
  it('answers whole, with what it took', async () => {
    server.ollama.reply(text('Par', 'is.'));
    const answer = await open(MODEL).invoke(QUESTION);
    expect(answer.text).toBe('Paris.');
    expect(answer).toMatchObject({ usage_metadata: { output_tokens: 2 } });
    expect(asked()).toEqual([`user: ${QUESTION}`]);
  });

  it('streams, and goes on with thoughts sent back', async () => {
    server.ollama.reply(thinking(['A ', 'town.'], ['Par', 'is.']), text('Berlin.'));
    const pieces = await Array.fromAsync(await open(MODEL).stream(QUESTION));
    expect(pieces.map((piece) => piece.text).filter((piece) => piece !== '')).toEqual(['Par', 'is.']);
    const whole = pieces.reduce((one, other) => one.concat(other));
    await open(MODEL).invoke([new HumanMessage(QUESTION), whole, new HumanMessage('And of Germany?')]);
    expect(asked()).toEqual([`user: ${QUESTION}`, 'assistant: Paris.', 'user: And of Germany?']);
  });

  it('runs tools, one and two, in a session that is named, as every dialect reads it', async () => {
    const session = `langchain:${name.replaceAll(/[^a-z]/g, '-')}`;
    const model = open(MODEL, { 'x-mochi-session': session });
    server.ollama.reply(
      toolCalls([call('Bern')]),
      toolCalls([call('Rome'), call('Paris')]),
      text('Sunny.'),
      text('You are welcome.'),
    );
    const first = await converse(model, [new HumanMessage('The weather?')]);
    expect(first.at(-1)?.text).toBe('Sunny.');
    await converse(model, [...first, new HumanMessage('Thanks.')]);
    await expectSaid(server, session, [
      ['user', 'The weather?'],
      ['call', 'weather {"city":"Bern"}'],
      ['tool', 'sun in Bern'],
      ['call', 'weather {"city":"Rome"}'],
      ['call', 'weather {"city":"Paris"}'],
      ['tool', 'sun in Rome'],
      ['tool', 'sun in Paris'],
      ['assistant', 'Sunny.'],
      ['user', 'Thanks.'],
      ['assistant', 'You are welcome.'],
    ]);
  });

  it('asks for tools in a stream', async () => {
    server.ollama.reply(toolCalls([call('Rome'), call('Paris')]));
    const pieces = await Array.fromAsync(await bound(open(MODEL)).stream('The weather?'));
    const whole = pieces.reduce((one, other) => one.concat(other));
    expect(whole.tool_calls).toMatchObject([
      { name: 'weather', args: { city: 'Rome' } },
      { name: 'weather', args: { city: 'Paris' } },
    ]);
  });

  // Ollama's API has no such field.
  it.skipIf(name === 'ollama')('has to call a tool that is forced', async () => {
    server.ollama.reply(text('{"city":"Paris"}'));
    const { tool_calls: calls } = await bound(open(MODEL), 'weather').invoke(QUESTION);
    expect(calls).toMatchObject([{ name: 'weather', args: { city: 'Paris' } }]);
  });

  it('fits a schema, in its usual way', async () => {
    server.ollama.setDefault((body) =>
      body.format === undefined
        ? toolCalls([{ name: 'place', args: { city: 'Paris' } }])
        : text('{"city":"Paris"}'),
    );
    const model = open(MODEL).withStructuredOutput(z.object({ city: z.string() }), { name: 'place' });
    expect(await model.invoke(QUESTION)).toEqual({ city: 'Paris' });
    server.ollama.setDefault(null);
  });

  it('shows an image', async () => {
    server.ollama.reply(text('A dot.'));
    const content = [
      { type: 'text', text: 'What?' },
      { type: 'image_url', image_url: { url: `data:image/png;base64,${PIXEL}` } },
    ];
    await open('llava:7b').invoke([new HumanMessage({ content })]);
    // That of Ollama makes each part a message.
    const { messages } = sent() as { messages: { content: string; images?: string[] }[] };
    expect(messages.map(({ content: words }) => words).join('')).toBe('What?');
    expect(messages.at(-1)?.images).toEqual([PIXEL]);
  });

  it('fails with the words of this server, before and in the stream', async () => {
    await expect(open('nobody').invoke('x')).rejects.toThrow(/nobody/);
    server.ollama.reply(script(text('Par', 'is.'), cutAfter(1)));
    // Its stream of Responses passes `response.failed` over: there a failure shows in a plain answer alone.
    const read = async () =>
      name === 'openai, responses'
        ? open(MODEL).invoke(QUESTION)
        : Array.fromAsync(await open(MODEL).stream(QUESTION));
    await expect(read()).rejects.toThrow(/ended early/);
  });

  // That of Ollama looks at its signal when the next piece comes.
  it.skipIf(name === 'ollama')('stops the work when it leaves', async () => {
    server.ollama.reply(script(text('Par', 'is.'), hangAfter(1)));
    const leaving = new AbortController();
    const read = async () => {
      const stream = await open(MODEL).stream(QUESTION, { signal: leaving.signal });
      for await (const piece of stream) if (piece.text !== '') leaving.abort();
    };
    await Promise.allSettled([read()]);
    await server.ollama.waitForAbort();
  });
});
