// The UI message stream: bodies read, turns told by table, and what the SDK itself makes of them.
import { DefaultChatTransport, readUIMessageStream, type UIMessage } from 'ai';
import { describe, expect, it } from 'vitest';
import type { ToldEvent } from '../../src/chat/watch/turn-log.ts';
import type { Approval } from '../../src/contract/approval.ts';
import type { TurnEvent } from '../../src/contract/turn-event.ts';
import type { UiChatBody } from '../../src/dialects/ai-sdk/chat-body.ts';
import type { Chunk } from '../../src/dialects/ai-sdk/chunks.ts';
import { readRequest } from '../../src/dialects/ai-sdk/read-request.ts';
import { toChunks, toUiMessages, type UiSource } from '../../src/dialects/ai-sdk/ui-messages.ts';
import { createUiWriter, type UiStream } from '../../src/dialects/ai-sdk/write-events.ts';
import type { SettledToolCall } from '../../src/store/settled-calls.ts';
import {
  BROKEN,
  CUT,
  fromSnapshot,
  generating,
  HANDED,
  REFUSED,
  result,
  SILENT,
  SPOKEN,
  STEPPED,
  text,
  turn,
} from './turn-events.ts';

const STREAM: UiStream = {
  turnId: 'turn_0f3c5a9d21be',
  createdAt: '2026-02-15T09:49:38.310281Z',
  messageId: null,
  before: [],
  toldCalls: [],
  denied: [],
};

function framesOf(events: readonly ToldEvent[], stream: Partial<UiStream> = {}): unknown[] {
  const writer = createUiWriter({ ...STREAM, ...stream });
  return events.flatMap((told) => writer.write(told)).map(({ data }) => data);
}

/** Without what is only shown in passing. */
function chunksOf(events: readonly ToldEvent[], stream: Partial<UiStream> = {}): Chunk[] {
  const frames = framesOf(events, stream);
  expect(frames.at(-1)).toBe('[DONE]');
  return (frames.slice(0, -1) as Chunk[]).filter(({ transient }) => transient !== true);
}

/** Chunks that version 5 of the SDK knows. */
const KNOWN = new Set([
  ...['text', 'reasoning'].flatMap((kind) => [`${kind}-start`, `${kind}-delta`, `${kind}-end`]),
  'tool-input-available',
  'tool-output-available',
  'tool-output-error',
  'start',
  'start-step',
  'finish-step',
  'finish',
  'abort',
  'error',
  'data-status',
  'data-context',
]);

/** What the SDK makes of a stream; it refuses chunks that it does not know. */
async function messageOf(frames: readonly unknown[]): Promise<UIMessage | undefined> {
  const body = frames
    .map((data) => `data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`)
    .join('');
  const transport = new DefaultChatTransport({
    api: 'http://127.0.0.1/ai/chat',
    fetch: () => Promise.resolve(new Response(body, { headers: { 'content-type': 'text/event-stream' } })),
  });
  const stream = await transport.sendMessages({
    chatId: 'c',
    messages: [],
    trigger: 'submit-message',
    messageId: undefined,
    abortSignal: undefined,
  });
  let last: UIMessage | undefined;
  for await (const message of readUIMessageStream({ stream, terminateOnError: true })) last = message;
  return last;
}

const START = {
  type: 'start',
  messageId: 'm1',
  messageMetadata: { turn_id: STREAM.turnId, created_at: STREAM.createdAt, model: 'qwen3:8b' },
};
const textPart = (id: string, ...deltas: string[]) => [
  { type: 'text-start', id },
  ...deltas.map((delta) => ({ type: 'text-delta', id, delta })),
  { type: 'text-end', id },
];
const finish = (finishReason: string) => expect.objectContaining({ type: 'finish', finishReason });

const APPROVAL: Approval = {
  confirmation_id: 'conf_1',
  kind: 'tool',
  state: 'pending',
  session_id: 'b5a3d7e4c9',
  turn_id: STREAM.turnId,
  message_id: 'm1',
  call_index: 0,
  tool_call_id: 'call_wipe',
  tool_name: 'wipe',
  agent_name: null,
  agent_session_id: null,
  arguments: { disk: 1 },
  input_schema: null,
  digest: null,
  rule: null,
  question: null,
  plan: null,
  previous: null,
  allowed_decisions: ['approve', 'deny'],
  allowed_scopes: ['once'],
  created_at: STREAM.createdAt,
  expires_at: null,
  decided_at: null,
  decision: null,
};

describe('a stream of a UI message', () => {
  it.each([
    [
      'thoughts, then words',
      SPOKEN,
      [
        START,
        { type: 'start-step' },
        { type: 'reasoning-start', id: 'm1-r' },
        { type: 'reasoning-delta', id: 'm1-r', delta: 'The user ' },
        { type: 'reasoning-delta', id: 'm1-r', delta: 'asks.' },
        { type: 'reasoning-end', id: 'm1-r' },
        ...textPart('m1-t', 'It is ', 'Paris.'),
        { type: 'finish-step' },
        finish('stop'),
      ],
    ],
    [
      'calls of the client',
      HANDED,
      [
        START,
        { type: 'start-step' },
        ...textPart('m1-t', 'Let me look.'),
        { type: 'tool-input-available', toolCallId: 'call_read', toolName: 'read', input: { path: 'a.md' } },
        { type: 'tool-input-available', toolCallId: 'call_list', toolName: 'list', input: {} },
        { type: 'finish-step' },
        finish('tool-calls'),
      ],
    ],
    [
      'a tool that runs here, as none of the client',
      STEPPED,
      [
        START,
        { type: 'start-step' },
        ...textPart('m1-t', 'One moment.'),
        {
          type: 'tool-input-available',
          toolCallId: 'call_clock',
          toolName: 'clock',
          input: {},
          dynamic: true,
          providerExecuted: true,
        },
        {
          type: 'tool-output-available',
          toolCallId: 'call_clock',
          output: '12:00',
          dynamic: true,
          providerExecuted: true,
        },
        { type: 'finish-step' },
        { type: 'start-step' },
        ...textPart('m2-t', 'It is ', 'noon.'),
        { type: 'finish-step' },
        finish('stop'),
      ],
    ],
    [
      'an answer that was cut',
      CUT,
      [
        START,
        { type: 'start-step' },
        ...textPart('m1-t', 'It is'),
        { type: 'finish-step' },
        finish('length'),
      ],
    ],
    [
      'one that broke off',
      BROKEN,
      [
        START,
        { type: 'start-step' },
        ...textPart('m1-t', 'It is'),
        { type: 'finish-step' },
        { type: 'error', errorText: 'The answer of Ollama ended early.' },
      ],
    ],
    [
      'one that failed before a word',
      REFUSED,
      [{ type: 'error', errorText: 'Too many turns are waiting; try again later.' }],
    ],
  ])('tells %s', (_, events, chunks) => {
    expect(chunksOf(events)).toEqual(chunks);
  });

  it('shows phases and the receipt in passing', () => {
    const shown = (framesOf(SPOKEN) as Chunk[]).filter(({ transient }) => transient === true);
    expect(shown.map(({ type }) => type)).toEqual(['data-context', 'data-status', 'data-status']);
  });

  it.each([SPOKEN, HANDED, STEPPED, SILENT, CUT])('is what the SDK reads %#', async (...events) => {
    const frames = framesOf(events);
    for (const frame of frames) if (typeof frame === 'object') expect(KNOWN).toContain((frame as Chunk).type);
    const whole = await messageOf(frames);
    expect(whole).toMatchObject({ id: 'm1', role: 'assistant', metadata: { turn_id: STREAM.turnId } });
    for (let count = 3; count < events.length - 2; count += 1) {
      const late = await messageOf(framesOf(fromSnapshot(events, count)));
      // Of a step before the last one a snapshot has the calls alone.
      const own = ({ parts }: UIMessage) => parts.filter(({ type }) => type !== 'step-start').at(-1);
      expect(late && own(late)).toEqual(whole && own(whole));
    }
  });

  it('stops to ask, and goes on with what was decided', async () => {
    const asked = {
      tool_name: 'wipe',
      tool_call_id: 'call_wipe',
      call_index: 0,
      execution_id: null,
      confirmation_id: 'conf_1',
      arguments: { disk: 1 },
      kind: 'tool',
      rule: null,
      digest: null,
      expires_at: null,
      agent_name: null,
      agent_session_id: null,
    } as const;
    const waiting: TurnEvent[] = [
      { event: 'status', data: { phase: 'waiting_for_approval', approvals: [APPROVAL] } },
      { event: 'tool_call_confirmation_required', data: asked },
    ];
    const before = turn(generating('m1'), text('May I?'), ...waiting);
    const frames = framesOf(before);
    expect(frames.at(-1)).toBe('[DONE]');
    const message = await messageOf(frames);
    expect(message?.parts.at(-1)).toMatchObject({
      type: 'dynamic-tool',
      state: 'approval-requested',
      approval: { id: 'conf_1' },
    });

    const [told, ...rest] = result(0, 'wipe', "Tool 'wipe' was denied by user");
    const denied = { ...told, data: { ...told?.data, success: false } } as TurnEvent;
    const after = [denied, ...rest, generating('m2'), text('As you like.')].map((event, index) => ({
      id: 10 + index,
      event,
    }));
    expect(
      framesOf(after, { messageId: 'm1', denied: ['call_wipe'] })
        .filter((chunk) => (chunk as Chunk).transient !== true)
        .slice(0, 3),
    ).toMatchObject([
      { type: 'start', messageId: 'm1' },
      { type: 'tool-input-available', toolCallId: 'call_wipe' },
      { type: 'tool-output-denied', toolCallId: 'call_wipe' },
    ]);
  });
});

const MESSAGE = {
  thinking: null,
  timestamp: STREAM.createdAt,
  model: null,
  eval_count: null,
  prompt_eval_count: null,
  finish_reason: null,
  tool_calls: null,
  source_file: null,
  tool_name: null,
  parent_id: null,
  turn_id: 'turn_0f3c5a9d21be',
  status: 'complete',
  sibling_count: 1,
  sibling_index: 0,
  clientId: null,
} as const;
const CALL: SettledToolCall = {
  messageId: 'm1',
  resultMessageId: 'r1',
  callIndex: 0,
  callId: 'call_clock',
  name: 'clock',
  arguments: {},
  success: true,
  result: '12:00',
  runsAt: 'server',
};
const STORED: UiSource[] = [
  {
    ...MESSAGE,
    message_id: 'u1',
    role: 'user',
    content: 'When?',
    clientId: 'mine',
    images: ['iVBORw0KGgo='],
  },
  { ...MESSAGE, message_id: 'm1', role: 'assistant', content: 'One moment.', model: 'qwen3:8b' },
  { ...MESSAGE, message_id: 'r1', role: 'tool', content: '12:00' },
  { ...MESSAGE, message_id: 'm2', role: 'assistant', content: 'It is noon.', model: 'qwen3:8b' },
];

describe('stored messages', () => {
  it('are one UI message between two of the user', () => {
    const context = { calls: [CALL], approvals: new Map(), turns: new Map() };
    expect(toUiMessages(STORED, context)).toEqual([
      {
        id: 'mine',
        role: 'user',
        parts: [
          { type: 'text', text: 'When?' },
          { type: 'file', mediaType: 'image/png', url: 'data:image/png;base64,iVBORw0KGgo=' },
        ],
      },
      {
        id: 'm1',
        role: 'assistant',
        metadata: { turn_id: 'turn_0f3c5a9d21be', model: 'qwen3:8b', created_at: STREAM.createdAt },
        parts: [
          { type: 'step-start' },
          { type: 'text', text: 'One moment.', state: 'done' },
          {
            type: 'dynamic-tool',
            toolName: 'clock',
            providerExecuted: true,
            toolCallId: 'call_clock',
            input: {},
            state: 'output-available',
            output: '12:00',
          },
          { type: 'step-start' },
          { type: 'text', text: 'It is noon.', state: 'done' },
        ],
      },
    ]);
  });

  it('are told again as they were', async () => {
    const told = await messageOf(framesOf(STEPPED));
    const before = toChunks(STORED, [CALL]);
    const again = await messageOf([START, ...before, { type: 'finish' }]);
    expect(again?.parts).toEqual(told?.parts);
  });
});

describe('a request', () => {
  const read = (body: Partial<UiChatBody>) => readRequest({ id: 'b5a3d7e4c9', ...body });
  const user = (content: string) => ({ id: 'u1', role: 'user', parts: [{ type: 'text', text: content }] });

  it('brings messages, with their steps, calls and outputs', () => {
    const { messages } = read({
      messages: [
        user('When?'),
        {
          id: 'm1',
          role: 'assistant',
          parts: [
            { type: 'step-start' },
            { type: 'reasoning', text: 'A clock.' },
            { type: 'text', text: 'One moment.' },
            {
              type: 'tool-clock',
              toolCallId: 'c1',
              state: 'output-available',
              input: {},
              output: { hour: 12 },
            },
            { type: 'tool-bell', toolCallId: 'c2', state: 'output-error', input: {}, errorText: 'Broken.' },
            { type: 'step-start' },
            { type: 'text', text: 'Noon.' },
            { type: 'data-own', data: 1 },
          ],
        },
      ],
    });
    expect(messages[1]).toEqual({
      id: 'm1',
      role: 'assistant',
      said: [
        {
          role: 'assistant',
          content: 'One moment.',
          thinking: 'A clock.',
          toolCalls: [
            { id: 'c1', name: 'clock', arguments: {} },
            { id: 'c2', name: 'bell', arguments: {} },
          ],
        },
        { role: 'tool', content: '{"hour":12}', toolName: 'clock', toolCallId: 'c1' },
        { role: 'tool', content: 'Broken.', toolName: 'bell', toolCallId: 'c2' },
        { role: 'assistant', content: 'Noon.', thinking: '' },
      ],
      results: [
        { callId: 'c1', content: '{"hour":12}', isError: false },
        { callId: 'c2', content: 'Broken.', isError: true },
      ],
      decisions: [],
    });
  });

  it('brings what a person has decided', () => {
    const part = {
      type: 'dynamic-tool',
      toolName: 'wipe',
      toolCallId: 'c1',
      state: 'approval-responded',
      input: {},
      approval: { id: 'conf_1', approved: false, reason: 'Keep it.' },
    };
    const { messages } = read({ message: { id: 'm1', role: 'assistant', parts: [part] } });
    expect(messages[0]?.decisions).toEqual([{ approvalId: 'conf_1', isApproved: false, reason: 'Keep it.' }]);
  });

  it('says how it is to be answered', () => {
    const { settings, isRegenerate, messageId, system } = read({
      messages: [user('x')],
      trigger: 'regenerate-message',
      messageId: 'm1',
      system: 'Be short.',
      think: 'low',
      options: { temperature: 0 },
      format: 'json',
      tools: [{ name: 'open', description: 'Opens.', inputSchema: { type: 'object' } }],
    });
    expect({ isRegenerate, messageId, system }).toEqual({
      isRegenerate: true,
      messageId: 'm1',
      system: 'Be short.',
    });
    expect(settings).toMatchObject({ think: 'low', options: { temperature: 0 }, format: 'json' });
    expect(settings.clientTools.map(({ name }) => name)).toEqual(['open']);
  });

  it.each<[string, Partial<UiChatBody>, string]>([
    ['no message', { messages: [] }, '/messages'],
    ['a trigger that nobody knows', { messages: [user('x')], trigger: 'x' }, '/trigger'],
    ['a role that nobody knows', { messages: [{ role: 'robot', parts: [] }] }, '/messages/0/role'],
    ['parts that are none', { message: { role: 'user', parts: 'x' } }, '/message/parts'],
    [
      'a file that is no picture',
      { messages: [{ role: 'user', parts: [{ type: 'file', mediaType: 'audio/mp3', url: 'data:,' }] }] },
      '/messages/0/parts/0/mediaType',
    ],
    ['a way to think that is none', { messages: [user('x')], think: 'loud' }, '/think'],
    ['a format that is none', { messages: [user('x')], format: 'xml' }, '/format'],
  ])('is refused with %s', (_, body, path) => {
    expect(() => read(body)).toThrow(
      expect.objectContaining({
        kind: 'validation_error',
        details: { errors: [expect.objectContaining({ path })] },
      }),
    );
  });
});
