// Calls of tools that nobody offered: stored, answered with a failure, bounded, never a crash.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type ChatScript,
  sequence,
  text,
  toolCall,
  toolCalls,
  twoChunks,
} from '../fake-ollama/chat-script.ts';
import { errorAfter, script, split } from '../fake-ollama/script-modifiers.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

const weather = (city: string, more: object = {}) => ({ name: 'get_weather', args: { city }, ...more });
const paris = { name: 'get_weather', arguments: { city: 'Paris' } };
const rome = { name: 'get_weather', arguments: { city: 'Rome' } };

type Case = readonly [name: string, calls: ChatScript, told: readonly unknown[]];
const CASES: readonly Case[] = [
  ['in an early chunk', toolCalls([weather('Paris')]), [paris]],
  ['on the last chunk', toolCalls([weather('Paris')], 'final'), [paris]],
  ['two in one chunk', toolCalls([weather('Paris'), weather('Rome')]), [paris, rome]],
  ['two on the last chunk', toolCalls([weather('Paris'), weather('Rome')], 'final'), [paris, rome]],
  ['in two chunks', twoChunks(weather('Paris'), weather('Rome')), [paris, rome]],
  [
    'in an early chunk and on the last one',
    {
      steps: [
        ...toolCalls([weather('Paris')]).steps.slice(0, 1),
        ...toolCalls([weather('Rome')], 'final').steps,
      ],
    },
    [paris, rome],
  ],
  ['without ids', twoChunks(weather('Paris', { id: false }), weather('Rome', { id: false })), [paris, rome]],
  [
    'all with index 0',
    toolCalls([weather('Paris', { index: 0 }), weather('Rome', { index: 0 })]),
    [paris, rome],
  ],
  ['without index', toolCalls([weather('Paris', { index: false })]), [paris]],
  [
    'all with one id',
    toolCalls([weather('Paris', { id: 'x' }), weather('Rome', { id: 'x' })]),
    [paris, rome],
  ],
  ['arguments as JSON text', toolCall('get_weather', '{"city":"Paris"}'), [paris]],
  ['arguments that are no JSON', toolCall('get_weather', '{"city":"Par'), [{ ...paris, arguments: {} }]],
  ['arguments that are a list', toolCall('get_weather', ['Paris']), [{ ...paris, arguments: {} }]],
  ['arguments that are null', toolCall('get_weather', null), [{ ...paris, arguments: {} }]],
  ['no arguments', toolCall('get_time', {}), [{ name: 'get_time', arguments: {} }]],
  [
    'nested arguments',
    toolCall('f', { a: { b: [1, null, '…'] } }),
    [{ name: 'f', arguments: { a: { b: [1, null, '…'] } } }],
  ],
  ['an empty name', toolCall('', { a: 1 }), [{ name: '', arguments: { a: 1 } }]],
  ['a strange name', toolCall('../../etc/passwd\n', {}), [{ name: '../../etc/passwd\n', arguments: {} }]],
  ['byte by byte', script(toolCalls([weather('Paris')]), split('byte')), [paris]],
];

describe('tool calls that nobody offered', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ config: { maxToolIterations: 3 } });
  });
  afterAll(() => server.close());

  it.each(CASES)('%s', async (_name, calls, told) => {
    const sessionId = await server.createSession();
    server.ollama.reply(calls, text('I could not find out.'));
    const { body } = await server.chat(sessionId, { message: 'Weather?' });
    expect(body.message).toMatchObject({ content: 'I could not find out.', tool_calls: null });
    expect(body.tool_calls_executed).toEqual(told.map((call) => ({ ...(call as object), success: false })));

    const [user, asking, ...rest] = await server.messages(sessionId);
    expect(user).toMatchObject({ role: 'user', content: 'Weather?' });
    expect(asking).toMatchObject({
      role: 'assistant',
      content: '',
      status: 'complete',
      tool_calls: told.map((call) => ({ function: call })),
    });
    const answer = rest.pop();
    expect(answer).toMatchObject({ role: 'assistant', content: 'I could not find out.', tool_calls: null });
    expect(rest).toHaveLength(told.length);
    for (const [index, result] of rest.entries()) {
      const { name } = told[index] as { name: string };
      expect(result).toMatchObject({ role: 'tool', tool_name: name, status: 'complete' });
      expect(result.content).toMatch(/^Error: .+/);
      expect(result.content).toContain(name.trim());
    }
  });

  it('keeps the text that came before a call', async () => {
    const sessionId = await server.createSession();
    server.ollama.reply(sequence(text('Let me ', 'see.'), toolCalls([weather('Paris')])), text('No.'));
    const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'Weather?' });
    const names = (await stream.all()).map(({ event }) => event);
    expect(names.indexOf('tool_call')).toBeGreaterThan(names.indexOf('content_delta'));
    expect((await server.messages(sessionId)).map(({ content }) => content)).toEqual([
      'Weather?',
      'Let me see.',
      expect.stringMatching(/^Error: /),
      'No.',
    ]);
  });

  it('tells calls and results in pairs, with their position', async () => {
    const sessionId = await server.createSession();
    const calls = twoChunks(weather('Paris', { id: 'a' }), weather('Rome', { id: 'b' }));
    server.ollama.reply(calls, toolCalls([weather('Oslo', { id: 'c' })]), text('No.'));
    const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'Weather?' });
    const events = await stream.all();
    const told = events.filter(({ event }) => event.startsWith('tool_'));
    expect(
      told.map(({ event, data }) => [event, data.call_index ?? data.tool_count, data.tool_call_id]),
    ).toEqual([
      ['tool_call', 0, 'a'],
      ['tool_result', 0, 'a'],
      ['tool_call', 1, 'b'],
      ['tool_result', 1, 'b'],
      ['tool_continuation_start', 2, undefined],
      ['tool_call', 0, 'c'],
      ['tool_result', 0, 'c'],
      ['tool_continuation_start', 1, undefined],
    ]);
  });

  it('stops a model that never stops asking: what happened is stored, and the session goes on', async () => {
    const sessionId = await server.createSession();
    server.ollama.reply(...Array.from({ length: 3 }, (_, round) => toolCall('again', { round })));
    const before = server.ollama.requests.length;
    const { status, body } = await server.post(`/chat/${sessionId}`, { message: 'Loop.' });
    expect([status, body.detail.error.code]).toEqual([502, 'tool_loop_limit']);
    expect(body.detail.error.message).toContain('MOCHI_MAX_TOOL_ITERATIONS');
    expect(server.ollama.requests.slice(before).map(({ path }) => path)).toEqual(Array(3).fill('/api/chat'));
    const roles = (await server.messages(sessionId)).map(({ role }) => role);
    expect(roles).toEqual(['user', ...Array.from({ length: 3 }, () => ['assistant', 'tool']).flat()]);
    await server.chat(sessionId, { message: 'Enough.' });
  });

  it('streams the same end: an error, then done', async () => {
    const sessionId = await server.createSession();
    server.ollama.reply(...Array.from({ length: 3 }, () => toolCall('again', {})));
    const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'Loop.' });
    const events = await stream.all();
    expect(events.slice(-2).map(({ data }) => data.code ?? data.state)).toEqual([
      'tool_loop_limit',
      'failed',
    ]);
    expect(events.filter(({ event }) => event === 'tool_call')).toHaveLength(3);
  });

  it('answers in the last round that is allowed', async () => {
    const sessionId = await server.createSession();
    server.ollama.reply(toolCall('again', {}), toolCall('again', {}), text('Done.'));
    const { body } = await server.chat(sessionId, { message: 'Loop twice.' });
    expect(body.message.content).toBe('Done.');
    expect(body.tool_calls_executed).toHaveLength(2);
  });

  it('lets calls go that were cut before the model had finished', async () => {
    const sessionId = await server.createSession();
    const calls = sequence(text('Let me see.'), toolCalls([weather('Paris')]));
    server.ollama.reply(script(calls, errorAfter(2, 'crashed')));
    const { status } = await server.post(`/chat/${sessionId}`, { message: 'Weather?' });
    expect(status).toBe(502);
    expect(
      (await server.messages(sessionId)).map(({ role, status, tool_calls }) => [role, status, tool_calls]),
    ).toEqual([
      ['user', 'complete', null],
      ['assistant', 'partial', null],
    ]);
    await server.chat(sessionId, { message: 'Again?' });
  });

  it('survives hundreds of calls in one answer', async () => {
    const sessionId = await server.createSession();
    const many = Array.from({ length: 300 }, (_, index) => weather(`City ${index}`));
    server.ollama.reply(toolCalls(many), text('Too many.'));
    const { body } = await server.chat(sessionId, { message: 'Weather everywhere?' });
    expect(body.tool_calls_executed).toHaveLength(300);
    expect(await server.messages(sessionId)).toHaveLength(303);
  });
});
