// A model that writes its calls down instead of making them: they run as calls, and nobody sees the text.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { text } from '../fake-ollama/chat-script.ts';
import { errorAfter, script } from '../fake-ollama/script-modifiers.ts';
import { ADD, shown, startToolServer, type ToolServer, toldCall } from '../support/server-with-tools.ts';
import { watchAll } from './watching.ts';

let server: ToolServer;
beforeAll(async () => {
  server = await startToolServer([ADD]);
});
afterAll(() => server.close());

const deltasOf = (events: readonly any[]) =>
  events.filter(({ event }) => event === 'content_delta').map(({ data }) => data.content);

it('runs it, as any call, and stores it as one', async () => {
  const sessionId = await server.toolSession(['add_numbers']);
  server.ollama.reply(
    text('<tool', '_call>{"name":"add_numbers",', ' "arguments":{"a":"1","b":2}}</tool_call>'),
    text('Three.'),
  );
  const events = await server.told(sessionId, { message: 'Add.' });
  const call = events.find(({ event }) => event === 'tool_call')?.data;
  expect(call.tool_call_id).toMatch(/^call_[0-9a-f]{8}$/);
  const told = shown(events).filter(([event]: any) => !['context', 'status', 'turn_start'].includes(event));
  expect(told).toEqual([
    ...toldCall({ name: 'add_numbers', args: { a: 1, b: 2 }, id: call.tool_call_id }, { result: '3' }),
    ['tool_continuation_start', { tool_count: 1, message: 'Processing tool results...' }],
    ['content_delta', 'Three.'],
    ['message_complete', 'Three.'],
    ['done', 'completed'],
  ]);
  const messages = await server.messages(sessionId);
  expect(messages[1]).toMatchObject({
    content: '',
    finish_reason: 'tool_calls',
    tool_calls: [{ function: { name: 'add_numbers', arguments: { a: '1', b: 2 } } }],
  });
  const turnId = events[0]?.data.turn_id;
  expect(await watchAll(server, turnId)).toEqual(events);
  const answer = await fetch(`${server.url}/api/v1/sessions/${sessionId}/export?format=jsonl`);
  const lines = (await answer.text())
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  expect(lines.flatMap(({ calls = [] }) => calls)).toMatchObject([
    { origin: 'text', ran_arguments: { a: 1, b: 2 }, success: true },
  ]);
});

it('the policy holds for it: what needs an approval does not run', async () => {
  const settings = { tool_settings: { execution_policy: 'always_confirm' } };
  const sessionId = await server.toolSession(['add_numbers'], settings);
  const before = server.source.runs.length;
  server.ollama.reply(text('{"name":"add_numbers","parameters":{"a":1,"b":2}}'));
  const { status, body } = await server.post(`/chat/${sessionId}`, { message: 'Add.' });
  expect([status, body.detail.error.code]).toEqual([400, 'tool_confirmation_requires_streaming']);
  expect(server.source.runs).toHaveLength(before);
});

it('what only begins like a call is told whole, and is the answer', async () => {
  const sessionId = await server.toolSession(['add_numbers']);
  server.ollama.reply(text('{"name"', ': "Ada"', ', "born": 1815}', ' is she.'));
  expect(deltasOf(await server.told(sessionId, { message: 'Who?' }))).toEqual([
    '{"name": "Ada", "born": 1815} is she.',
  ]);
  server.ollama.reply(text('{"born"', ': 1815}'));
  expect(deltasOf(await server.told(sessionId, { message: 'When?' }))).toEqual(['{"born"', ': 1815}']);
});

it('what was held is kept when the engine fails', async () => {
  const sessionId = await server.toolSession(['add_numbers']);
  server.ollama.reply(script(text('{"name"', ': "add'), errorAfter(2, 'crashed')));
  const events = await server.told(sessionId, { message: 'Add.' });
  expect(deltasOf(events)).toEqual(['{"name": "add']);
  expect((await server.messages(sessionId)).at(-1)).toMatchObject({
    content: '{"name": "add',
    status: 'partial',
  });
});

it.each([
  ['no tools are offered', {}, []],
  ['a format was asked for', { format: 'json' }, ['add_numbers']],
])('it is a text where %s', async (_why, more, tools) => {
  const sessionId = await server.toolSession(tools);
  const written = '{"name":"add_numbers","arguments":{"a":1,"b":2}}';
  server.ollama.reply(text(written));
  const { body } = await server.chat(sessionId, { message: 'Add.', ...more });
  expect(body.message.content).toBe(written);
});

it('and where the operator wants it to be', async () => {
  await server.restart({ toolCallRescue: false });
  const sessionId = await server.toolSession(['add_numbers']);
  server.ollama.reply(text('{"name":"add_', 'numbers","arguments":{"a":1,"b":2}}'));
  expect(deltasOf(await server.told(sessionId, { message: 'Add.' }))).toHaveLength(2);
});
