// Anthropic's messages: bodies read, and turns told, by table.
import { describe, expect, it } from 'vitest';
import type { ToldEvent } from '../../src/chat/watch/turn-log.ts';
import { MochiError } from '../../src/contract/errors.ts';
import { toMessageHead } from '../../src/dialects/anthropic/answer-blocks.ts';
import { tellAnthropicError } from '../../src/dialects/anthropic/error-body.ts';
import type { MessagesBody } from '../../src/dialects/anthropic/messages-body.ts';
import { readRequest } from '../../src/dialects/anthropic/read-request.ts';
import { createMessageReader } from '../../src/dialects/anthropic/to-answer.ts';
import { createMessageWriter } from '../../src/dialects/anthropic/write-events.ts';
import { BROKEN, CUT, fromSnapshot, HANDED, REFUSED, SILENT, SPOKEN, STEPPED } from './turn-events.ts';

const HEAD = toMessageHead('turn_0f3c5a9d21be', 'claude-sonnet');
const cache = { cache_creation_input_tokens: 0, cache_read_input_tokens: 0 };
const USAGE = { input_tokens: 31, ...cache, output_tokens: 7 };

function framesOf(events: readonly ToldEvent[]): unknown[] {
  const writer = createMessageWriter(HEAD, 'req_1');
  return events
    .flatMap((told) => writer.write(told))
    .map(({ event, data }) => {
      expect((data as { type: string }).type).toBe(event);
      return data;
    });
}
const answerOf = (events: readonly ToldEvent[]) => {
  const reader = createMessageReader(HEAD);
  for (const told of events) reader.read(told);
  return reader.answer();
};

const begin = [
  {
    type: 'message_start',
    message: {
      id: 'msg_0f3c5a9d21be',
      model: 'claude-sonnet',
      type: 'message',
      role: 'assistant',
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: { input_tokens: 29, ...cache, output_tokens: 0 },
    },
  },
  { type: 'ping' },
];
const start = (index: number, block: object) => ({
  type: 'content_block_start',
  index,
  content_block: block,
});
const delta = (index: number, said: object) => ({ type: 'content_block_delta', index, delta: said });
const stop = (index: number) => ({ type: 'content_block_stop', index });
const end = (reason: string) => [
  { type: 'message_delta', delta: { stop_reason: reason, stop_sequence: null }, usage: USAGE },
  { type: 'message_stop' },
];
const text = (index: number, ...said: string[]) => [
  start(index, { type: 'text', text: '' }),
  ...said.map((piece) => delta(index, { type: 'text_delta', text: piece })),
];
const used = (index: number, name: string, json: string) => [
  start(index, { type: 'tool_use', id: `call_${name}`, name, input: {} }),
  delta(index, { type: 'input_json_delta', partial_json: json }),
  stop(index),
];
const thought = (index: number, ...said: string[]) => [
  start(index, { type: 'thinking', thinking: '', signature: '' }),
  ...said.map((piece) => delta(index, { type: 'thinking_delta', thinking: piece })),
  delta(index, { type: 'signature_delta', signature: 'mochi' }),
  stop(index),
];

describe('a stream', () => {
  it.each([
    [
      'signed thoughts, then text',
      SPOKEN,
      [
        ...begin,
        ...thought(0, 'The user ', 'asks.'),
        ...text(1, 'It is ', 'Paris.'),
        stop(1),
        ...end('end_turn'),
      ],
    ],
    [
      'each call in a block',
      HANDED,
      [
        ...begin,
        ...text(0, 'Let me look.'),
        stop(0),
        ...used(1, 'read', '{"path":"a.md"}'),
        ...used(2, 'list', '{}'),
        ...end('tool_use'),
      ],
    ],
    [
      'texts of two steps in one block',
      STEPPED,
      [...begin, ...text(0, 'One moment.', '\n\nIt is ', 'noon.'), stop(0), ...end('end_turn')],
    ],
    [
      'calls after thoughts alone',
      SILENT,
      [...begin, ...thought(0, 'A file.'), ...used(1, 'read', '{"path":"ä \\"b\\""}'), ...end('tool_use')],
    ],
    ['what was cut', CUT, [...begin, ...text(0, 'It is'), stop(0), ...end('max_tokens')]],
    [
      'a failure',
      BROKEN,
      [
        ...begin,
        ...text(0, 'It is'),
        {
          type: 'error',
          error: { type: 'api_error', message: 'The answer of Ollama ended early.' },
          request_id: 'req_1',
        },
      ],
    ],
    [
      'a failure before a word',
      REFUSED,
      [
        {
          type: 'error',
          error: { type: 'overloaded_error', message: 'Too many turns are waiting; try again later.' },
          request_id: 'req_1',
        },
      ],
    ],
  ])('tells %s', (_what, events, expected) => {
    expect(framesOf(events)).toEqual(expected);
  });

  it('pings in a silence', () => {
    expect(createMessageWriter(HEAD, 'req_1').silence?.()).toEqual({ event: 'ping', data: { type: 'ping' } });
  });
});

describe('a plain answer', () => {
  const answer = (reason: string, ...content: object[]) => ({
    id: 'msg_0f3c5a9d21be',
    type: 'message',
    role: 'assistant',
    model: 'claude-sonnet',
    content,
    stop_reason: reason,
    stop_sequence: null,
    usage: USAGE,
  });
  it.each([
    [
      'SPOKEN',
      SPOKEN,
      answer(
        'end_turn',
        { type: 'thinking', thinking: 'The user asks.', signature: 'mochi' },
        { type: 'text', text: 'It is Paris.' },
      ),
    ],
    [
      'HANDED',
      HANDED,
      answer(
        'tool_use',
        { type: 'text', text: 'Let me look.' },
        { type: 'tool_use', id: 'call_read', name: 'read', input: { path: 'a.md' } },
        { type: 'tool_use', id: 'call_list', name: 'list', input: {} },
      ),
    ],
    ['STEPPED', STEPPED, answer('end_turn', { type: 'text', text: 'One moment.\n\nIt is noon.' })],
  ])('of %s is blocks', (_what, events, expected) => {
    expect(answerOf(events)).toEqual(expected);
  });

  it.each([
    ['SPOKEN', SPOKEN],
    ['HANDED', HANDED],
    ['SILENT', SILENT],
    ['CUT', CUT],
  ])('of %s is the same from a snapshot at any place', (_name, events) => {
    for (let count = 1; count < events.length - 1; count += 1) {
      expect(answerOf(fromSnapshot(events, count))).toEqual(answerOf(events));
    }
  });
});

describe('an error', () => {
  it.each([
    [new MochiError('validation_error', 'No.'), 400, 'invalid_request_error'],
    [new MochiError('tools_not_supported', 'No.'), 400, 'invalid_request_error'],
    [new MochiError('unauthorized', 'No.'), 401, 'authentication_error'],
    [new MochiError('host_not_allowed', 'No.'), 403, 'permission_error'],
    [new MochiError('model_unusable', 'No.'), 404, 'not_found_error'],
    [new MochiError('not_found', 'No.'), 404, 'not_found_error'],
    [new MochiError('method_not_allowed', 'No.'), 405, 'not_found_error'],
    [new MochiError('session_busy', 'No.'), 409, 'invalid_request_error'],
    [new MochiError('payload_too_large', 'No.'), 413, 'request_too_large'],
    [new MochiError('overloaded', 'No.'), 529, 'overloaded_error'],
    [new MochiError('engine_busy', 'No.'), 529, 'overloaded_error'],
    [new MochiError('ollama_error', 'No.'), 502, 'api_error'],
    [new MochiError('engine_timeout', 'No.'), 504, 'timeout_error'],
  ])('%o has its status and type', (error, status, type) => {
    expect(tellAnthropicError(error, { id: 'req_1' })).toEqual({
      status,
      headers: { 'request-id': 'req_1' },
      body: { type: 'error', error: { type, message: 'No.' }, request_id: 'req_1' },
    });
  });

  it('says in the words that clients look for that a prompt is too long', () => {
    const error = new MochiError('context_overflow', 'No.', { required_tokens: 9000, window: 8192 });
    expect(tellAnthropicError(error, { id: 'r' }).body).toMatchObject({
      error: { type: 'invalid_request_error', message: 'prompt is too long: 9000 tokens > 8192 maximum' },
    });
  });
});

describe('a request', () => {
  const read = (body: object) => readRequest({ model: 'm', ...body } as MessagesBody);
  const hello = [{ role: 'user', content: 'Hello' }];

  it('of blocks, as Claude Code sends them, is what was said', () => {
    const { history } = read({
      system: [
        { type: 'text', text: 'x-anthropic-billing-header: cc_version=2.1; cch=4f1a;' },
        { type: 'text', text: 'You are an agent.', cache_control: { type: 'ephemeral' } },
        { type: 'text', text: 'Be brief.' },
      ],
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Read' },
            { type: 'text', text: 'it.' },
            { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } },
          ],
        },
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: 'Hm.', signature: 'mochi' },
            { type: 'redacted_thinking', data: 'x' },
            { type: 'text', text: 'I look.' },
            { type: 'tool_use', id: 't1', name: 'Read', input: { path: 'a' } },
            { type: 'tool_use', id: 't2', name: 'Bash', input: {} },
          ],
        },
        {
          role: 'user',
          content: [
            {
              type: 'tool_result',
              tool_use_id: 't1',
              content: [
                { type: 'text', text: 'One' },
                { type: 'text', text: 'two' },
                { type: 'image', source: { type: 'base64', data: 'BBBB' } },
              ],
            },
            { type: 'tool_result', tool_use_id: 't2', is_error: true, content: 'no such command' },
            { type: 'text', text: 'Go on.' },
          ],
        },
        { role: 'system', content: 'Mind the time.' },
        {
          role: 'assistant',
          content: [
            { type: 'server_tool_use', id: 's', name: 'web_search', input: {} },
            { type: 'web_search_tool_result', tool_use_id: 's', content: [] },
            { type: 'text', text: 'Done.' },
          ],
        },
        {
          role: 'user',
          content: [
            {
              type: 'document',
              title: 'T',
              source: { type: 'text', media_type: 'text/plain', data: 'Words.' },
            },
          ],
        },
      ],
    });
    expect(history).toEqual({
      system: 'You are an agent.\n\nBe brief.',
      messages: [
        { role: 'user', content: 'Read\nit.', images: ['AAAA'] },
        {
          role: 'assistant',
          content: 'I look.',
          thinking: 'Hm.',
          toolCalls: [
            { id: 't1', name: 'Read', arguments: { path: 'a' } },
            { id: 't2', name: 'Bash', arguments: {} },
          ],
        },
        { role: 'tool', content: 'One\ntwo', toolCallId: 't1', toolName: 'Read' },
        { role: 'tool', content: 'Error: no such command', toolCallId: 't2', toolName: 'Bash' },
        { role: 'user', content: 'Go on.\n\nMind the time.', own: 'Go on.', images: ['BBBB'] },
        { role: 'assistant', content: 'Done.' },
        { role: 'user', content: 'T\n\nWords.' },
      ],
    });
  });

  it('of results alone is no message of a user', () => {
    const { history } = read({
      messages: [{ role: 'user', content: [{ type: 'tool_result', tool_use_id: 't', content: '1' }] }],
    });
    expect(history.messages).toEqual([{ role: 'tool', content: '1', toolCallId: 't' }]);
  });

  const tool = (name: string) => ({ name, input_schema: { type: 'object', properties: {} } });
  it.each([
    [
      {},
      { think: false, options: {}, toolChoice: 'auto', isParallel: true, format: null, truncation: 'refuse' },
    ],
    [
      { max_tokens: 64, temperature: 1, top_k: 5, stop_sequences: ['x'] },
      { options: { num_predict: 64, temperature: 1, top_k: 5, stop: ['x'] } },
    ],
    [{ thinking: { type: 'enabled', budget_tokens: 1024 } }, { think: true }],
    [{ thinking: { type: 'adaptive' }, output_config: { effort: 'medium' } }, { think: 'medium' }],
    [{ thinking: { type: 'disabled' }, output_config: { effort: 'high' } }, { think: false }],
    [
      { output_config: { format: { type: 'json_schema', schema: { type: 'object' } } } },
      { format: { type: 'object' } },
    ],
    [
      { tools: [tool('f'), { type: 'web_search_20250305', name: 'web_search' }] },
      {
        clientTools: [
          { name: 'f', description: '', inputSchema: { type: 'object', properties: {} }, isUnchecked: true },
        ],
      },
    ],
    [
      { tools: [tool('mcp__a__b')], tool_choice: { type: 'any', disable_parallel_tool_use: true } },
      { toolChoice: 'required', isParallel: false },
    ],
    [{ tools: [tool('f')], tool_choice: { type: 'tool', name: 'f' } }, { toolChoice: { name: 'f' } }],
    [
      { tools: [tool('f')], tool_choice: { type: 'none' } },
      { clientTools: [], toolChoice: 'none' },
    ],
    [
      { metadata: { user_id: 'u' }, service_tier: 'auto', context_management: { edits: [] }, betas: ['x'] },
      { options: {} },
    ],
  ])('with %j is answered with %j', (body, expected) => {
    expect(read({ messages: hello, ...body }).settings).toMatchObject(expected);
  });

  it.each([
    [{ messages: [{ role: 'robot', content: '' }] }, '/messages/0/role'],
    [{ messages: [{ role: 'user', content: [{ type: 'video' }] }] }, '/messages/0/content/0/type'],
    [
      {
        messages: [
          { role: 'user', content: [{ type: 'document', source: { type: 'base64', data: 'AAAA' } }] },
        ],
      },
      '/messages/0/content/0/source/type',
    ],
    [{ messages: [{ role: 'user', content: { a: 1 } }] }, '/messages/0/content'],
    [{ messages: hello, system: 5 }, '/system'],
    [{ messages: hello, tools: [tool('f')], tool_choice: { type: 'tool', name: 'g' } }, '/tool_choice'],
    [{ messages: hello, tool_choice: { type: 'perhaps' } }, '/tool_choice/type'],
    [{ messages: hello, output_config: { format: { type: 'xml' } } }, '/output_config/format'],
  ])('that is wrong says where: %j', (body, path) => {
    expect(() => read(body)).toThrow(
      expect.objectContaining({
        kind: 'validation_error',
        details: { errors: [expect.objectContaining({ path })] },
      }),
    );
  });

  it('cannot have images fetched', () => {
    const image = { type: 'image', source: { type: 'url', url: 'https://example.org/a.png' } };
    expect(() => read({ messages: [{ role: 'user', content: [image] }] })).toThrow(
      expect.objectContaining({ kind: 'image_url_not_supported' }),
    );
  });
});
