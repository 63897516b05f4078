import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EngineChatRequest } from '../../contract/engine.ts';
import { errorText, toChatBody, toChunks } from './wire.ts';

const request = (changes: Partial<EngineChatRequest> = {}): EngineChatRequest => ({
  model: 'llama3.2:latest',
  messages: [{ role: 'user', content: 'Hello' }],
  think: false,
  window: 8192,
  options: {},
  ...changes,
});

describe('toChatBody', () => {
  it('leaves nothing to the defaults of the server', () => {
    expect(toChatBody(request())).toEqual({
      model: 'llama3.2:latest',
      messages: [{ role: 'user', content: 'Hello' }],
      stream: true,
      think: false,
      truncate: false,
      options: { num_ctx: 8192 },
    });
  });

  it('has no options where there are none', () => {
    expect(toChatBody(request({ window: null }))).not.toHaveProperty('options');
    expect(toChatBody(request({ window: null, options: { seed: 1 } }))['options']).toEqual({ seed: 1 });
  });

  it('offers tools in their order, and none where there are none', () => {
    const tools = [
      { name: 'b', description: 'B', parameters: { type: 'object' } },
      { name: 'a', description: 'A', parameters: {} },
    ];
    expect(toChatBody(request({ tools }))['tools']).toEqual(
      tools.map((tool) => ({ type: 'function', function: tool })),
    );
    expect(toChatBody(request({ tools: [] }))).not.toHaveProperty('tools');
  });

  it('never touches what it was given', () => {
    const options = Object.freeze({ stop: 'END', num_ctx: 4 });
    const body = toChatBody(request({ options }));
    expect(body['options']).toEqual({ stop: ['END'], num_ctx: 8192 });
    expect(options).toEqual({ stop: 'END', num_ctx: 4 });
  });

  it('leaves out what is empty', () => {
    const messages = [
      { role: 'assistant', content: '', thinking: '', toolCalls: [] },
      { role: 'user', content: 'Hello', images: [] },
    ] as const;
    expect(toChatBody(request({ messages }))['messages']).toEqual([
      { role: 'assistant', content: '' },
      { role: 'user', content: 'Hello' },
    ]);
  });
});

describe('toChunks', () => {
  it('tells thinking, then content, then calls, then the end', () => {
    const line = {
      message: {
        thinking: 'Hm',
        content: 'Yes',
        tool_calls: [{ id: 'a', function: { name: 'f', arguments: { x: 1 } } }],
      },
      done: true,
      done_reason: 'length',
      prompt_eval_count: 31,
      eval_count: 7,
      load_duration: 1_500_000,
      prompt_eval_duration: 2_400_000,
      eval_duration: 0,
      total_duration: 60_000_000_000,
    };
    expect(toChunks(line)).toEqual([
      { type: 'thinking', text: 'Hm' },
      { type: 'content', text: 'Yes' },
      { type: 'tool_call', call: { id: 'a', name: 'f', arguments: { x: 1 } } },
      {
        type: 'done',
        reason: 'length',
        usage: { promptTokens: 31, outputTokens: 7, loadMs: 2, promptEvalMs: 2, evalMs: 0, waitedMs: 59_996 },
      },
    ]);
  });

  it('knows no counts where there are none', () => {
    const usage = { promptTokens: null, outputTokens: null, loadMs: null, promptEvalMs: null, evalMs: null };
    expect(toChunks({ done: true })).toEqual([{ type: 'done', reason: null, usage }]);
    const strange = { done: true, prompt_eval_count: '31', eval_count: null, load_duration: [] };
    expect(toChunks(strange)).toEqual([{ type: 'done', reason: null, usage }]);
  });

  it.each([
    ['an object', { a: 1 }, { a: 1 }],
    ['an object as text', '{"a":1}', { a: 1 }],
    ['absent', undefined, {}],
    ['null', null, {}],
    ['no JSON', '{"a":', '{"a":'],
    ['a list as text', '[1]', '[1]'],
    ['a list', [1], '[1]'],
    ['a number', 7, '7'],
  ])('reads arguments: %s', (_name, given, read) => {
    const [chunk] = toChunks({ message: { tool_calls: [{ function: { name: 'f', arguments: given } }] } });
    expect(chunk).toMatchObject({ type: 'tool_call', call: { name: 'f', arguments: read } });
  });

  it('gives every call that came without an id one of its own', () => {
    const call = { function: { name: 'f', arguments: {} } };
    const chunks = toChunks({ message: { tool_calls: [call, { ...call, id: '' }, null, 7] } });
    const ids = chunks.map((chunk) => (chunk.type === 'tool_call' ? chunk.call.id : ''));
    for (const id of ids) expect(id).toMatch(/^call_\w+$/);
    expect(new Set(ids).size).toBe(4);
  });

  it('never throws, and ends at most once, whatever a line holds', () => {
    const message = fc.record(
      { content: fc.jsonValue(), thinking: fc.jsonValue(), tool_calls: fc.jsonValue() },
      { requiredKeys: [] },
    );
    const anyLine = fc.oneof(
      fc.jsonValue(),
      fc.record(
        { message: fc.oneof(message, fc.jsonValue()), done: fc.oneof(fc.boolean(), fc.jsonValue()) },
        { requiredKeys: [] },
      ),
    );
    fc.assert(
      fc.property(anyLine, (line) => {
        const chunks = toChunks(line);
        const ends = chunks.filter(({ type }) => type === 'done').length;
        expect(ends).toBeLessThanOrEqual(1);
        if (ends === 1) expect(chunks.at(-1)?.type).toBe('done');
        for (const chunk of chunks) if ('text' in chunk) expect(chunk.text).not.toBe('');
      }),
    );
  });
});

describe('errorText', () => {
  it.each([
    ['no error', { message: { content: 'error' }, done: false }, null],
    ['no object', ['error'], null],
    ['a text', { error: 'out of memory' }, 'out of memory'],
    ['an object', { error: { message: 'no such model', type: 'api_error' } }, 'no such model'],
    ['an object without a message', { error: { code: 7 } }, '{"code":7}'],
    ['JSON in the text', { error: '{"error":{"code":400,"message":"too long"}}' }, 'too long'],
    ['JSON with a text in the text', { error: '{"error":"too long"}' }, 'too long'],
    ['JSON that is no error in the text', { error: '{"a":1}' }, '{"a":1}'],
    ['another key', { 'error parsing tool call': "raw='{'" }, "parsing tool call: raw='{'"],
  ])('%s', (_name, line, text) => {
    expect(errorText(line)).toBe(text);
  });

  it('never throws, whatever the error is', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (error) => {
        const told = [errorText({ error }), errorText({ error: JSON.stringify({ error }) })];
        for (const text of told) expect(text).toEqual(expect.any(String));
      }),
    );
  });
});
