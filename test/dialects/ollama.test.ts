// Ollama's chat and generate: bodies read, and turns told, by table.
import { describe, expect, it } from 'vitest';
import type { ToldEvent } from '../../src/chat/watch/turn-log.ts';
import { MochiError } from '../../src/contract/errors.ts';
import type { OllamaCall } from '../../src/dialects/ollama/answer-lines.ts';
import { tellOllamaError } from '../../src/dialects/ollama/error-body.ts';
import { readChat, readGenerate } from '../../src/dialects/ollama/read-request.ts';
import { createLineReader } from '../../src/dialects/ollama/to-answer.ts';
import { createLineWriter } from '../../src/dialects/ollama/write-events.ts';
import { toldData } from './told-data.ts';
import { BROKEN, CUT, fromSnapshot, HANDED, SILENT, SPOKEN, STEPPED } from './turn-events.ts';

const HEAD = { model: 'qwen3', created_at: '2026-02-15T09:49:38.310281Z' };
const END = {
  done: true,
  total_duration: 77_500_000,
  load_duration: 12_000_000,
  prompt_eval_count: 31,
  prompt_eval_duration: 40_500_000,
  eval_count: 7,
  eval_duration: 25_000_000,
};

const linesOf = (events: readonly ToldEvent[], call: OllamaCall = 'chat') => {
  const writer = createLineWriter(call, HEAD);
  return events.flatMap((told) => writer.write(told)).map(toldData);
};
const answerOf = (events: readonly ToldEvent[], call: OllamaCall = 'chat') => {
  const reader = createLineReader(call, HEAD);
  for (const told of events) reader.read(told);
  return reader.answer();
};
const said = (message: object) => ({ role: 'assistant', content: '', ...message });
const line = (message: object) => ({ ...HEAD, message: said(message), done: false });
const last = (reason = 'stop') => ({ ...HEAD, message: said({}), ...END, done_reason: reason });
const calls = [
  { id: 'call_read', function: { index: 0, name: 'read', arguments: { path: 'a.md' } } },
  { id: 'call_list', function: { index: 1, name: 'list', arguments: {} } },
];

describe('lines', () => {
  it.each([
    [
      'thoughts, then text',
      SPOKEN,
      [
        line({ thinking: 'The user ' }),
        line({ thinking: 'asks.' }),
        line({ content: 'It is ' }),
        line({ content: 'Paris.' }),
        last(),
      ],
    ],
    [
      'all calls in one line',
      HANDED,
      [line({ content: 'Let me look.' }), line({ tool_calls: calls }), last()],
    ],
    [
      'texts of two steps apart',
      STEPPED,
      [line({ content: 'One moment.' }), line({ content: '\n\nIt is ' }), line({ content: 'noon.' }), last()],
    ],
    ['what was cut', CUT, [line({ content: 'It is' }), last('length')]],
    [
      'a failure, which has no end',
      BROKEN,
      [line({ content: 'It is' }), { error: 'The answer of Ollama ended early.' }],
    ],
  ])('tell %s', (_what, events, expected) => {
    expect(linesOf(events)).toEqual(expected);
  });

  it('of a generated text have it as the response', () => {
    expect(linesOf(SPOKEN, 'generate')).toEqual([
      { ...HEAD, response: '', thinking: 'The user ', done: false },
      { ...HEAD, response: '', thinking: 'asks.', done: false },
      { ...HEAD, response: 'It is ', done: false },
      { ...HEAD, response: 'Paris.', done: false },
      { ...HEAD, response: '', ...END, done_reason: 'stop' },
    ]);
  });

  it('without content break a silence', () => {
    expect(createLineWriter('chat', HEAD).silence?.()).toEqual({ data: line({}) });
  });
});

describe('a plain answer', () => {
  it.each([
    ['SPOKEN', SPOKEN, { content: 'It is Paris.', thinking: 'The user asks.' }],
    ['HANDED', HANDED, { content: 'Let me look.', tool_calls: calls }],
    ['STEPPED', STEPPED, { content: 'One moment.\n\nIt is noon.' }],
  ])('of %s has the whole message', (_what, events, message) => {
    expect(answerOf(events)).toEqual({ ...HEAD, message: said(message), ...END, done_reason: 'stop' });
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

  it('of a generated text has it as the response', () => {
    expect(answerOf(CUT, 'generate')).toEqual({ ...HEAD, response: 'It is', ...END, done_reason: 'length' });
  });
});

describe('an error', () => {
  it.each([
    [new MochiError('not_found', 'No.'), 404, '404 page not found'],
    [new MochiError('method_not_allowed', 'No.'), 405, '405 method not allowed'],
    [new MochiError('model_unusable', 'No.', { model: 'x' }), 404, { error: "model 'x' not found" }],
    [new MochiError('validation_error', 'No.'), 400, { error: 'No.' }],
    [new MochiError('context_overflow', 'No.', { required_tokens: 2, window: 1 }), 400, { error: 'No.' }],
    [new MochiError('unauthorized', 'No.'), 401, { error: 'No.' }],
    [new MochiError('session_busy', 'No.'), 409, { error: 'No.' }],
    [new MochiError('overloaded', 'No.'), 503, { error: 'No.' }],
  ])('%o is its text', (error, status, body) => {
    expect(tellOllamaError(error)).toEqual({ status, body });
  });
});

describe('a request', () => {
  const chat = (body: object) => readChat({ model: 'm', ...body });

  it('of messages as several clients send them is what was said', () => {
    const { history, isStream } = chat({
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'What is it?', images: ['data:image/png;base64,AAAA'] },
        {
          role: 'assistant',
          content: '',
          thinking: 'Hm.',
          tool_calls: [{ function: { name: 'look', arguments: { at: 1 } } }],
        },
        { role: 'tool', content: 'A cat.', tool_name: 'look' },
        { role: 'assistant', tool_calls: [{ id: 'c', function: { name: 'look', arguments: '{"at":2}' } }] },
        { role: 'tool', content: 'A dog.' },
        { role: 'user', content: null },
      ],
    });
    expect(isStream).toBe(true);
    expect(history).toEqual({
      system: 'Be brief.',
      messages: [
        { role: 'user', content: 'What is it?', images: ['AAAA'] },
        {
          role: 'assistant',
          content: '',
          thinking: 'Hm.',
          toolCalls: [{ id: 'call_1_0', name: 'look', arguments: { at: 1 } }],
        },
        { role: 'tool', content: 'A cat.', toolCallId: 'call_1_0', toolName: 'look' },
        { role: 'assistant', content: '', toolCalls: [{ id: 'c', name: 'look', arguments: { at: 2 } }] },
        { role: 'tool', content: 'A dog.', toolCallId: 'c', toolName: 'look' },
        { role: 'user', content: '' },
      ],
    });
  });

  it.each([
    [
      {},
      {
        think: null,
        format: null,
        keepAlive: null,
        truncation: 'leave_out',
        windowAtLeast: null,
        options: {},
      },
    ],
    [{ think: false }, { think: false }],
    [{ think: 'max' }, { think: 'high' }],
    [{ format: '' }, { format: null }],
    [{ format: 'json' }, { format: 'json' }],
    [{ format: { type: 'object' } }, { format: { type: 'object' } }],
    [{ keep_alive: -1 }, { keepAlive: -1 }],
    [{ truncate: false }, { truncation: 'refuse' }],
    [
      {
        options: {
          num_ctx: 4096,
          num_predict: -1,
          mirostat: 2,
          use_mlock: true,
          stop: ['a'],
          temperature: 0.5,
          x: null,
        },
      },
      { windowAtLeast: 4096, options: { mirostat: 2, use_mlock: true, stop: ['a'], temperature: 0.5 } },
    ],
    [
      {
        tools: [
          { type: 'function', function: { name: 'f', parameters: { type: 'object', properties: {} } } },
        ],
      },
      {
        clientTools: [
          { name: 'f', description: '', inputSchema: { type: 'object', properties: {} }, isUnchecked: true },
        ],
        toolChoice: 'auto',
      },
    ],
  ])('with %j is answered with %j', (body, expected) => {
    expect(chat({ messages: [{ role: 'user', content: 'a' }], ...body }).settings).toMatchObject(expected);
  });

  it.each([
    [{ messages: [{ role: 'robot' }] }, '/messages/0/role'],
    [{ messages: [{ role: 'user', content: ['a'] }] }, '/messages/0/content'],
    [{ messages: [{ role: 'user', content: 'a', images: ['A*'] }] }, '/messages/0/images/0'],
    [{ think: 'deeply' }, '/think'],
    [{ format: 'xml' }, '/format'],
    [{ tools: [{ type: 'function' }] }, '/tools/0/function'],
  ])('that is wrong says where: %j', (body, path) => {
    expect(() => chat(body)).toThrow(
      expect.objectContaining({
        kind: 'validation_error',
        details: { errors: [expect.objectContaining({ path })] },
      }),
    );
  });

  it('for a text is one message of a user', () => {
    const read = readGenerate({
      model: 'm',
      prompt: 'Why?',
      system: 'Be brief.',
      images: ['AAAA'],
      stream: false,
    });
    expect(read).toMatchObject({
      isStream: false,
      history: { system: 'Be brief.', messages: [{ role: 'user', content: 'Why?', images: ['AAAA'] }] },
    });
  });
});
