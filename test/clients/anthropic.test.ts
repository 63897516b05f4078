// The official client of Anthropic, pointed at this server by its address and nothing else.
import Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type ChatScript,
  httpError,
  text,
  thinking,
  toolCall,
  toolCalls,
} from '../fake-ollama/chat-script.ts';
import { errorAfter, hangAfter, script } from '../fake-ollama/script-modifiers.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

const MODEL = 'claude-sonnet-4-5';
const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

let server: TestServer;
let client: Anthropic;
beforeAll(async () => {
  server = await startTestServer({
    config: {
      modelAliases: [
        { name: 'claude-haiku*', model: 'llama3.2:latest' },
        { name: 'claude-*', model: 'qwen3:14b' },
      ],
    },
  });
  client = new Anthropic({ baseURL: server.url, apiKey: 'any', maxRetries: 0 });
});
afterAll(() => server.close());

const question = [{ role: 'user' as const, content: 'What is the capital of France?' }];
const ask = { model: MODEL, max_tokens: 1024, messages: question };
const sent = (): any => server.ollama.requestsTo('/api/chat').at(-1)?.body;
const reply = (...scripts: ChatScript[]) => server.ollama.reply(...scripts);
const named = (session: string) => ({ headers: { 'x-mochi-session': session } });
const TOOL: Anthropic.Tool = {
  name: 'mcp__files__read',
  description: 'Read a file.',
  input_schema: { type: 'object', properties: { path: { type: 'string' } }, required: ['path'] },
};

describe('a message', () => {
  it('is answered whole, by the model that its name stands for', async () => {
    reply(text('Par', 'is.'));
    const { data, response, request_id: id } = await client.messages.create(ask).withResponse();
    expect(data).toMatchObject({
      type: 'message',
      role: 'assistant',
      model: MODEL,
      content: [{ type: 'text', text: 'Paris.' }],
      stop_reason: 'end_turn',
      usage: { output_tokens: 2 },
    });
    expect(sent()).toMatchObject({ model: 'qwen3:14b', think: false, messages: question });
    expect(id).toBe(response.headers.get('request-id'));
    expect(id).toEqual(expect.any(String));
    expect(JSON.parse(response.headers.get('x-mochi-context') ?? '')).toMatchObject({ messages_sent: 1 });
    expect(response.headers.get('x-mochi-session')).toBeNull();
  });

  it('is streamed with thoughts, put together by the client', async () => {
    reply(thinking(['The user ', 'asks.'], ['Par', 'is.']));
    const stream = client.messages.stream({ ...ask, thinking: { type: 'enabled', budget_tokens: 1024 } });
    const seen: string[] = [];
    stream.on('text', (delta) => seen.push(delta)).on('thinking', (delta) => seen.push(delta));
    const message = await stream.finalMessage();
    expect(message).toMatchObject({
      content: [
        { type: 'thinking', thinking: 'The user asks.', signature: 'mochi' },
        { type: 'text', text: 'Paris.' },
      ],
      stop_reason: 'end_turn',
    });
    expect(seen).toEqual(['The user ', 'asks.', 'Par', 'is.']);
    expect(sent()).toMatchObject({ think: true });
    expect(message.usage.input_tokens).toBeGreaterThan(0);
  });

  it('asks for tools, and goes on with what came of them', async () => {
    reply(
      toolCalls([
        { name: TOOL.name, args: { path: 'a' } },
        { name: TOOL.name, args: { path: 'b' } },
      ]),
      text('Both read.'),
    );
    const asked = await client.messages.stream({ ...ask, tools: [TOOL] }).finalMessage();
    expect(asked.stop_reason).toBe('tool_use');
    const calls = asked.content.filter((block) => block.type === 'tool_use');
    expect(calls.map(({ name, input }) => [name, input])).toEqual([
      [TOOL.name, { path: 'a' }],
      [TOOL.name, { path: 'b' }],
    ]);
    const results = calls.map(({ id }, index) => ({
      type: 'tool_result' as const,
      tool_use_id: id,
      content: `text ${index}`,
      is_error: index === 1,
    }));
    const done = await client.messages.create({
      ...ask,
      tools: [TOOL],
      messages: [
        ...question,
        { role: 'assistant', content: asked.content },
        { role: 'user', content: results },
      ],
    });
    expect(done.content).toEqual([{ type: 'text', text: 'Both read.' }]);
    expect(sent().messages.slice(-2)).toMatchObject([
      { role: 'tool', content: 'text 0', tool_call_id: calls[0]?.id },
      { role: 'tool', content: 'Error: text 1', tool_call_id: calls[1]?.id },
    ]);
  });

  it('has to call a tool that is forced', async () => {
    reply(text('{"path":"a.md"}'));
    const message = await client.messages.create({
      ...ask,
      tools: [TOOL],
      tool_choice: { type: 'tool', name: TOOL.name },
    });
    expect(message).toMatchObject({
      stop_reason: 'tool_use',
      content: [{ type: 'tool_use', name: TOOL.name, input: { path: 'a.md' } }],
    });
    expect(sent().tools).toBeUndefined();
  });

  it('is JSON where a schema is given', async () => {
    reply(text('{"city":"Paris"}'));
    const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
    const { content } = await client.messages.create({
      ...ask,
      output_config: { format: { type: 'json_schema', schema } },
    });
    expect(content).toEqual([{ type: 'text', text: '{"city":"Paris"}' }]);
    expect(sent().format).toEqual(schema);
  });

  it('may have an image', async () => {
    reply(text('A dot.'));
    const source = { type: 'base64' as const, media_type: 'image/png' as const, data: PIXEL };
    await client.messages.create({
      ...ask,
      model: 'llava:7b',
      messages: [
        {
          role: 'user',
          content: [
            { type: 'image', source },
            { type: 'text', text: 'What?' },
          ],
        },
      ],
    });
    expect(sent().messages).toEqual([{ role: 'user', content: 'What?', images: [PIXEL] }]);
  });

  it('is counted without being sent', async () => {
    const before = server.ollama.requestsTo('/api/chat').length;
    const { input_tokens: few } = await client.messages.countTokens({ model: MODEL, messages: question });
    const { input_tokens: more } = await client.messages.countTokens({
      model: MODEL,
      messages: question,
      system: 'Be brief. '.repeat(100),
      tools: [TOOL],
    });
    expect(few).toBeGreaterThan(0);
    expect(more).toBeGreaterThan(few + 100);
    expect(server.ollama.requestsTo('/api/chat')).toHaveLength(before);
  });
});

describe('a failure', () => {
  it.each([
    ['an unknown model', { model: 'nobody' }, 404, 'not_found_error'],
    ['no messages', { messages: [] }, 400, 'invalid_request_error'],
    ['a wrong type', { max_tokens: 'many' as unknown as number }, 400, 'invalid_request_error'],
    ['tools for a model without', { model: 'llava:7b', tools: [TOOL] }, 400, 'invalid_request_error'],
    [
      'a prompt that is too long',
      { messages: [{ role: 'user' as const, content: 'long '.repeat(400_000) }] },
      400,
      'invalid_request_error',
    ],
  ])('before a word, %s, is an error of the client', async (_what, wrong, status, type) => {
    for (const stream of [false, true]) {
      const failure = await client.messages
        .create({ ...ask, ...wrong, stream })
        .catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(Anthropic.APIError);
      expect(failure).toMatchObject({ status, error: { type: 'error', error: { type } } });
    }
  });

  it('says that a prompt is too long in the words that Claude Code looks for', async () => {
    const messages = [{ role: 'user' as const, content: 'long '.repeat(400_000) }];
    await expect(client.messages.create({ ...ask, messages })).rejects.toThrow(
      /prompt is too long: \d+ tokens > \d+ maximum/,
    );
  });

  it('in the stream is an error of the client, and what came is seen', async () => {
    reply(script(text('It ', 'is '), errorAfter(2, 'llama runner process has terminated')));
    const stream = client.messages.stream(ask);
    const seen: string[] = [];
    stream.on('text', (delta) => seen.push(delta));
    await expect(stream.finalMessage()).rejects.toThrow(Anthropic.APIError);
    expect(seen.join('')).toBe('It is ');
  });

  it('of an unknown path has the shape of the dialect', async () => {
    await expect(client.messages.batches.list()).rejects.toMatchObject({
      status: 404,
      error: { type: 'error', error: { type: 'not_found_error' } },
    });
  });

  it('that passes is got over by a retry, which begins anew', async () => {
    reply(
      httpError(503, 'server busy, please try again.  maximum pending requests exceeded'),
      text('Paris.'),
    );
    const retrying = new Anthropic({ baseURL: server.url, apiKey: 'any', maxRetries: 1 });
    expect((await retrying.messages.create(ask)).content).toEqual([{ type: 'text', text: 'Paris.' }]);
  });
});

it('a client that leaves a stream cancels it', async () => {
  reply(script(text('It ', 'is ', 'long'), hangAfter(2)));
  const stream = client.messages.stream(ask);
  await new Promise<void>((resolve) => {
    stream.on('text', () => resolve());
  });
  stream.abort();
  await expect(stream.done()).rejects.toThrow(Anthropic.APIUserAbortError);
  await server.ollama.waitForAbort();
});

it('a session that is named holds what was said, in whatever way it is read', async () => {
  reply(toolCall(TOOL.name, { path: 'a' }), text('Read.'), text('Fine.'));
  const session = named('claude:1');
  const first = await client.messages.create({ ...ask, tools: [TOOL], system: 'Be brief.' }, session);
  const [call] = first.content.filter((block) => block.type === 'tool_use');
  const messages: Anthropic.MessageParam[] = [
    ...question,
    { role: 'assistant', content: first.content },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: call?.id ?? '', content: 'hello' }] },
  ];
  const second = await client.messages.create(
    { ...ask, messages, tools: [TOOL], system: 'Be brief.' },
    session,
  );
  messages.push({ role: 'assistant', content: second.content }, { role: 'user', content: 'Thanks.' });
  const { response } = await client.messages
    .create({ ...ask, messages, tools: [TOOL], system: 'Be brief.' }, session)
    .withResponse();
  const id = response.headers.get('x-mochi-session') ?? '';
  expect((await server.messages(id)).map(({ role, content }) => [role, content])).toEqual([
    ['system', 'Be brief.'],
    ['user', 'What is the capital of France?'],
    ['assistant', ''],
    ['tool', 'hello'],
    ['assistant', 'Read.'],
    ['user', 'Thanks.'],
    ['assistant', 'Fine.'],
  ]);
  expect(response.headers.get('location')).toBe(`/api/v1/turns/${response.headers.get('x-turn-id')}`);
});
