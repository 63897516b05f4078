// The providers of the AI SDK, each pointed at this server by its address and nothing else.
import { inspect } from 'node:util';
import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenResponses } from '@ai-sdk/open-responses';
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { APICallError, generateText, isStepCount, type LanguageModel, Output, streamText, tool } from 'ai';
import { createOllama } from 'ai-sdk-ollama';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { text, thinking, toolCall, toolCalls } from '../fake-ollama/chat-script.ts';
import { cutAfter, errorAfter, hangAfter, script } from '../fake-ollama/script-modifiers.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { expectSaid } from './read-everywhere.ts';

const MODEL = 'qwen3:14b';
const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const QUESTION = 'What is the capital of France?';

let server: TestServer;
beforeAll(async () => {
  // They warn of models that they do not know.
  Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false });
  server = await startTestServer();
});
afterAll(() => server.close());
beforeEach(() => {
  server.ollama.requests.length = 0;
});

type Headers = Record<string, string>;
const apiKey = 'unused';
/** A model of each provider, with headers as each of them takes them. */
const PROVIDERS: Record<string, (model: string, headers?: Headers) => LanguageModel> = {
  'openai, chat': (model, headers = {}) =>
    createOpenAI({ baseURL: `${server.url}/v1`, apiKey, headers }).chat(model),
  'openai, responses': (model, headers = {}) =>
    createOpenAI({ baseURL: `${server.url}/v1`, apiKey, headers }).responses(model),
  'openai-compatible': (model, headers = {}) =>
    createOpenAICompatible({
      name: 'mochi',
      baseURL: `${server.url}/v1`,
      headers,
      includeUsage: true,
      supportsStructuredOutputs: true,
    })(model),
  'open-responses': (model, headers = {}) =>
    createOpenResponses({ name: 'mochi', url: `${server.url}/v1/responses`, apiKey, headers })(model),
  anthropic: (model, headers = {}) =>
    createAnthropic({ baseURL: `${server.url}/v1`, apiKey, headers })(model),
  'ai-sdk-ollama': (model, headers = {}) => createOllama({ baseURL: server.url, headers })(model),
};

/** The last prompt, each message as its role and text. */
function asked(): string[] {
  const { body } = server.ollama.requestsTo('/api/chat').at(-1) ?? {};
  const { messages } = body as { messages: { role: string; content: string }[] };
  return messages.map(({ role, content }) => `${role}: ${content}`);
}
const sent = () => server.ollama.requestsTo('/api/chat').at(-1)?.body as Record<string, unknown>;

const weather = (ran: string[] = []) =>
  tool({
    description: 'The weather of a city.',
    inputSchema: z.object({ city: z.string() }),
    execute: async ({ city }) => {
      ran.push(city);
      return `sun in ${city}`;
    },
  });
const call = (city: string) => ({ name: 'weather', args: { city } });
const untried = { maxRetries: 0 } as const;

describe.each(Object.entries(PROVIDERS))('%s', (name, open) => {
  it('answers whole, with what it took', async () => {
    server.ollama.reply(text('Par', 'is.'));
    const answer = await generateText({ model: open(MODEL), prompt: QUESTION, ...untried });
    expect(answer).toMatchObject({ text: 'Paris.', finishReason: 'stop' });
    expect(answer.usage.outputTokens).toBeGreaterThan(0);
    expect(asked()).toEqual([`user: ${QUESTION}`]);
  });

  it('streams, and tells thoughts where the dialect has them', async () => {
    server.ollama.reply(thinking(['A ', 'town.'], ['Par', 'is.']));
    const options =
      name === 'anthropic'
        ? { anthropic: { thinking: { type: 'enabled' as const, budgetTokens: 1024 } } }
        : name === 'openai, responses'
          ? { openai: { reasoningSummary: 'auto', reasoningEffort: 'medium', forceReasoning: true } }
          : name === 'ai-sdk-ollama'
            ? { ollama: { think: true } }
            : {};
    const answer = streamText({ model: open(MODEL), prompt: QUESTION, providerOptions: options, ...untried });
    const pieces = await Array.fromAsync(answer.textStream);
    expect(pieces.filter((piece) => piece !== '')).toEqual(['Par', 'is.']);
    expect(await answer.finishReason).toBe('stop');
    expect((await answer.usage).outputTokens).toBeGreaterThan(0);
    // The chat model of @ai-sdk/openai reads no thoughts.
    expect(await answer.reasoningText).toBe(name === 'openai, chat' ? undefined : 'A town.');
  });

  it.each([
    ['whole', generate],
    ['streamed', stream],
  ])('runs tools, one and two, and goes on with what came of them: %s', async (_how, answerOf) => {
    const ran: string[] = [];
    server.ollama.reply(toolCalls([call('Bern')]), toolCalls([call('Rome'), call('Paris')]), text('Sunny.'));
    const answer = await answerOf({
      model: open(MODEL),
      prompt: 'The weather?',
      tools: { weather: weather(ran) },
      stopWhen: isStepCount(5),
      ...untried,
    });
    expect(answer).toEqual('Sunny.');
    expect(ran).toEqual(['Bern', 'Rome', 'Paris']);
    expect(asked()).toEqual([
      'user: The weather?',
      'assistant: ',
      'tool: sun in Bern',
      'assistant: ',
      'tool: sun in Rome',
      'tool: sun in Paris',
    ]);
  });

  it('keeps one conversation in a session that is named, with tools, as every dialect reads it', async () => {
    const session = `app:${name.replaceAll(/[^a-z]/g, '-')}`;
    const model = open(MODEL, { 'x-mochi-session': session });
    server.ollama.reply(toolCall('weather', { city: 'Bern' }), text('Sunny.'), text('You are welcome.'));
    const first = await generateText({
      model,
      prompt: 'The weather?',
      tools: { weather: weather() },
      stopWhen: isStepCount(3),
      ...untried,
    });
    await generateText({
      model,
      messages: [
        { role: 'user', content: 'The weather?' },
        ...first.responseMessages,
        { role: 'user', content: 'Thanks.' },
      ],
      tools: { weather: weather() },
      ...untried,
    });
    await expectSaid(server, session, [
      ['user', 'The weather?'],
      ['call', 'weather {"city":"Bern"}'],
      ['tool', 'sun in Bern'],
      ['assistant', 'Sunny.'],
      ['user', 'Thanks.'],
      ['assistant', 'You are welcome.'],
    ]);
  });

  it('fits a schema', async () => {
    server.ollama.reply(text('{"city":"Paris"}'));
    const { output } = await generateText({
      model: open(MODEL),
      prompt: QUESTION,
      output: Output.object({ schema: z.object({ city: z.string() }) }),
      ...untried,
    });
    expect(output).toEqual({ city: 'Paris' });
    expect(sent()['format']).toMatchObject({ type: 'object', required: ['city'] });
  });

  it('shows an image', async () => {
    server.ollama.reply(text('A dot.'));
    await generateText({
      model: open('llava:7b'),
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What?' },
            { type: 'file', data: Buffer.from(PIXEL, 'base64'), mediaType: 'image/png' },
          ],
        },
      ],
      ...untried,
    });
    expect(sent()['messages']).toMatchObject([{ role: 'user', content: 'What?', images: [PIXEL] }]);
  });

  // Ollama's API has no such field, so its provider cannot ask for it.
  it.skipIf(name === 'ai-sdk-ollama')('has to call a tool that is forced', async () => {
    server.ollama.reply(text('{"city":"Paris"}'));
    const { toolCalls: calls } = await generateText({
      model: open(MODEL),
      prompt: QUESTION,
      tools: { weather: weather() },
      toolChoice: { type: 'tool', toolName: 'weather' },
      ...untried,
    });
    expect(calls).toMatchObject([{ toolName: 'weather', input: { city: 'Paris' } }]);
  });

  it('fails with the status and the words of this server', async () => {
    const failed = await failureOf(generateText({ model: open('nobody'), prompt: 'x', ...untried }));
    if (APICallError.isInstance(failed))
      expect(failed).toMatchObject({ statusCode: 404, isRetryable: false });
    expect(String(failed)).toMatch(/nobody/);
  });

  it('fails in the stream after what came', async () => {
    server.ollama.reply(script(text('Par', 'is.'), cutAfter(1)));
    const errors: unknown[] = [];
    const answer = streamText({
      model: open(MODEL),
      prompt: QUESTION,
      onError: ({ error }) => void errors.push(error),
      ...untried,
    });
    let seen = '';
    try {
      for await (const part of answer.stream) if (part.type === 'text-delta') seen += part.text;
    } catch (error) {
      errors.push(error);
    }
    // That of Ollama breaks its stream, and what was not read of it until then is lost there.
    if (name !== 'ai-sdk-ollama') expect(seen).toBe('Par');
    expect(inspect(errors)).toMatch(/ended early/);
  });

  // That of Ollama reads its answer to the end, whoever has left.
  it.skipIf(name === 'ai-sdk-ollama')('stops the work when it leaves', async () => {
    server.ollama.reply(script(text('Par', 'is.'), hangAfter(1)));
    const leaving = new AbortController();
    const answer = streamText({
      model: open(MODEL),
      prompt: QUESTION,
      abortSignal: leaving.signal,
      onError: () => {},
      ...untried,
    });
    for await (const piece of answer.textStream) if (piece !== '') leaving.abort();
    await server.ollama.waitForAbort();
  });

  it('is told to try again where that helps, and does', async () => {
    server.ollama.reply(script(text(''), errorAfter(0, 'the runner has gone')), text('Paris.'));
    const model = open(MODEL, { 'x-mochi-session': `retried:${name.replaceAll(/[^a-z]/g, '-')}` });
    const failed = await failureOf(generateText({ model, prompt: QUESTION, ...untried }));
    // The turn is stored: an equal request, on purpose, is a new one; by itself no client sends it.
    if (APICallError.isInstance(failed))
      expect(failed.responseHeaders).toMatchObject({ 'x-should-retry': 'false' });
    const again = await generateText({ model, prompt: QUESTION, ...untried });
    expect(again.text).toBe('Paris.');
  });
});

type Asked = Parameters<typeof generateText>[0];
async function generate(options: Asked): Promise<string> {
  return (await generateText(options)).text;
}
async function stream(options: Asked): Promise<string> {
  const answer = streamText({ ...options, onError: ({ error }) => Promise.reject(error) });
  return await answer.text;
}
const failureOf = (answer: PromiseLike<unknown>): Promise<unknown> =>
  Promise.resolve(answer).then(
    () => {
      throw new Error('was answered');
    },
    (error: unknown) => error,
  );
