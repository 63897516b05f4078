import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { atOnce } from '../../kit/stretches.ts';
import {
  OriginalFormatError,
  type OriginalSession,
  parseOriginalSession as parseInStretches,
} from './format.ts';

const parseOriginalSession = (text: string, fallbackId: string) => atOnce(parseInStretches(text, fallbackId));

const FIXTURES = new URL('../../../test/fixtures/original-sessions/', import.meta.url);

function fixture(name: string): string {
  return readFileSync(new URL(name, FIXTURES), 'utf8');
}

function parseFixture(name: string): OriginalSession {
  return parseOriginalSession(fixture(name), 'from-file-name');
}

/** A session with one user message, changed where a test says so. */
function parseWith(change: { metadata?: object; message?: object; messages?: unknown; file?: object }) {
  const message = {
    role: 'user',
    content: 'Hi',
    message_id: '9191228aff',
    timestamp: '2026-02-15T09:49:38Z',
  };
  const metadata = {
    session_id: 'b5a3d7e4c9',
    model: 'qwen3:14b',
    created_at: '2026-02-15T09:00:00Z',
    updated_at: '2026-02-15T10:00:00Z',
  };
  const file = {
    metadata: { ...metadata, ...change.metadata },
    messages: 'messages' in change ? change.messages : [{ ...message, ...change.message }],
    ...change.file,
  };
  return parseOriginalSession(JSON.stringify(file), 'from-file-name');
}

function parseWithMessage(message: object) {
  const parsed = parseWith({ message }).messages[0];
  if (parsed === undefined) throw new Error('The message is gone.');
  return parsed;
}

const DEFAULTS = {
  summary: null,
  summaryModel: null,
  toolSettings: { tools: [], execution_policy: 'always_confirm', tool_policies: {} },
  agentSettings: { enabled_agents: [] },
  contextWindow: {
    dynamic_enabled: true,
    current_window: 8192,
    last_adjustment: 'initial_setup',
    adjustment_history: [],
    manual_override: false,
  },
  extra: {},
};
const NOTHING_SAID = {
  thinking: null,
  model: null,
  evalCount: null,
  promptEvalCount: null,
  toolCalls: null,
  toolName: null,
  sourceFile: null,
  extra: {},
};

describe('files of each version', () => {
  test('1.0: five metadata keys, no ids, local time without a zone', () => {
    const { messages, ...session } = parseFixture('coco-1.0.json');
    expect(session).toEqual({
      ...DEFAULTS,
      sessionId: '2bd92ff8c6',
      model: 'llama3.2:latest',
      createdAt: '2025-08-25T15:41:07.941612Z',
      updatedAt: '2025-08-25T15:45:36.806491Z',
      formatVersion: '1.0',
    });
    expect(messages).toHaveLength(4);
    expect(messages[0]).toEqual({
      ...NOTHING_SAID,
      role: 'user',
      content: 'Huhu! Was kannst du für mich tun?',
      messageId: expect.stringMatching(/^[0-9a-f]{10}$/),
      timestamp: '2025-08-25T15:41:21.582390Z',
    });
    expect(messages[2]?.timestamp).toBe('2025-08-25T15:43:13.000000Z');
    expect(new Set(messages.map(({ messageId }) => messageId)).size).toBe(4);
    expect(parseFixture('coco-1.0.json').messages).toEqual(messages);
  });

  test('1.1: tool_settings is null, message_count is wrong', () => {
    const { messages, ...session } = parseFixture('coco-1.1.json');
    expect(session).toEqual({
      ...DEFAULTS,
      sessionId: '7c01f3aa90',
      model: 'qwen3:14b',
      createdAt: '2025-09-28T10:00:00.000000Z',
      updatedAt: '2025-09-28T10:01:30.500000Z',
      formatVersion: '1.1',
      summary: {
        summary: 'The user asks for the capital of France. The assistant answers Paris.',
        topics: ['geography', 'France'],
      },
      summaryModel: 'llama3.2:latest',
    });
    expect(messages).toEqual([
      {
        ...NOTHING_SAID,
        role: 'system',
        content: 'You are a helpful assistant.',
        sourceFile: 'helpful.md',
        messageId: '0a1b2c3d4e',
        timestamp: '2025-09-28T10:00:00.000120Z',
      },
      {
        ...NOTHING_SAID,
        role: 'user',
        content: 'What is the capital of France?',
        messageId: '9191228aff',
        timestamp: '2025-09-28T10:01:12.004500Z',
      },
      {
        ...NOTHING_SAID,
        role: 'assistant',
        content: 'Paris.',
        model: 'qwen3:14b',
        messageId: '194e786d07',
        timestamp: '2025-09-28T10:01:30.500000Z',
        evalCount: 7,
        promptEvalCount: 31,
      },
    ]);
  });

  test('1.1: confirmation_necessary, tool_group, a summary that is plain text, no messages', () => {
    expect(parseFixture('coco-1.1-confirmation.json')).toMatchObject({
      sessionId: 'test123',
      toolSettings: { tools: [], execution_policy: 'never_confirm', tool_policies: {} },
      summary: { summary: 'Plain text, as coco wrote it before the summary had topics.', topics: [] },
      extra: { tool_group: 'math' },
      messages: [],
    });
  });

  test('1.2: every key in each message, unknown policy and reason, window_size', () => {
    const session = parseFixture('coco-1.2.json');
    expect(session.toolSettings).toEqual({
      tools: ['roll_dice'],
      execution_policy: 'always_confirm',
      tool_policies: {},
    });
    expect(session.contextWindow).toEqual({
      dynamic_enabled: true,
      current_window: 16384,
      last_adjustment: 'no_adjustment',
      adjustment_history: [
        { reason: 'initial_setup', window: 8192, usage_tokens: 0, timestamp: '2025-12-14T18:20:20.111111Z' },
        {
          reason: 'performance_optimization',
          window: 16384,
          usage_tokens: 0,
          timestamp: '2025-12-14T18:21:00.000000Z',
        },
      ],
      manual_override: false,
    });
    expect(session.extra).toEqual({
      tool_settings: { execution_policy: 'confirm_destructive' },
      context_window_config: { last_adjustment: 'performance_optimization' },
    });
    expect(session.messages.map(({ role, toolName, content }) => [role, toolName, content])).toEqual([
      ['user', null, 'Roll two dice, then roll one more'],
      ['assistant', null, ''],
      ['tool', 'roll_dice', '3, 5'],
      ['tool', 'roll_dice', 'Error: no dice left'],
      ['assistant', null, 'You rolled 3 and 5; the third die is missing.'],
    ]);
    expect(session.messages[1]?.toolCalls).toEqual([
      { function: { name: 'roll_dice', arguments: { count: 2, sides: 6 } } },
      { function: { name: 'roll_dice', arguments: {} } },
    ]);
    expect(session.messages.map(({ extra }) => extra)).toEqual([{}, {}, {}, {}, {}]);
  });

  test('1.2: window and reason are null', () => {
    expect(parseFixture('coco-1.2-nulls.json')).toMatchObject({ ...DEFAULTS, formatVersion: '1.2' });
  });

  test('1.3: tool_group and policy auto', () => {
    expect(parseFixture('server-1.3.json')).toMatchObject({
      createdAt: '2026-02-20T12:00:00.000000Z',
      formatVersion: '1.3',
      toolSettings: { tools: ['add_numbers'], execution_policy: 'always_confirm', tool_policies: {} },
      agentSettings: { enabled_agents: ['coder'] },
      extra: { tool_group: 'math', tool_settings: { execution_policy: 'auto' } },
    });
  });

  test('1.4: nothing is changed and nothing is left over', () => {
    const session = parseFixture('server-1.4.json');
    expect(session).toMatchObject({
      toolSettings: {
        tools: ['add_numbers', 'read_file'],
        execution_policy: 'never_confirm',
        tool_policies: { read_file: 'always_confirm' },
      },
      contextWindow: {
        current_window: 20000,
        last_adjustment: 'usage_threshold',
        adjustment_history: [
          { reason: 'usage_threshold', window: 20000, usage_tokens: 10000, timestamp: null },
        ],
      },
      extra: {},
    });
    expect(session.messages[2]).toEqual({
      ...NOTHING_SAID,
      role: 'assistant',
      content: '',
      thinking: 'I should use the tool.',
      messageId: 'aaaaaaaa03',
      timestamp: '2026-03-15T09:49:33.000000Z',
      model: 'qwen3:14b',
      evalCount: 20,
      promptEvalCount: 90,
      toolCalls: [{ function: { name: 'add_numbers', arguments: { a: 2, b: 3 } } }],
    });
    expect(session.messages[3]).toMatchObject({ role: 'tool', toolName: 'add_numbers', content: '5' });
  });

  test('2.0: unknown keys and values are kept, shaped as in the file', () => {
    const session = parseFixture('future-2.0.json');
    expect(session).toMatchObject({
      formatVersion: '2.0',
      createdAt: '2027-01-01T00:00:00.000000Z',
      updatedAt: '2027-01-01T00:00:01.500000Z',
      summary: { summary: 'A greeting.', topics: [] },
      toolSettings: { execution_policy: 'always_confirm', tool_policies: { read_file: 'always_confirm' } },
    });
    expect(session.extra).toEqual({
      top_level: { checksum: 'sha256:0f3c5a9d21be' },
      branch: { parent: null, head: 'bbbbbbbb02' },
      pinned: true,
      summary: { language: 'en' },
      tool_settings: {
        execution_policy: 'ask_once',
        tool_policies: { read_file: 'ask_once' },
        sandbox: 'strict',
      },
      agent_settings: { memory: 'shared' },
      context_window_config: { strategy: 'sliding' },
    });
    expect(session.messages[0]).toMatchObject({
      timestamp: '2027-01-01T00:00:00.250000Z',
      extra: { images: ['aGk='] },
    });
    expect(session.messages[1]).toMatchObject({
      toolCalls: [{ function: { name: 'wave', arguments: { hands: 2 } } }],
      extra: {
        rating: 5,
        tool_calls: [{ id: 'call_0f3c5a9d', type: 'function', function: { index: 0 } }],
      },
    });
  });
});

describe('files that are refused, and why', () => {
  test.each([
    ['', 'the file is empty'],
    [' \n', 'the file is empty'],
    ['\0\0\0\0', 'not JSON'],
    ['\u0089PNG\r\n\u001a\n', 'not JSON'],
    ['{"metadata": {"model": "q', 'not JSON (line 1 column 26)'],
    [fixture('broken.json'), expect.stringMatching(/^not JSON \(line \d+ column \d+\)$|^not JSON$/)],
    ['[]', 'the file is an array, not an object'],
    ['null', 'the file is null, not an object'],
    ['"chat"', 'the file is a string, not an object'],
    ['{}', 'metadata is missing'],
    ['{"metadata": null}', 'metadata is null, not an object'],
    ['{"metadata": []}', 'metadata is an array, not an object'],
    ['{"metadata": {}}', 'metadata.model is missing'],
    ['{"metadata": {"model": null}}', 'metadata.model is missing'],
    ['{"metadata": {"model": 5}}', 'metadata.model is a number, not text'],
    ['{"metadata": {"model": "m"}, "messages": {}}', 'messages is an object, not a list'],
  ])('%j', (text, message) => {
    expect(() => parseOriginalSession(text, 'x')).toThrow(
      expect.objectContaining({ name: 'OriginalFormatError', message }),
    );
  });

  test.each([
    [{ role: 'foo' }, 'messages[0].role is "foo"'],
    [{ role: null }, 'messages[0].role is null'],
    [{ role: undefined }, 'messages[0].role is missing'],
    [{ content: 5 }, 'messages[0].content is a number, not text'],
    [{ content: ['Hi'] }, 'messages[0].content is an array, not text'],
    [{ tool_calls: 'add' }, 'messages[0].tool_calls is a string, not a list'],
    [{ tool_calls: [null] }, 'messages[0].tool_calls[0] is null, not an object'],
    [{ tool_calls: [{ name: 'add' }] }, 'messages[0].tool_calls[0].function is missing'],
    [{ tool_calls: [{ function: {} }] }, 'messages[0].tool_calls[0].function.name is missing'],
  ])('a message with %j', (message, reason) => {
    expect(() => parseWith({ message })).toThrow(new OriginalFormatError(reason));
  });

  test('a message that is no object', () => {
    const messages = [{ role: 'user', content: 'Hi' }, 'Hello'];
    expect(() => parseWith({ messages })).toThrow('messages[1] is a string, not an object');
  });

  test.each(['metadata', 'message', 'top', 'arguments'])('deep nesting in %s does not crash', (place) => {
    const deep = '{"a":'.repeat(100_000) + '1' + '}'.repeat(100_000);
    const at = (name: string) => (name === place ? deep : '0');
    const message = `{"role":"user","content":"","deep":${at('message')},
      "tool_calls":[{"function":{"name":"f","arguments":${at('arguments')}}}]}`;
    const text = `{"top":${at('top')},"metadata":{"model":"m","deep":${at('metadata')}},"messages":[${message}]}`;
    expect(() => parseOriginalSession(text, 'x')).toThrow(/^(metadata|messages\[0\]) is nested too deeply$/);
  });

  test('deep nesting inside arguments that are text', () => {
    const text = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    const call = (given: string) => ({ tool_calls: [{ function: { name: 'f', arguments: given } }] });
    expect(() => parseWithMessage(call(`{"a":${text}}`))).toThrow('messages[0] is nested too deeply');
    expect(parseWithMessage(call(text)).extra).toEqual({ tool_calls: [{ function: { arguments: text } }] });
  });
});

describe('leniency', () => {
  test('a byte order mark at the start', () => {
    expect(parseOriginalSession(`\uFEFF${fixture('server-1.4.json')}`, 'x')).toEqual(
      parseFixture('server-1.4.json'),
    );
  });

  test.each([undefined, null, ''])('content %j is empty', (content) => {
    expect(parseWithMessage({ content })).toMatchObject({ content: '', extra: {} });
  });

  test.each([undefined, null])('messages %j are none', (messages) => {
    expect(parseWith({ messages }).messages).toEqual([]);
  });

  test.each(['../../etc/passwd', '', 'ä', 'x'.repeat(65), 5, null])('session id %j is replaced', (id) => {
    const session = parseWith({ metadata: { session_id: id } });
    expect(session.sessionId).toBe('from-file-name');
    expect(session.extra).toEqual(id === '' || id === null ? {} : { session_id: id });
  });

  test('a system message stays where it is', () => {
    const messages = ['user', 'system', 'assistant'].map((role) => ({ role, content: role }));
    expect(parseWith({ messages }).messages.map(({ role }) => role)).toEqual(['user', 'system', 'assistant']);
  });

  test('a known key with a value that cannot be used is kept aside', () => {
    const strange = { thinking: true, model: 5, eval_count: '7', prompt_eval_count: 1.5, tool_name: [] };
    expect(parseWithMessage(strange)).toMatchObject({ ...NOTHING_SAID, extra: strange });
    const sections = { summary: [1], tool_settings: ['a'], agent_settings: 5, context_window_config: 'x' };
    expect(parseWith({ metadata: sections })).toMatchObject({ ...DEFAULTS, extra: sections });
  });

  test('names that are not text are left out, and the whole list kept aside', () => {
    const metadata = { tool_settings: { tools: ['add', 5] }, summary: { summary: 'S', topics: ['t', null] } };
    expect(parseWith({ metadata })).toMatchObject({
      toolSettings: { tools: ['add'] },
      summary: { summary: 'S', topics: ['t'] },
      extra: { tool_settings: { tools: ['add', 5] }, summary: { topics: ['t', null] } },
    });
  });

  test.each([
    [{ confirmation_necessary: true }, 'always_confirm'],
    [{ confirmation_necessary: false }, 'never_confirm'],
    [{ confirmation_necessary: false, execution_policy: null }, 'never_confirm'],
    [{ confirmation_necessary: false, execution_policy: 'always_confirm' }, 'always_confirm'],
    [{ confirmation_necessary: false, execution_policy: 'auto' }, 'always_confirm'],
    [{ confirmation_necessary: 0 }, 'always_confirm'],
    [{ execution_policy: 'toString' }, 'always_confirm'],
  ])('%j means %s', (tool_settings, policy) => {
    expect(parseWith({ metadata: { tool_settings } }).toolSettings.execution_policy).toBe(policy);
  });

  test('tool policies: unknown ones ask, null says nothing', () => {
    const tool_policies = { a: 'never_confirm', b: 'auto', c: null };
    const { toolSettings, extra } = parseWith({ metadata: { tool_settings: { tool_policies } } });
    expect(toolSettings.tool_policies).toEqual({ a: 'never_confirm', b: 'always_confirm' });
    expect(extra).toEqual({ tool_settings: { tool_policies } });
  });

  test('adjustments that cannot be read are left out, and the whole list kept aside', () => {
    const adjustment_history = [{ window_size: null, reason: 'x' }, 'x', { window: 4096, reason: 'y' }];
    const { contextWindow, extra } = parseWith({
      metadata: { context_window_config: { adjustment_history } },
    });
    expect(contextWindow.adjustment_history).toEqual([
      { reason: 'y', window: 4096, usage_tokens: 0, timestamp: null },
    ]);
    expect(extra).toEqual({ context_window_config: { adjustment_history } });
  });

  test.each([0, -1, 1.5, '8192', 2 ** 40])('window %j is replaced by the default', (current_window) => {
    const { contextWindow } = parseWith({ metadata: { context_window_config: { current_window } } });
    expect(contextWindow.current_window).toBe(8192);
  });

  test('an empty summary is none', () => {
    for (const summary of ['', null, {}, { summary: '', topics: [] }]) {
      expect(parseWith({ metadata: { summary } })).toMatchObject({ summary: null, extra: {} });
    }
  });

  test.each([
    ['1.1', '1.1'],
    [1.4, '1.4'],
    [null, '1.0'],
    ['mochi/3', 'mochi/3'],
  ])('format version %j is told as %s', (found, told) => {
    expect(parseWith({ metadata: { format_version: found } }).formatVersion).toBe(told);
  });

  test('a tool call keeps what is beside name and arguments', () => {
    const calls = [
      { function: { name: 'a', arguments: null } },
      { id: 'call_1', function: { name: 'b', arguments: 'not JSON' } },
      { function: { name: 'c', arguments: '[1]' } },
      { function: { name: 'd', arguments: '{"__proto__": {"x": 1}}' } },
    ];
    const { toolCalls, extra } = parseWithMessage({ tool_calls: calls });
    expect(toolCalls?.map(({ function: called }) => JSON.stringify(called))).toEqual([
      '{"name":"a","arguments":{}}',
      '{"name":"b","arguments":{}}',
      '{"name":"c","arguments":{}}',
      '{"name":"d","arguments":{"__proto__":{"x":1}}}',
    ]);
    expect(extra).toEqual({
      tool_calls: [
        {},
        { id: 'call_1', function: { arguments: 'not JSON' } },
        { function: { arguments: '[1]' } },
        {},
      ],
    });
    expect(parseWithMessage({ tool_calls: [] }).toolCalls).toBeNull();
  });

  test('a key named __proto__ is kept like any other', () => {
    const text =
      '{"__proto__":1,"metadata":{"model":"m","__proto__":{"polluted":1},"tool_settings":{"tool_policies":{"__proto__":"never_confirm"}}},"messages":[]}';
    const session = parseOriginalSession(text, 'x');
    expect(JSON.stringify(session.extra)).toBe('{"__proto__":{"polluted":1},"top_level":{"__proto__":1}}');
    expect(Object.entries(session.toolSettings.tool_policies)).toEqual([['__proto__', 'never_confirm']]);
    expect('polluted' in session.extra).toBe(false);
  });
});

describe('message ids', () => {
  const twins = [
    { role: 'user', content: 'a', message_id: 'same' },
    { role: 'user', content: 'b', message_id: 'same' },
    { role: 'user', content: 'c', message_id: 'not an id' },
    { role: 'user', content: 'd' },
  ];

  test('the first keeps its id, the others get one that depends on session and position only', () => {
    const { messages } = parseWith({ messages: twins });
    const ids = messages.map(({ messageId }) => messageId);
    expect(ids[0]).toBe('same');
    for (const id of ids.slice(1)) expect(id).toMatch(/^[0-9a-f]{10}$/);
    expect(new Set(ids).size).toBe(4);
    expect(parseWith({ messages: twins }).messages).toEqual(messages);
    expect(messages.map(({ extra }) => extra)).toEqual([
      {},
      { message_id: 'same' },
      { message_id: 'not an id' },
      {},
    ]);
    const other = parseWith({ messages: twins, metadata: { session_id: 'other' } });
    expect(other.messages[3]?.messageId).not.toBe(ids[3]);
  });

  test('a derived id is never one that the file uses further down', () => {
    const derived = parseWith({ messages: [{ role: 'user', content: 'a' }] }).messages[0]?.messageId;
    const { messages } = parseWith({
      messages: [
        { role: 'user', content: 'a' },
        { role: 'user', content: 'b', message_id: derived },
      ],
    });
    expect(messages[0]?.messageId).not.toBe(derived);
    expect(messages[1]?.messageId).toBe(derived);
  });
});

describe('timestamps', () => {
  test('an unusable one is kept aside', () => {
    expect(parseWithMessage({ timestamp: 'yesterday' })).toMatchObject({
      timestamp: '2026-02-15T09:00:00.000000Z',
      extra: { timestamp: 'yesterday' },
    });
  });

  test('a message without one takes that of the message before it', () => {
    const times = [undefined, '2026-02-15T09:30:00Z', 'bad', null, '2026-02-15T09:40:00Z'];
    const messages = times.map((timestamp) => ({ role: 'user', content: '', timestamp }));
    expect(parseWith({ messages }).messages.map(({ timestamp }) => timestamp.slice(11, 16))).toEqual([
      '09:00',
      '09:30',
      '09:30',
      '09:30',
      '09:40',
    ]);
  });

  test('a session without them takes those of its messages, of each other, or 1970', () => {
    const none = { created_at: null, updated_at: null };
    const messages = ['bad', '2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'].map((timestamp) => ({
      role: 'user',
      content: '',
      timestamp,
    }));
    expect(parseWith({ metadata: none, messages })).toMatchObject({
      createdAt: '2026-01-01T00:00:00.000000Z',
      updatedAt: '2026-01-02T00:00:00.000000Z',
    });
    expect(parseWith({ metadata: { created_at: 'bad' }, messages: [] })).toMatchObject({
      createdAt: '2026-02-15T10:00:00.000000Z',
      extra: { created_at: 'bad' },
    });
    expect(parseWith({ metadata: none, messages: [] })).toMatchObject({
      createdAt: '1970-01-01T00:00:00.000000Z',
      updatedAt: '1970-01-01T00:00:00.000000Z',
    });
  });
});
