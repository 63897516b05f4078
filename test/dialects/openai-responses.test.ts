// Responses: bodies read, and turns told, by table.
import { describe, expect, it } from 'vitest';
import type { ToldEvent } from '../../src/chat/watch/turn-log.ts';
import { parseItemId, toResponseId, toTurnId } from '../../src/dialects/openai-responses/ids.ts';
import { readRequest } from '../../src/dialects/openai-responses/read-request.ts';
import type { ResponseBody } from '../../src/dialects/openai-responses/request-body.ts';
import { NO_ECHO, type RequestEcho } from '../../src/dialects/openai-responses/response-object.ts';
import {
  createResponseReader,
  createResponseWriter,
} from '../../src/dialects/openai-responses/write-events.ts';
import {
  BROKEN,
  CUT,
  call,
  complete,
  fromSnapshot,
  generating,
  HANDED,
  REFUSED,
  SILENT,
  SPOKEN,
  STEPPED,
  turn,
} from './turn-events.ts';

const headFor = (echo: Partial<RequestEcho> = {}) => ({
  id: 'resp_0f3c5a9d21be',
  createdAt: 1_771_148_978,
  conversationId: 'conv_b5a3d7e4c9',
  echo: { ...NO_ECHO, model: 'gpt-4o-mini', ...echo },
  nowSeconds: () => 1_771_148_980,
});

interface Told {
  readonly type: string;
  readonly sequence_number: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests read what they expect; a wrong guess fails the test.
  readonly [field: string]: any;
}

function tell(
  events: readonly ToldEvent[],
  echo: Partial<RequestEcho> = {},
  startingAfter: number | null = null,
): Told[] {
  const writer = createResponseWriter(headFor(echo), startingAfter);
  const frames = events.flatMap((event) => writer.write(event));
  expect(frames.at(-1)).toEqual({ data: '[DONE]' });
  return frames.slice(0, -1).map(({ event, data }) => {
    const told = data as Told;
    expect(event).toBe(told.type);
    return told;
  });
}

function answerOf(events: readonly ToldEvent[], echo: Partial<RequestEcho> = {}): Told {
  const reader = createResponseReader(headFor(echo));
  for (const event of events) reader.read(event);
  return reader.answer() as Told;
}

const typesOf = (told: readonly Told[]) => told.map(({ type }) => type.replace('response.', ''));
const BEGUN = ['created', 'in_progress'];
const textItem = (deltas: number) => [
  'output_item.added',
  'content_part.added',
  ...Array.from({ length: deltas }, () => 'output_text.delta'),
  'output_text.done',
  'content_part.done',
  'output_item.done',
];
const thoughts = (deltas: number) => [
  'output_item.added',
  'content_part.added',
  ...Array.from({ length: deltas }, () => 'reasoning_text.delta'),
  'reasoning_text.done',
  'content_part.done',
  'output_item.done',
];
const clientCall = [
  'output_item.added',
  'function_call_arguments.delta',
  'function_call_arguments.done',
  'output_item.done',
];

describe('a stream of a response', () => {
  it.each([
    ['thoughts, then words', SPOKEN, [...BEGUN, ...thoughts(2), ...textItem(2), 'completed']],
    [
      'words and calls of the client',
      HANDED,
      [...BEGUN, ...textItem(1), ...clientCall, ...clientCall, 'completed'],
    ],
    ['thoughts and a call', SILENT, [...BEGUN, ...thoughts(1), ...clientCall, 'completed']],
    ['an answer that was cut', CUT, [...BEGUN, ...textItem(1), 'incomplete']],
    ['one that broke off', BROKEN, [...BEGUN, ...textItem(1), 'failed']],
    ['one that failed before a word', REFUSED, [...BEGUN, 'failed']],
    [
      'a tool that runs here',
      STEPPED,
      [
        ...BEGUN,
        ...textItem(1),
        'output_item.added',
        'mcp_call_arguments.delta',
        'mcp_call_arguments.done',
        'mcp_call.in_progress',
        'mcp_call.completed',
        'output_item.done',
        ...textItem(2),
        'completed',
      ],
    ],
  ])('tells %s', (_, events, types) => {
    const told = tell(events);
    expect(typesOf(told)).toEqual(types);
    const numbers = told.map(({ sequence_number: number }) => number);
    expect(numbers).toEqual([...new Set(numbers)].toSorted((one, other) => one - other));
    const whole = told.at(-1)?.['response'];
    expect(whole).toEqual(answerOf(events));
    // What was told item by item is what the whole has.
    const items = told.filter(({ type }) => type === 'response.output_item.done').map(({ item }) => item);
    expect(items).toEqual(whole.output);
  });

  it.each([SPOKEN, HANDED, STEPPED, SILENT, CUT, BROKEN])(
    'tells the same tail after any of its events %#',
    (...events) => {
      const told = tell(events);
      for (const [index, { sequence_number: number }] of told.entries()) {
        expect(tell(events, {}, number)).toEqual(told.slice(index + 1));
      }
    },
  );

  it.each([SPOKEN, HANDED, SILENT, CUT, BROKEN])(
    'tells the same whole to those who come late %#',
    (...events) => {
      for (let count = 1; count < events.length - 2; count += 1) {
        const late = tell(fromSnapshot(events, count));
        const response = late.at(-1)?.['response'];
        expect(response.output).toEqual(answerOf(events)['output']);
        const numbers = late.map(({ sequence_number: number }) => number);
        expect(numbers).toEqual([...new Set(numbers)].toSorted((one, other) => one - other));
      }
    },
  );

  it('tells in each event what there was then, however late that is written', () => {
    const [created, progress] = tell(SPOKEN);
    expect([created?.['response'].output, progress?.['response'].output]).toEqual([[], []]);
    expect(tell(SPOKEN).at(-1)?.['response'].output.length).toBeGreaterThan(0);
  });

  it('shows thoughts as the summary that was asked for, and seals them for who keeps nothing', () => {
    const echo = {
      reasoning: { effort: 'low', summary: 'auto' },
      include: ['reasoning.encrypted_content'],
    };
    expect(typesOf(tell(SPOKEN, echo)).slice(2, 9)).toEqual([
      'output_item.added',
      'reasoning_summary_part.added',
      'reasoning_summary_text.delta',
      'reasoning_summary_text.delta',
      'reasoning_summary_text.done',
      'reasoning_summary_part.done',
      'output_item.done',
    ]);
    const [item] = answerOf(SPOKEN, echo)['output'];
    expect(item).toMatchObject({
      id: 'rs_b5a3d7e4c9m1',
      summary: [{ type: 'summary_text', text: 'The user asks.' }],
      content: [],
    });
    const back = readRequest({ model: 'm', input: [{ role: 'user', content: 'q' }, item] });
    expect(back.history.messages.at(-1)).toEqual({
      role: 'assistant',
      content: '',
      thinking: 'The user asks.',
    });
  });

  it('tells calls as those of the tools that were given', () => {
    const tools = [
      { type: 'custom', name: 'patch' },
      { type: 'namespace', name: 'files', tools: [{ type: 'function', name: 'read' }] },
    ];
    const events = turn(
      generating('m1'),
      call(0, 'patch', { input: '*** Begin' }),
      call(1, 'files.read', { path: 'a' }),
      ...complete('m1', { finishReason: 'tool_calls' }),
    );
    expect(answerOf(events, { tools })['output']).toEqual([
      {
        id: 'fc_b5a3d7e4c9m1_0',
        type: 'custom_tool_call',
        status: 'completed',
        call_id: 'call_patch',
        name: 'patch',
        input: '*** Begin',
      },
      {
        id: 'fc_b5a3d7e4c9m1_1',
        type: 'function_call',
        status: 'completed',
        call_id: 'call_files.read',
        name: 'read',
        namespace: 'files',
        arguments: '{"path":"a"}',
      },
    ]);
    expect(typesOf(tell(events, { tools })).slice(3, 5)).toEqual([
      'custom_tool_call_input.delta',
      'custom_tool_call_input.done',
    ]);
  });

  it('is queued in the background until it runs', () => {
    expect(typesOf(tell(SPOKEN, { background: true })).slice(0, 4)).toEqual([
      'created',
      'queued',
      'in_progress',
      'output_item.added',
    ]);
  });

  it('ends as its turn has ended', () => {
    expect(answerOf(SPOKEN)).toMatchObject({
      object: 'response',
      status: 'completed',
      completed_at: 1_771_148_980,
      error: null,
      incomplete_details: null,
      usage: { input_tokens: 31, output_tokens: 7, total_tokens: 38 },
      conversation: { id: 'conv_b5a3d7e4c9' },
    });
    expect(answerOf(CUT)).toMatchObject({
      status: 'incomplete',
      incomplete_details: { reason: 'max_output_tokens' },
    });
    expect(answerOf(REFUSED)).toMatchObject({
      status: 'failed',
      error: { code: 'rate_limit_exceeded', message: expect.stringMatching(/\[overloaded\]$/) },
    });
    const cancelled = turn(generating('m1'), {
      event: 'error',
      data: { code: 'turn_cancelled', message: 'It was cancelled.', details: {} },
    });
    expect(answerOf(cancelled)).toMatchObject({ status: 'cancelled', error: null });
  });

  it('says once a minute that it goes on', () => {
    const writer = createResponseWriter(headFor());
    for (const event of SPOKEN.slice(0, 4)) writer.write(event);
    const silences = Array.from({ length: 8 }, () => writer.silence?.() ?? null);
    expect(silences.map((frame) => frame?.event ?? null)).toEqual([
      null,
      null,
      null,
      'response.in_progress',
      null,
      null,
      null,
      'response.in_progress',
    ]);
  });
});

describe('ids', () => {
  it('lead back to what they are made of', () => {
    expect(toTurnId(toResponseId('turn_0f3c5a9d21be'))).toBe('turn_0f3c5a9d21be');
    expect(parseItemId('msg_b5a3d7e4c9194e786d07')).toEqual({
      prefix: 'msg',
      sessionId: 'b5a3d7e4c9',
      messageId: '194e786d07',
      callIndex: null,
    });
    expect(parseItemId('fc_b5a3d7e4c9194e786d07_2')).toMatchObject({ messageId: '194e786d07', callIndex: 2 });
    for (const id of ['', 'msg_', 'msg_194e786d07', 'x_b5a3d7e4c9194e786d07', 'fc_b5a3d7e4c9194e786d07']) {
      expect(parseItemId(id)).toBeNull();
    }
    for (const id of ['', 'resp_', 'resp_X', 'turn_0f3c5a9d21be', "resp_0' or 1"])
      expect(toTurnId(id)).toBeNull();
  });
});

describe('a request', () => {
  const read = (body: Partial<ResponseBody>) => readRequest({ model: 'llama3.2', ...body });

  it('may be a text', () => {
    const { history, isStored, isStream, place } = read({ input: 'Hi', instructions: 'Be short.' });
    expect(history).toEqual({ system: 'Be short.', messages: [{ role: 'user', content: 'Hi' }] });
    expect({ isStored, isStream, place }).toEqual({
      isStored: true,
      isStream: false,
      place: { of: 'nothing' },
    });
  });

  it('may be items of every kind: thoughts, words and calls of one answer are one message', () => {
    const { history } = read({
      input: [
        { role: 'developer', content: 'Be short.' },
        { role: 'user', content: [{ type: 'input_text', text: 'Read a and b.' }] },
        {
          type: 'reasoning',
          id: 'rs_1',
          summary: [],
          content: [{ type: 'reasoning_text', text: 'Two files.' }],
        },
        {
          type: 'message',
          role: 'assistant',
          id: 'msg_1',
          content: [{ type: 'output_text', text: 'Wait.' }],
        },
        { type: 'function_call', call_id: 'c1', name: 'read', arguments: '{"path":"a"}' },
        { type: 'custom_tool_call', call_id: 'c2', name: 'patch', input: '***' },
        { type: 'web_search_call', id: 'ws_1' },
        { type: 'custom_tool_call_output', call_id: 'c2', output: 'B' },
        { type: 'function_call_output', call_id: 'c1', output: [{ type: 'input_text', text: 'A' }] },
        { role: 'user', content: 'Go on.' },
      ],
    });
    expect(history).toEqual({
      system: 'Be short.',
      messages: [
        { role: 'user', content: 'Read a and b.' },
        {
          role: 'assistant',
          content: 'Wait.',
          thinking: 'Two files.',
          toolCalls: [
            { id: 'c1', name: 'read', arguments: { path: 'a' } },
            { id: 'c2', name: 'patch', arguments: { input: '***' } },
          ],
        },
        { role: 'tool', content: 'A', toolCallId: 'c1', toolName: 'read' },
        { role: 'tool', content: 'B', toolCallId: 'c2', toolName: 'patch' },
        { role: 'user', content: 'Go on.' },
      ],
    });
  });

  it('says where it goes', () => {
    expect(read({ input: 'x', conversation: 'conv_b5a3d7e4c9' }).place).toEqual({
      of: 'conversation',
      sessionId: 'b5a3d7e4c9',
    });
    expect(read({ input: 'x', conversation: { id: 'conv_b5a3d7e4c9' } }).place.of).toBe('conversation');
    expect(read({ input: 'x', previous_response_id: 'resp_0f3c5a9d21be' }).place).toEqual({
      of: 'response',
      turnId: 'turn_0f3c5a9d21be',
    });
    const referring = read({
      input: [
        { role: 'user', content: 'old' },
        { type: 'item_reference', id: 'msg_b5a3d7e4c9194e786d07' },
        { role: 'user', content: 'new' },
      ],
    });
    expect(referring.place).toEqual({ of: 'item', itemId: 'msg_b5a3d7e4c9194e786d07' });
    expect(referring.history.messages).toEqual([{ role: 'user', content: 'new' }]);
  });

  it('is offered as its tools say', () => {
    const { settings, echo } = read({
      input: 'x',
      max_output_tokens: 50,
      reasoning: { effort: 'minimal' },
      text: { format: { type: 'json_schema', name: 'a', schema: { type: 'object' } } },
      truncation: 'auto',
      parallel_tool_calls: false,
      tools: [
        { type: 'function', name: 'read' },
        { type: 'web_search' },
        { type: 'custom', name: 'patch', description: 'Patches.' },
        {
          type: 'namespace',
          name: 'files',
          tools: [{ type: 'function', name: 'list', parameters: { type: 'object' } }],
        },
      ],
      tool_choice: { type: 'function', name: 'list', namespace: 'files' },
    });
    expect(settings).toMatchObject({
      options: { num_predict: 50 },
      think: 'low',
      format: { type: 'object' },
      truncation: 'leave_out',
      isParallel: false,
      toolChoice: { name: 'files.list' },
    });
    expect(settings.clientTools.map(({ name }) => name)).toEqual(['read', 'patch', 'files.list']);
    expect(echo.tools[0]).toEqual({
      type: 'function',
      name: 'read',
      description: null,
      parameters: null,
      strict: null,
    });
    expect(echo.tools[1]).toEqual({ type: 'web_search' });
  });

  it.each([
    [
      'two places',
      { conversation: 'conv_b5a3d7e4c9', previous_response_id: 'resp_0f3c5a9d21be' },
      'validation_error',
    ],
    ['a background that nobody could read', { store: false, background: true }, 'validation_error'],
    [
      'a forced tool that is hosted elsewhere',
      { tools: [{ type: 'web_search' }], tool_choice: { type: 'web_search' } },
      'validation_error',
    ],
    ['a template', { prompt: { id: 'pmpt_1' } }, 'unsupported_parameter'],
    ['probabilities', { top_logprobs: 2 }, 'unsupported_parameter'],
    ['a response that cannot be', { previous_response_id: '../x' }, 'turn_not_found'],
    ['a conversation that cannot be', { conversation: 'x' }, 'session_not_found'],
    [
      'a picture elsewhere',
      { input: [{ role: 'user', content: [{ type: 'input_image', image_url: 'https://x/y.png' }] }] },
      'image_url_not_supported',
    ],
  ])('is refused with %s', (_, body, kind) => {
    expect(() => read({ input: 'x', ...(body as Partial<ResponseBody>) })).toThrow(
      expect.objectContaining({ kind }),
    );
  });
});
