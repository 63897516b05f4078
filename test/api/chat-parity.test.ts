// Both chat routes are one turn: whatever the engine does, they tell the same and store the same.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type ChatScript,
  chunks,
  httpError,
  sequence,
  text,
  thinking,
  tokens,
  toolCall,
  toolCalls,
  twoChunks,
} from '../fake-ollama/chat-script.ts';
import { exceedContextError, htmlAnswer } from '../fake-ollama/http-answer.ts';
import {
  blankLines,
  cutAfter,
  destroyAfter,
  errorAfter,
  lineAfter,
  noCounts,
  noEmptyContent,
  noFinalNewline,
  script,
  split,
} from '../fake-ollama/script-modifiers.ts';
import type { StreamedEvent } from '../support/read-events.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

const weather = { name: 'get_weather', args: { city: 'Paris' } };
const time = { name: 'get_time', args: {}, id: false as const, index: false as const };
const thinks = { model: 'qwen3:14b' };

const PROGRAMS: readonly [
  name: string,
  scripts: readonly ChatScript[],
  body?: object,
  session?: Record<string, unknown>,
][] = [
  ['a plain answer', [text('Hello', ' there')]],
  ['an empty answer', [text()]],
  ['many tokens', [tokens(300)]],
  ['bytes one at a time', [script(text('Žluťoučký', ' 🦙'), split('byte'))]],
  ['everything in one read', [script(text('a', 'b', 'c'), split('joined'))]],
  ['blank lines and no final newline', [script(text('a', 'b'), blankLines(), noFinalNewline())]],
  ['no counts', [script(text('a'), noCounts())]],
  ['thinking', [thinking(['Hm'], ['Paris'])], { think: true }, thinks],
  ['thinking nobody asked for', [thinking(['Hm'], ['Paris'])], { think: false }, thinks],
  [
    'thinking without content',
    [script(thinking(['Hm'], ['Yes']), noEmptyContent())],
    { think: true },
    thinks,
  ],
  ['a call in its own chunk', [toolCalls([weather]), text('Fine.')]],
  ['a call on the last chunk', [toolCalls([weather], 'final'), text('Fine.')]],
  ['two calls in two chunks', [twoChunks(weather, time), text('Fine.')]],
  ['text before a call', [sequence(text('Let me see.'), toolCalls([weather, time])), text('Fine.')]],
  ['a call, then an error', [toolCalls([weather]), httpError(500, 'gone')]],
  ['calls without end', Array.from({ length: 3 }, () => toolCall('loop', {}))],
  ['text and thinking in one chunk', [chunks({ thinking: 'Hm', content: 'Yes' })], { think: true }, thinks],
  ['a refusal', [httpError(500, 'no memory')]],
  ['an unknown model', [httpError(404, "model 'x' not found")]],
  ['a full queue', [httpError(503, 'server busy')]],
  ['a proxy page', [{ answer: htmlAnswer(), steps: [] }]],
  ['an over-long prompt', [httpError(400, exceedContextError(9000, 8192))]],
  ['an error line', [script(text('Par', 'tial'), errorAfter(2, 'crashed'))]],
  ['garbage', [script(text('Par', 'tial'), lineAfter(1, '<html>'))]],
  ['an early end', [script(text('Par', 'tial'), cutAfter(1))]],
  ['an end before the first word', [script(text('x'), cutAfter(0))]],
  ['a dropped socket', [script(text('Par', 'tial'), destroyAfter(1))]],
  ['a socket dropped at once', [script(text('x'), destroyAfter(0))]],
  ['JSON as asked', [text('{"a":1}')], { format: 'json' }],
  ['JSON that is none', [text('{"a":')], { format: 'json' }],
];

describe('both chat routes', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ config: { maxToolIterations: 3 } });
  });
  afterAll(() => server.close());

  it.each(PROGRAMS)('tell and store the same: %s', async (_name, scripts, body = {}, settings = {}) => {
    const request = { message: 'Question?', ...body };
    const plainSession = await server.createSession(settings);
    server.ollama.reply(...scripts);
    const plain = await server.post(`/chat/${plainSession}`, request);

    const streamSession = await server.createSession(settings);
    server.ollama.reply(...scripts);
    const stream = await server.stream(`/chat/${streamSession}/stream`, request);
    const streamed = foldEvents(await stream.all());

    expect(server.ollama.pendingReplies).toBe(0);
    expect(streamed.status).toBe(plain.status === 200 ? 'completed' : 'failed');
    expect(streamed.outcome).toEqual(plain.status === 200 ? toldOf(plain.body) : toldOfError(plain.body));
    const stored = withoutIds(await server.messages(plainSession));
    expect(withoutIds(await server.messages(streamSession))).toEqual(stored);
    // What is too long is taken back: a 400 leaves nothing.
    expect(stored.length > 0).toBe(plain.status !== 400);
  });
});

function foldEvents(events: readonly StreamedEvent[]) {
  // Whatever happened: numbered from 1, one beginning, one end.
  expect(events.map(({ id }) => id)).toEqual(events.map((_, index) => index + 1));
  const names = events.map(({ event }) => event);
  expect([names.indexOf('turn_start'), names.lastIndexOf('turn_start')]).toEqual([0, 0]);
  expect([names.indexOf('done'), names.lastIndexOf('done')]).toEqual([names.length - 1, names.length - 1]);
  expect(names.filter((name) => name === 'message_complete' || name === 'error')).toHaveLength(1);

  const find = (name: string) => events.find(({ event }) => event === name)?.data;
  const status = find('done').state;
  const failure = find('error');
  if (failure) return { status, outcome: toldOfError({ detail: { error: failure } }) };
  const calls = events.filter(({ event }) => event === 'tool_call').map(({ data }) => data);
  const results = events.filter(({ event }) => event === 'tool_result').map(({ data }) => data);
  const complete = find('message_complete');
  const last = names.lastIndexOf('tool_continuation_start');
  const deltas = events.slice(last + 1).filter(({ event }) => event === 'content_delta');
  expect(deltas.map(({ data }) => data.content).join('')).toBe(complete.message.content);
  const executed = calls.map(({ tool_name: name, arguments: args }, index) => ({
    name,
    arguments: args,
    success: results[index]?.success,
  }));
  return { status, outcome: toldOf({ ...complete, tool_calls_executed: executed }) };
}

function toldOf({ message, context_window, context, tool_calls_executed: executed }: any) {
  const { message_id: _id, timestamp: _time, ...rest } = message;
  // The second of both finds the model loaded.
  const { reload_expected: _load, planned_tokens: _planned, ...receipt } = context;
  return { message: rest, context_window, context: receipt, executed };
}

function toldOfError({ detail: { error } }: any) {
  const { session_id, turn_id, message_id, ...details } = error.details;
  return { ...error, details, hasPart: message_id !== undefined, isNamed: session_id && turn_id && true };
}

/** Ids and times differ between two sessions; which message refers to which must not. */
function withoutIds(messages: readonly any[]) {
  const positions = new Map(messages.map(({ message_id: id }, index) => [id, index]));
  return messages.map(
    ({ message_id: _id, timestamp: _time, turn_id: turnId, parent_id: parent, ...rest }) => ({
      ...rest,
      parent: parent === null ? null : positions.get(parent),
      hasTurn: typeof turnId === 'string',
    }),
  );
}
