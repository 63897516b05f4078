// The official client of OpenAI, with Chat Completions, pointed at this server by its base URL and nothing else.
import OpenAI from 'openai';
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

const MODEL = 'gpt-4o-mini';
const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

let server: TestServer;
let client: OpenAI;
beforeAll(async () => {
  server = await startTestServer({
    config: { modelAliases: [{ name: 'gpt-*', model: 'qwen3:14b' }] },
  });
  client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'any', maxRetries: 0 });
});
afterAll(() => server.close());

const question = [{ role: 'user' as const, content: 'What is the capital of France?' }];
const ask = { model: MODEL, messages: question };
const sent = (): any => server.ollama.requestsTo('/api/chat').at(-1)?.body;
const reply = (...scripts: ChatScript[]) => server.ollama.reply(...scripts);
const named = (session: string) => ({ headers: { 'x-mochi-session': session } });
const TOOL: OpenAI.ChatCompletionTool = {
  type: 'function',
  function: {
    name: 'get_weather',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
};

describe('a completion', () => {
  it('is answered whole, by the model that its name stands for', async () => {
    reply(thinking(['Hm.'], ['Par', 'is.']));
    const { data, response } = await client.chat.completions.create(ask).withResponse();
    expect(data).toMatchObject({
      object: 'chat.completion',
      model: MODEL,
      choices: [
        {
          index: 0,
          finish_reason: 'stop',
          message: { role: 'assistant', content: 'Paris.', refusal: null, reasoning_content: 'Hm.' },
        },
      ],
    });
    expect(data.usage).toMatchObject({ prompt_tokens: expect.any(Number), completion_tokens: 3 });
    expect(sent()).toMatchObject({ model: 'qwen3:14b', messages: question, think: true });
    expect(data.id).toBe(`chatcmpl-${response.headers.get('x-turn-id')?.replace('turn_', '')}`);
    expect(response.headers.get('x-mochi-session')).toBeNull();
  });

  it('is streamed, and put together by the client', async () => {
    reply(thinking(['Hm.'], ['Par', 'is.']));
    const stream = client.chat.completions.stream({ ...ask, stream_options: { include_usage: true } });
    const seen: string[] = [];
    stream.on('content', (delta) => seen.push(delta));
    const { choices, usage } = await stream.finalChatCompletion();
    expect(choices).toMatchObject([{ finish_reason: 'stop', message: { content: 'Paris.' } }]);
    expect(seen.join('')).toBe('Paris.');
    expect(usage).toMatchObject({ completion_tokens: 3 });
  });

  it('has no chunk without choices where nobody asks for usage', async () => {
    reply(text('Paris.'));
    const chunks: OpenAI.ChatCompletionChunk[] = [];
    for await (const chunk of await client.chat.completions.create({ ...ask, stream: true }))
      chunks.push(chunk);
    expect(chunks.map(({ choices }) => choices.length)).toEqual([1, 1, 1]);
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
    expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe('stop');
  });

  it.each([false, true])(
    'asks for tools, and goes on with what came of them (streamed: %s)',
    async (isStream) => {
      reply(
        toolCalls([
          { name: 'get_weather', args: { city: 'Paris' } },
          { name: 'get_weather', args: { city: 'Rome' } },
        ]),
        text('Sunny.'),
      );
      const body = { ...ask, tools: [TOOL], tool_choice: 'auto' as const };
      const { choices } = isStream
        ? await client.chat.completions.stream(body).finalChatCompletion()
        : await client.chat.completions.create(body);
      const [choice] = choices;
      expect(choice?.finish_reason).toBe('tool_calls');
      const calls = choice?.message.tool_calls?.filter((call) => call.type === 'function') ?? [];
      expect(calls.map((call) => [call.function.name, JSON.parse(call.function.arguments)])).toEqual([
        ['get_weather', { city: 'Paris' }],
        ['get_weather', { city: 'Rome' }],
      ]);
      if (choice === undefined) return;
      const results = calls.map(({ id }, at) => ({
        role: 'tool' as const,
        tool_call_id: id,
        content: `sun ${at}`,
      }));
      const done = await client.chat.completions.create({
        ...ask,
        tools: [TOOL],
        messages: [...question, choice.message, ...results],
      });
      expect(done.choices[0]?.message.content).toBe('Sunny.');
      expect(sent().messages.slice(-2)).toMatchObject([
        { role: 'tool', content: 'sun 0', tool_call_id: calls[0]?.id },
        { role: 'tool', content: 'sun 1', tool_call_id: calls[1]?.id },
      ]);
    },
  );

  it.each([
    ['required', 'required' as const],
    ['named', { type: 'function' as const, function: { name: 'get_weather' } }],
  ])('has to call a tool where one is %s', async (_how, choice) => {
    reply(text('{"city":"Paris"}'));
    const { choices } = await client.chat.completions.create({ ...ask, tools: [TOOL], tool_choice: choice });
    expect(choices[0]?.message.tool_calls).toMatchObject([
      { type: 'function', function: { name: 'get_weather', arguments: '{"city":"Paris"}' } },
    ]);
    expect(choices[0]?.message.content).toBeNull();
  });

  it('has to call one of several tools, told in a stream as in a whole answer', async () => {
    const other = { type: 'function' as const, function: { ...TOOL.function, name: 'get_time' } };
    const body = { ...ask, tools: [TOOL, other], tool_choice: 'required' as const };
    const written = '{"name":"get_time","arguments":{"city":"Paris"}}';
    reply(text(...(written.match(/.{1,7}/g) ?? [])), text(written));
    const streamed = await client.chat.completions.stream(body).finalChatCompletion();
    const whole = await client.chat.completions.create(body);
    for (const { choices } of [streamed, whole]) {
      expect(choices[0]).toMatchObject({
        finish_reason: 'tool_calls',
        message: {
          tool_calls: [{ function: { name: 'get_time', arguments: '{"city":"Paris"}' } }],
        },
      });
      expect(choices[0]?.message.tool_calls).toHaveLength(1);
      expect(choices[0]?.message.content ?? '').toBe('');
    }
  });

  it('makes one call where several are not wanted, passing and in a session', async () => {
    const calls = ['Paris', 'Rome'].map((city) => ({ name: 'get_weather', args: { city } }));
    const body = { ...ask, tools: [TOOL], parallel_tool_calls: false };
    reply(toolCalls(calls), toolCalls(calls));
    for (const options of [{}, named('openai:one-call')]) {
      const { choices } = await client.chat.completions.create(body, options);
      expect(choices[0]?.message.tool_calls).toMatchObject([
        { function: { name: 'get_weather', arguments: '{"city":"Paris"}' } },
      ]);
      expect(choices[0]?.message.tool_calls).toHaveLength(1);
    }
  });

  it('fits a JSON schema', async () => {
    reply(text('{"city":"Paris"}'));
    const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
    const { choices } = await client.chat.completions.parse({
      ...ask,
      response_format: { type: 'json_schema', json_schema: { name: 'place', schema, strict: true } },
    });
    expect(choices[0]?.message.parsed).toEqual({ city: 'Paris' });
    expect(sent().format).toEqual(schema);
  });

  it('may have an image', async () => {
    reply(text('A dot.'));
    await client.chat.completions.create({
      model: 'llava:7b',
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What?' },
            { type: 'image_url', image_url: { url: `data:image/png;base64,${PIXEL}` } },
          ],
        },
      ],
    });
    expect(sent().messages).toEqual([{ role: 'user', content: 'What?', images: [PIXEL] }]);
  });
});

describe('a failure', () => {
  it.each([
    ['an unknown model', { model: 'nobody' }, 404, 'model_not_found', 'model'],
    ['no messages', { messages: [] }, 400, 'invalid_request', '/messages'],
    ['a wrong type', { temperature: 'hot' as unknown as number }, 400, 'invalid_request', '/temperature'],
    ['two answers', { n: 2 }, 400, 'unsupported_parameter', 'n'],
    ['tools for a model without', { model: 'llava:7b', tools: [TOOL] }, 400, 'tools_not_supported', null],
  ])('before a word, %s, is an error of the client', async (...[, wrong, status, code, param]) => {
    for (const stream of [false, true]) {
      const failure = await client.chat.completions
        .create({ ...ask, ...wrong, stream })
        .catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(OpenAI.APIError);
      expect(failure).toMatchObject({ status, code, param, type: 'invalid_request_error' });
    }
  });

  it('of a prompt that is too long is what clients shorten it for', async () => {
    const messages = [{ role: 'user' as const, content: 'long '.repeat(400_000) }];
    await expect(client.chat.completions.create({ ...ask, messages })).rejects.toMatchObject({
      status: 400,
      code: 'context_length_exceeded',
      message: expect.stringMatching(/maximum context length is \d+ tokens/),
    });
  });

  it('in the stream is an error of the client, and what came is seen', async () => {
    reply(script(text('It ', 'is '), errorAfter(2, 'llama runner process has terminated')));
    const seen: string[] = [];
    const reading = async () => {
      for await (const { choices } of await client.chat.completions.create({ ...ask, stream: true })) {
        seen.push(choices[0]?.delta.content ?? '');
      }
    };
    await expect(reading()).rejects.toThrow(OpenAI.APIError);
    expect(seen.join('')).toBe('It is ');
  });

  it('of an unknown path has the shape of the dialect', async () => {
    await expect(client.get('/audio/nothing')).rejects.toMatchObject({
      status: 404,
      code: 'unknown_url',
      type: 'invalid_request_error',
    });
  });

  it('that passes is got over by a retry, which begins anew where nothing is kept', async () => {
    reply(
      httpError(503, 'server busy, please try again.  maximum pending requests exceeded'),
      text('Paris.'),
    );
    const retrying = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'any', maxRetries: 1 });
    const { choices } = await retrying.chat.completions.create(ask);
    expect(choices[0]?.message.content).toBe('Paris.');
  });
});

it('a client that leaves a stream cancels it', async () => {
  reply(script(text('It ', 'is ', 'long'), hangAfter(2)));
  const stream = await client.chat.completions.create({ ...ask, stream: true });
  for await (const { choices } of stream) if (choices[0]?.delta.content === 'is ') break;
  await server.ollama.waitForAbort();
});

it('a page of another origin may ask, with whatever headers its client sends', async () => {
  const asked = 'authorization,content-type,x-stainless-retry-count,x-something-new';
  const response = await fetch(`${server.url}/v1/chat/completions`, {
    method: 'OPTIONS',
    headers: {
      origin: 'app://obsidian.md',
      'access-control-request-method': 'POST',
      'access-control-request-headers': asked,
    },
  });
  expect(response.status).toBe(204);
  expect(response.headers.get('access-control-allow-origin')).toBe('app://obsidian.md');
  expect(response.headers.get('access-control-allow-headers')).toBe(asked);
});

describe('a session that is named', () => {
  it('holds what was said, in whatever way it is read', async () => {
    const session = named('openai:1');
    reply(toolCall('get_weather', { city: 'Paris' }), text('Sunny.'), text('Bye.'));
    const messages: OpenAI.ChatCompletionMessageParam[] = [
      { role: 'system', content: 'Be brief.' },
      ...question,
    ];
    const body = () => ({ ...ask, messages, tools: [TOOL] });
    const first = await client.chat.completions.create(body(), session);
    const asked = first.choices[0]?.message;
    if (asked === undefined) throw new Error('no answer');
    messages.push(asked, { role: 'tool', tool_call_id: asked.tool_calls?.[0]?.id ?? '', content: 'sun' });
    const second = await client.chat.completions.stream(body(), session).finalChatCompletion();
    messages.push({ role: 'assistant', content: second.choices[0]?.message.content ?? '' });
    messages.push({ role: 'user', content: 'Thanks.' });
    const { response } = await client.chat.completions.create(body(), session).withResponse();
    const id = response.headers.get('x-mochi-session') ?? '';
    expect((await server.messages(id)).map(({ role, content }) => [role, content])).toEqual([
      ['system', 'Be brief.'],
      ['user', 'What is the capital of France?'],
      ['assistant', ''],
      ['tool', 'sun'],
      ['assistant', 'Sunny.'],
      ['user', 'Thanks.'],
      ['assistant', 'Bye.'],
    ]);
  });

  it('is in the path for clients that can set no header', async () => {
    reply(text('One.'), text('Two.'));
    const inPath = new OpenAI({ baseURL: `${server.url}/s/chat-7/v1`, apiKey: 'any', maxRetries: 0 });
    const first = await inPath.chat.completions.create(ask).withResponse();
    const second = await inPath.chat.completions.create(ask).withResponse();
    const id = first.response.headers.get('x-mochi-session');
    expect(second.response.headers.get('x-mochi-session')).toBe(id);
    expect((await server.messages(id ?? '')).length).toBe(4);
  });

  it('is not asked twice by a retry after a cut: the client is told what became of the first', async () => {
    const retrying = new OpenAI({
      baseURL: `${server.url}/v1`,
      apiKey: 'any',
      maxRetries: 1,
      fetch: cutFirst(),
    });
    reply(text('Once.'));
    const { data, response } = await retrying.chat.completions.create(ask, named('retried')).withResponse();
    expect(data.choices[0]?.message.content).toBe('Once.');
    const id = response.headers.get('x-mochi-session') ?? '';
    expect((await server.messages(id)).map(({ content }) => content)).toEqual([
      'What is the capital of France?',
      'Once.',
    ]);
  });

  it('is told not to try again where the turn is stored', async () => {
    reply(httpError(500, 'model runner has unexpectedly stopped'));
    const failure = await client.chat.completions
      .create(ask, named('failed'))
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ status: 502 });
    expect((failure as InstanceType<typeof OpenAI.APIError>).headers?.get('x-should-retry')).toBe('false');
  });
});

/** Loses the first answer on its way. */
function cutFirst(): typeof fetch {
  let count = 0;
  return async (input, init) => {
    const response = await fetch(input, init);
    count += 1;
    if (count > 1) return response;
    await response.arrayBuffer();
    throw new TypeError('terminated');
  };
}
