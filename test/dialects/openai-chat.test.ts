// Chat Completions: bodies read, and turns told, by table.
import { describe, expect, it } from 'vitest';
import type { ToldEvent } from '../../src/chat/watch/turn-log.ts';
import { MochiError } from '../../src/contract/errors.ts';
import { toChatHead } from '../../src/dialects/openai-chat/chat-chunk.ts';
import { tellOpenAiError } from '../../src/dialects/openai-chat/error-body.ts';
import { readRequest } from '../../src/dialects/openai-chat/read-request.ts';
import type { ChatCompletionBody } from '../../src/dialects/openai-chat/request-body.ts';
import { createChatReader } from '../../src/dialects/openai-chat/to-answer.ts';
import { createChatWriter } from '../../src/dialects/openai-chat/write-events.ts';
import { toldData } from './told-data.ts';
import { BROKEN, CUT, fromSnapshot, HANDED, REFUSED, SILENT, SPOKEN, STEPPED } from './turn-events.ts';

const HEAD = toChatHead('turn_0f3c5a9d21be', Date.parse('2026-02-15T09:49:38.310Z'), 'gpt-4o-mini');
const COMMON = {
  id: 'chatcmpl-0f3c5a9d21be',
  created: 1_771_148_978,
  model: 'gpt-4o-mini',
  system_fingerprint: 'mochi',
};
const USAGE = {
  prompt_tokens: 31,
  completion_tokens: 7,
  total_tokens: 38,
  prompt_tokens_details: { cached_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 0 },
};

function chunksOf(events: readonly ToldEvent[], wantsUsage = false): unknown[] {
  const writer = createChatWriter(HEAD, wantsUsage);
  return events.flatMap((told) => writer.write(told)).map(toldData);
}

function answerOf(events: readonly ToldEvent[]): unknown {
  const reader = createChatReader(HEAD);
  for (const told of events) reader.read(told);
  return reader.answer();
}

const chunk = (delta: object, finishReason: string | null = null) => ({
  ...COMMON,
  object: 'chat.completion.chunk',
  choices: [{ index: 0, delta, finish_reason: finishReason }],
});
const first = chunk({ role: 'assistant', content: '' });
const called = (index: number, name: string, given: string) => ({
  index,
  id: `call_${name}`,
  type: 'function',
  function: { name, arguments: given },
});

describe('a stream of chunks', () => {
  it.each([
    [
      'thoughts under both names, then text',
      SPOKEN,
      [
        first,
        chunk({ reasoning: 'The user ', reasoning_content: 'The user ' }),
        chunk({ reasoning: 'asks.', reasoning_content: 'asks.' }),
        chunk({ content: 'It is ' }),
        chunk({ content: 'Paris.' }),
        chunk({}, 'stop'),
        '[DONE]',
      ],
    ],
    [
      'each call whole, with its index',
      HANDED,
      [
        first,
        chunk({ content: 'Let me look.' }),
        chunk({ tool_calls: [called(0, 'read', '{"path":"a.md"}')] }),
        chunk({ tool_calls: [called(1, 'list', '{}')] }),
        chunk({}, 'tool_calls'),
        '[DONE]',
      ],
    ],
    [
      'texts of two steps apart, and nothing of tools that run here',
      STEPPED,
      [
        first,
        chunk({ content: 'One moment.' }),
        chunk({ content: '\n\nIt is ' }),
        chunk({ content: 'noon.' }),
        chunk({}, 'stop'),
        '[DONE]',
      ],
    ],
    ['what was cut', CUT, [first, chunk({ content: 'It is' }), chunk({}, 'length'), '[DONE]']],
    [
      'a failure, without a reason that looks like an end',
      BROKEN,
      [
        first,
        chunk({ content: 'It is' }),
        {
          error: {
            message: 'The answer of Ollama ended early.',
            type: 'server_error',
            param: null,
            code: 'incomplete_response',
          },
        },
        '[DONE]',
      ],
    ],
    [
      'a failure before a word',
      REFUSED,
      [
        {
          error: {
            message: 'Too many turns are waiting; try again later.',
            type: 'server_error',
            param: null,
            code: 'overloaded',
          },
        },
        '[DONE]',
      ],
    ],
  ])('tells %s', (_what, events, expected) => {
    expect(chunksOf(events)).toEqual(expected);
  });

  it('tells tokens where they are asked for, in a chunk of their own', () => {
    const chunks = chunksOf(CUT, true);
    expect(chunks.slice(0, 3).map((told) => (told as { usage: unknown }).usage)).toEqual([null, null, null]);
    expect(chunks.slice(3)).toEqual([
      { ...COMMON, object: 'chat.completion.chunk', choices: [], usage: USAGE },
      '[DONE]',
    ]);
  });
});

describe('a plain answer', () => {
  const answer = (message: object, finishReason: string) => ({
    ...COMMON,
    object: 'chat.completion',
    choices: [
      {
        index: 0,
        message: { role: 'assistant', refusal: null, ...message },
        logprobs: null,
        finish_reason: finishReason,
      },
    ],
    usage: USAGE,
  });
  it.each([
    [
      'thoughts and text',
      SPOKEN,
      answer(
        { content: 'It is Paris.', reasoning: 'The user asks.', reasoning_content: 'The user asks.' },
        'stop',
      ),
    ],
    [
      'calls beside text',
      HANDED,
      answer(
        {
          content: 'Let me look.',
          tool_calls: [
            { id: 'call_read', type: 'function', function: { name: 'read', arguments: '{"path":"a.md"}' } },
            { id: 'call_list', type: 'function', function: { name: 'list', arguments: '{}' } },
          ],
        },
        'tool_calls',
      ),
    ],
    [
      'calls without text, where there is no content',
      SILENT,
      answer(
        {
          content: null,
          reasoning: 'A file.',
          reasoning_content: 'A file.',
          tool_calls: [
            {
              id: 'call_read',
              type: 'function',
              function: { name: 'read', arguments: '{"path":"ä \\"b\\""}' },
            },
          ],
        },
        'tool_calls',
      ),
    ],
    ['the texts of two steps', STEPPED, answer({ content: 'One moment.\n\nIt is noon.' }, 'stop')],
  ])('tells %s', (_what, events, expected) => {
    expect(answerOf(events)).toEqual(expected);
  });

  it.each([
    ['SPOKEN', SPOKEN],
    ['HANDED', HANDED],
    ['SILENT', SILENT],
    ['CUT', CUT],
  ])('of %s is the same from a snapshot at any place', (_name, events) => {
    const whole = answerOf(events);
    for (let count = 1; count < events.length - 1; count += 1) {
      expect(answerOf(fromSnapshot(events, count))).toEqual(whole);
    }
  });

  it('cannot be of a turn that failed', () => {
    expect(() => answerOf(BROKEN)).toThrow(/without an answer/);
  });
});

describe('an error', () => {
  const invalid = { errors: [{ path: '/messages/0/role', message: 'must be …' }] };
  it.each([
    ['validation_error', invalid, { status: 400, param: '/messages/0/role', code: 'invalid_request' }],
    ['model_unusable', { model: 'x' }, { status: 404, param: 'model', code: 'model_not_found' }],
    ['model_not_found', {}, { status: 404, param: 'model', code: 'model_not_found' }],
    ['unsupported_parameter', { parameter: 'n' }, { status: 400, param: 'n', code: 'unsupported_parameter' }],
    ['tools_not_supported', {}, { status: 400, param: null, code: 'tools_not_supported' }],
    ['unauthorized', {}, { status: 401, param: null, code: 'invalid_api_key' }],
    ['session_not_found', {}, { status: 404, param: null, code: 'session_not_found' }],
    ['not_found', {}, { status: 404, param: null, code: 'unknown_url' }],
    ['session_busy', {}, { status: 409, param: null, code: 'session_busy' }],
    ['payload_too_large', {}, { status: 413, param: null, code: 'payload_too_large' }],
    ['overloaded', {}, { status: 503, param: null, code: 'overloaded' }],
    ['ollama_unreachable', {}, { status: 502, param: null, code: 'ollama_unreachable' }],
  ] as const)('%s has its status, type and code', (kind, details, { status, param, code }) => {
    const type = status >= 500 ? 'server_error' : 'invalid_request_error';
    expect(tellOpenAiError(new MochiError(kind, 'No.', details))).toEqual({
      status,
      body: { error: { message: 'No.', type, param, code } },
    });
  });

  it('says in the words that clients look for that a prompt is too long', () => {
    const error = new MochiError('context_overflow', 'No.', { required_tokens: 9000, window: 8192 });
    expect(tellOpenAiError(error)).toEqual({
      status: 400,
      body: {
        error: {
          message:
            "This model's maximum context length is 8192 tokens. However, your messages resulted in about 9000 tokens.",
          type: 'invalid_request_error',
          param: null,
          code: 'context_length_exceeded',
        },
      },
    });
  });
});

describe('a request', () => {
  const read = (body: object) => readRequest({ model: 'm', ...body } as ChatCompletionBody);
  const hello = [{ role: 'user', content: 'Hello' }];
  const settingsOf = (body: object) => read({ messages: hello, ...body }).settings;

  it('of messages in all their shapes is one system text and what was said', () => {
    const { history } = read({
      messages: [
        { role: 'developer', content: 'Be brief.' },
        { role: 'system', content: [{ type: 'text', text: 'In French.' }] },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What' },
            { type: 'text', text: 'is it?' },
            { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA', detail: 'low' } },
          ],
          name: 'ann',
        },
        {
          role: 'assistant',
          content: null,
          reasoning_content: 'Hm.',
          tool_calls: [{ id: 'c1', type: 'function', function: { name: 'look', arguments: '{"at":1}' } }],
        },
        { role: 'tool', tool_call_id: 'c1', content: 'A cat.' },
        { role: 'assistant', content: [{ type: 'refusal', refusal: 'No.' }], refusal: null },
        { role: 'user', content: null },
      ],
    });
    expect(history).toEqual({
      system: 'Be brief.\n\nIn French.',
      messages: [
        { role: 'user', content: 'What\nis it?', images: ['AAAA'] },
        {
          role: 'assistant',
          content: '',
          thinking: 'Hm.',
          toolCalls: [{ id: 'c1', name: 'look', arguments: { at: 1 } }],
        },
        { role: 'tool', content: 'A cat.', toolCallId: 'c1', toolName: 'look' },
        { role: 'assistant', content: 'No.' },
        { role: 'user', content: '' },
      ],
    });
  });

  it.each([
    [{ max_tokens: 5, max_completion_tokens: 9 }, { options: { num_predict: 9 } }],
    [{ max_tokens: 0 }, { options: {} }],
    [{ max_tokens: -1, temperature: null }, { options: {} }],
    [{ max_tokens: 1e12 }, { options: { num_predict: 2 ** 31 - 1 } }],
    [
      { temperature: 0, top_p: 1, seed: 1.5, stop: 'x' },
      { options: { temperature: 0, top_p: 1, seed: 1, stop: ['x'] } },
    ],
    [
      { stop: ['a', ''], presence_penalty: 1, frequency_penalty: -1 },
      { options: { stop: ['a'], presence_penalty: 1, frequency_penalty: -1 } },
    ],
    [
      { top_k: 3, min_p: 0.1, repetition_penalty: 1.1 },
      { options: { top_k: 3, min_p: 0.1, repeat_penalty: 1.1 } },
    ],
    [
      { options: { num_ctx: 4096, mirostat: 1, temperature: 0.1 }, temperature: 0.9 },
      { options: { mirostat: 1, temperature: 0.9 }, windowAtLeast: 4096 },
    ],
    [{ options: { a: null, b: [1], c: {} } }, { options: {} }],
    [{}, { think: null }],
    [{ reasoning_effort: 'none' }, { think: false }],
    [{ reasoning_effort: 'minimal' }, { think: 'low' }],
    [{ reasoning: { effort: 'xhigh' } }, { think: 'high' }],
    [{ reasoning_effort: 'of next year' }, { think: null }],
    [{ response_format: { type: 'text' } }, { format: null }],
    [{ response_format: { type: 'json_object' } }, { format: 'json' }],
    [
      { response_format: { type: 'json_schema', json_schema: { name: 'a', schema: { type: 'object' } } } },
      { format: { type: 'object' } },
    ],
    [{ parallel_tool_calls: false }, { isParallel: false }],
    [
      {
        user: 'u',
        metadata: { a: 'b' },
        store: true,
        logprobs: false,
        top_logprobs: 0,
        logit_bias: {},
        n: 1,
        unheard: [{}],
      },
      { options: {} },
    ],
  ])('with %j is answered with %j', (body, expected) => {
    expect(settingsOf(body)).toMatchObject(expected);
  });

  const tool = (name: string) => ({
    type: 'function',
    function: {
      name,
      description: 'D.',
      parameters: { type: 'object', properties: { a: { type: 'string' } } },
    },
  });
  const offered = (body: object) => {
    const { clientTools, toolChoice } = settingsOf({ tools: [tool('f'), tool('g')], ...body });
    return [clientTools.map(({ name }) => name), toolChoice];
  };
  it.each([
    [{}, ['f', 'g'], 'auto'],
    [{ tool_choice: 'none' }, [], 'none'],
    [{ tool_choice: 'required' }, ['f', 'g'], 'required'],
    [{ tool_choice: { type: 'function', function: { name: 'g' } } }, ['f', 'g'], { name: 'g' }],
    [
      { tool_choice: { type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: [tool('g')] } } },
      ['g'],
      'auto',
    ],
    [{ tools: [tool('f'), { type: 'web_search' }, tool('f')] }, ['f'], 'auto'],
  ])('that chooses tools with %j is offered %j, %j', (body, names, choice) => {
    expect(offered(body)).toEqual([names, choice]);
  });

  it('may leave out what a tool says and takes', () => {
    const { clientTools } = settingsOf({ tools: [{ type: 'function', function: { name: 'ns.now:x-1' } }] });
    expect(clientTools).toEqual([
      {
        name: 'ns.now:x-1',
        description: '',
        inputSchema: { type: 'object', properties: {} },
        isUnchecked: true,
      },
    ]);
  });

  it.each([
    [{ n: 2 }, 'n'],
    [{ logprobs: true }, 'logprobs'],
    [{ top_logprobs: 2 }, 'top_logprobs'],
    [{ logit_bias: { 5: 1 } }, 'logit_bias'],
    [{ functions: [{}] }, 'functions'],
    [{ function_call: 'auto' }, 'function_call'],
    [{ modalities: ['text', 'audio'] }, 'modalities'],
    [{ prediction: { type: 'content' } }, 'prediction'],
  ])('with %j is refused by name', (body, parameter) => {
    expect(() => settingsOf(body)).toThrow(
      expect.objectContaining({ kind: 'unsupported_parameter', details: { parameter } }),
    );
  });

  it.each([
    [{ messages: [{ role: 'robot', content: '' }] }, '/messages/0/role'],
    [{ messages: [...hello, { role: 'user', content: 5 }] }, '/messages/1/content'],
    [{ messages: [{ role: 'user', content: [{ type: 'input_audio' }] }] }, '/messages/0/content/0/type'],
    [
      {
        messages: [
          { role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,A*' } }] },
        ],
      },
      '/messages/0/content/0/image_url',
    ],
    [
      {
        messages: [
          {
            role: 'user',
            content: Array.from({ length: 17 }, () => ({ type: 'image_url', image_url: 'AAAA' })),
          },
        ],
      },
      '/messages/0/content',
    ],
    [{ messages: [{ role: 'assistant', tool_calls: [{ id: 'x' }] }] }, '/messages/0/tool_calls/0'],
    [{ messages: hello, tools: [{ type: 'function', function: { name: 'a b' } }] }, '/tools/0/function/name'],
    [
      { messages: hello, tools: [{ type: 'function', function: { name: 'a', parameters: [] } }] },
      '/tools/0/function/parameters',
    ],
    [{ messages: hello, tools: Array.from({ length: 513 }, (_, at) => tool(`f${at}`)) }, '/tools'],
    [
      {
        messages: hello,
        tools: [{ type: 'function', function: { name: 'a', parameters: { d: 'x'.repeat(2 ** 20) } } }],
      },
      '/tools',
    ],
    [
      { messages: hello, tools: [tool('f')], tool_choice: { type: 'function', function: { name: 'h' } } },
      '/tool_choice',
    ],
    [{ messages: hello, tool_choice: 'required' }, '/tool_choice'],
    [{ messages: hello, tool_choice: 'maybe' }, '/tool_choice'],
    [{ messages: hello, response_format: { type: 'xml' } }, '/response_format/type'],
    [{ messages: hello, response_format: { type: 'json_schema' } }, '/response_format/json_schema'],
  ])('that is wrong says where: %#', (body, path) => {
    expect(() => read(body)).toThrow(
      expect.objectContaining({
        kind: 'validation_error',
        details: { errors: [expect.objectContaining({ path })] },
      }),
    );
  });

  it('cannot have images fetched', () => {
    const image = { type: 'image_url', image_url: { url: 'https://example.org/a.png' } };
    expect(() => read({ messages: [{ role: 'user', content: [image] }] })).toThrow(
      expect.objectContaining({ kind: 'image_url_not_supported', status: 400 }),
    );
  });
});
