// Agents that a model calls: told on the parent's stream as the run tells it, stored as one call, read as one result.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { hearRun, translateBatch } from '../../src/agents/translate-events.ts';
import type { TurnEvent } from '../../src/contract/turn-event.ts';
import { text, tokens, toolCall, toolCalls } from '../fake-ollama/chat-script.ts';
import { cutAfter, script } from '../fake-ollama/script-modifiers.ts';
import { type AgentServer, startAgentServer, told, UNASKED, withoutId } from '../support/agent-server.ts';
import { nativeTool, skill } from '../support/agent-world.ts';
import type { StreamedEvent } from '../support/read-events.ts';
import { watchAll } from './watching.ts';

const COUNT = nativeTool('count', 'return "counted " + (text ?? "");');
const FILES = {
  'tools/math/index.mjs': nativeTool('add'),
  'agents/coder/SKILL.md': skill('', 'You count.'),
  'agents/coder/index.mjs': COUNT,
  'agents/other/SKILL.md': skill('metadata:\n  mochi-planning: false', 'You are another.'),
  'agents/other/index.mjs': COUNT,
};

const calling = (args: object, id = 'call_agent') => toolCall('agent', args, { id });
const CODER = { agent: 'coder', instruction: 'Count it.' };
const WORK = [
  text('1. Count.'),
  toolCall('count', { text: 'a' }, { id: 'call_count' }),
  text('It is counted.'),
];
const OUTPUT =
  'Session ID: CHAT\n1. Count.\nTool call: count {"text":"a"}\nResult: counted a\nIt is counted.';
/** What is the same in each turn of a session whose model is in memory. */
const STEP = [['context'], ['status', 'evaluating_prompt'], ['status', 'generating']];

const dataOf = (events: readonly StreamedEvent[], name: string) =>
  events.filter(({ event }) => event === name).map(({ data }) => data);

describe('an agent that a model calls', () => {
  let server: AgentServer;
  beforeAll(async () => {
    server = await startAgentServer(FILES);
    const sessionId = await server.agentSession([]);
    server.ollama.reply(text('Warm.'));
    await server.told(sessionId, { message: 'Load the model.' });
  });
  afterAll(() => server.close());
  beforeEach(() => server.asked());

  it('is told in the order of the original, live and again, and stored as one call with one result', async () => {
    const sessionId = await server.agentSession(['coder']);
    server.ollama.reply(calling(CODER), ...WORK, text('Done: ', 'counted.'));
    const events = await server.told(sessionId, { message: 'Have it counted.' });
    const base = { agent_name: 'coder', agent_call_index: 0 };
    const call = { tool_name: 'count', call_index: 0 };
    expect(told(events)).toEqual([
      ['turn_start', {}],
      ...STEP,
      ['status', 'running_tool'],
      ['agent_start', { ...base, instruction: 'Count it.', model: 'llama3.2:latest', continued: false }],
      ['agent_status', 'planning', 0, 'evaluating_prompt'],
      ['agent_status', 'planning', 0, 'generating'],
      ['agent_planning', '1. Count.', 0],
      ['agent_status', 'executing', 1, 'evaluating_prompt'],
      ['agent_status', 'executing', 1, 'generating'],
      ['agent_status', 'executing', 1, 'running_tool'],
      ['agent_tool_call', { ...base, ...call, arguments: { text: 'a' } }],
      [
        'agent_tool_result',
        { ...base, ...call, success: true, result: 'counted a', error: null, error_message: null },
      ],
      ['agent_status', 'executing', 2, 'evaluating_prompt'],
      ['agent_status', 'executing', 2, 'generating'],
      ['agent_execution', 'It is counted.', 2],
      ['agent_complete', { ...base, output: OUTPUT, success: true, reason: 'completed', rounds: 2 }],
      ['tool_continuation_start', { tool_count: 1, message: 'Processing tool results...' }],
      ...STEP,
      ['content_delta', 'Done: '],
      ['content_delta', 'counted.'],
      ['message_complete', 'Done: counted.', 'stop'],
      ['done', { state: 'completed' }],
    ]);
    const turnId = events[0]?.data.turn_id;
    expect(await watchAll(server, turnId)).toEqual(events);
    const messages = await server.messages(sessionId);
    expect(messages.map(({ role, content }) => [role, withoutId(content)])).toEqual([
      ['user', 'Have it counted.'],
      ['assistant', ''],
      ['tool', OUTPUT],
      ['assistant', 'Done: counted.'],
    ]);
    expect(messages[1].tool_calls).toEqual([{ function: { name: 'agent', arguments: CODER } }]);
    expect(messages[2].tool_name).toBe('agent');
  });

  it('is told as nothing but its own log, event by event', async () => {
    const sessionId = await server.agentSession(['coder']);
    server.ollama.reply(calling(CODER), ...WORK, text('Done.'));
    const events = await server.told(sessionId, { message: 'Have it counted.' });
    const { turn_id: runId, session_id: chatId } = dataOf(events, 'agent_start')[0] ?? {};
    const own = await watchAll(server, runId);
    expect(own[0]).toMatchObject({ event: 'turn_start', data: { turn_id: runId, session_id: chatId } });
    expect(own.at(-1)).toMatchObject({ event: 'done', data: { state: 'completed' } });
    const place = { agentName: 'coder', chatId, runId, callId: 'call_agent', callIndex: 0 };
    const plain = own.map(({ event, data }) => ({ event, data }) as TurnEvent);
    const translated = translateBatch(hearRun(place, 50), plain).events;
    expect(
      events.filter(({ event }) => event.startsWith('agent_')).map(({ event, data }) => ({ event, data })),
    ).toEqual(translated);
  });

  it('is one call of a plain answer, too', async () => {
    const sessionId = await server.agentSession(['coder']);
    server.ollama.reply(calling(CODER), ...WORK, text('Done.'));
    const { body } = await server.chat(sessionId, { message: 'Have it counted.' });
    expect(body.message.content).toBe('Done.');
    expect(body.tool_calls_executed).toEqual([{ name: 'agent', arguments: CODER, success: true }]);
    const { body: turn } = await server.get(`/turns/${body.turn_id}`);
    expect(turn.agent_turns).toEqual([
      {
        turn_id: expect.any(String),
        session_id: expect.any(String),
        agent_name: 'coder',
        state: 'completed',
        phase: 'executing',
        round: 2,
      },
    ]);
    const run = turn.agent_turns[0];
    expect((await server.get(`/turns/${run.turn_id}`)).body).toMatchObject({
      agent_name: 'coder',
      parent_turn_id: body.turn_id,
    });
    expect((await server.get(`/agents/chats/${run.session_id}`)).body).toMatchObject({
      agent_name: 'coder',
      parent_session_id: sessionId,
      parent_turn_id: body.turn_id,
    });
    const [execution] = (await server.get(`/tool-executions?session_id=${sessionId}`)).body.executions;
    expect(execution).toMatchObject({
      tool_name: 'agent',
      source: { kind: 'agent' },
      state: 'succeeded',
      turn_id: body.turn_id,
    });
  });

  it('is offered last, to sessions that enable one that can work; agents are offered none', async () => {
    const tools = { tools: ['add'], ...UNASKED };
    const sessionId = await server.agentSession(['nobody', 'coder'], { tool_settings: tools });
    server.ollama.reply(calling(CODER), ...WORK, text('Done.'));
    await server.told(sessionId, { message: 'Have it counted.' });
    expect(server.asked().map((asked) => asked.tools)).toEqual([
      ['add', 'agent'],
      [],
      ['count'],
      ['count'],
      ['add', 'agent'],
    ]);
    server.ollama.reply(text('Alone.'));
    await server.told(await server.agentSession(['nobody']), { message: 'Hi.' });
    expect(server.asked()[0]?.tools).toEqual([]);
  });

  it('reads what it did as the last message before its answer', async () => {
    const sessionId = await server.agentSession(['coder']);
    server.ollama.reply(calling(CODER), ...WORK, text('Done.'));
    await server.told(sessionId, { message: 'Have it counted.' });
    const last = server
      .asked()
      .at(-1)
      ?.messages.map(({ role, content }) => [role, withoutId(content)]);
    expect(last).toEqual([
      ['user', 'Have it counted.'],
      ['assistant', ''],
      ['tool', OUTPUT],
    ]);
  });

  it.each([
    ['unknown', { agent: 'nobody', instruction: 'x' }, 'There is no agent "nobody". Enabled: coder.'],
    ['not enabled', { agent: 'other', instruction: 'x' }, 'There is no agent "other". Enabled: coder.'],
    [
      'told nothing',
      { agent: 'coder', instruction: ' ' },
      'The instruction is blank: say what the agent is to do.',
    ],
    [
      'to go on in no chat of its own',
      { ...CODER, session_id: 'ffffffffff' },
      /^The agent coder has no conversation "ffffffffff"/,
    ],
  ])('that is %s is a failed call like any other', async (_what, args, error) => {
    const sessionId = await server.agentSession(['coder']);
    server.ollama.reply(calling(args), text('Sorry.'));
    const events = await server.told(sessionId, { message: 'Have it counted.' });
    const names = events.map(({ event }) => event).filter((name) => /tool_|agent_/.test(name));
    expect(names).toEqual(['tool_call', 'tool_result', 'tool_continuation_start']);
    expect(dataOf(events, 'tool_result')[0]).toMatchObject({
      tool_name: 'agent',
      success: false,
      error: typeof error === 'string' ? error : expect.stringMatching(error),
    });
    expect(server.asked().length).toBe(2);
  });

  it('is a failed call where none is enabled', async () => {
    const sessionId = await server.agentSession([], { tool_settings: { tools: ['add'], ...UNASKED } });
    server.ollama.reply(calling(CODER), text('Sorry.'));
    const events = await server.told(sessionId, { message: 'Have it counted.' });
    expect(dataOf(events, 'tool_result')[0]).toMatchObject({ success: false });
    expect(dataOf(events, 'agent_start')).toEqual([]);
  });

  it('goes on in its chat when it is told which, and begins a new one otherwise', async () => {
    const sessionId = await server.agentSession(['coder', 'other']);
    server.ollama.reply(calling(CODER), ...WORK, text('Done.'));
    const first = await server.told(sessionId, { message: 'Have it counted.' });
    const chatId = dataOf(first, 'agent_start')[0]?.session_id;
    server.ollama.reply(calling({ ...CODER, session_id: chatId }), ...WORK, text('Again.'));
    const second = await server.told(sessionId, { message: 'Again.' });
    expect(dataOf(second, 'agent_start')[0]).toMatchObject({ session_id: chatId, continued: true });
    expect(withoutId(dataOf(second, 'agent_complete')[0]?.output)).toBe(OUTPUT);
    server.ollama.reply(calling(CODER), ...WORK, text('Anew.'));
    const third = await server.told(sessionId, { message: 'Anew.' });
    expect(dataOf(third, 'agent_start')[0]?.session_id).not.toBe(chatId);
    server.ollama.reply(calling({ agent: 'other', instruction: 'x', session_id: chatId }), text('No.'));
    const foreign = await server.told(sessionId, { message: 'Mix.' });
    expect(dataOf(foreign, 'tool_result')[0]).toMatchObject({ success: false });
  });

  it('that fails tells its model why, with what was done, and the turn goes on', async () => {
    const sessionId = await server.agentSession(['coder']);
    server.ollama.reply(
      calling(CODER),
      text('1. Count.'),
      { steps: [{ type: 'line', text: '{"error":"boom"}' }] },
      text('It broke.'),
    );
    const events = await server.told(sessionId, { message: 'Have it counted.' });
    const [complete] = dataOf(events, 'agent_complete');
    expect(complete).toMatchObject({ success: false, reason: 'failed' });
    expect(withoutId(complete?.output)).toMatch(
      /^Error: The agent coder failed: .*boom.*\nSession ID: CHAT\n1\. Count\.\nContinue with session_id CHAT\.$/s,
    );
    expect((await server.messages(sessionId))[2].content).toBe(complete?.output);
    expect(events.at(-1)?.data.state).toBe('completed');
    expect((await server.get(`/turns/${complete?.turn_id}`)).body.state).toBe('failed');
  });

  it('that is cut off tells its model no way that only a client has', async () => {
    const sessionId = await server.agentSession(['coder']);
    server.ollama.reply(calling(CODER), script(tokens(2), cutAfter(1)), text('It broke.'));
    const events = await server.told(sessionId, { message: 'Have it counted.' });
    const [complete] = dataOf(events, 'agent_complete');
    expect(withoutId(complete?.output)).toMatch(
      /^Error: The agent coder failed: The answer of Ollama ended early; what came until then is kept\.\nSession ID: /,
    );
    const { error } = (await server.get(`/turns/${complete?.turn_id}`)).body;
    expect(error).toMatchObject({ code: 'incomplete_response' });
    expect(error.message).toMatch(
      /ended early; what came until then is kept\. Run the agent with this session_id to go on\.$/,
    );
  });

  it('beside others of one message comes when they have ended, each told apart', async () => {
    const sessionId = await server.agentSession(['other', 'coder'], {
      tool_settings: { tools: ['add'], ...UNASKED },
    });
    server.ollama.reply(
      toolCalls([
        { name: 'agent', args: { agent: 'other', instruction: 'One.' }, id: 'call_1' },
        { name: 'add', args: {}, id: 'call_2' },
        { name: 'agent', args: { agent: 'other', instruction: 'Two.' }, id: 'call_3' },
      ]),
      text('Hm.'),
      text('One is done.'),
      text('Hm.'),
      text('Two is done.'),
      text('All done.'),
    );
    const events = await server.told(sessionId, { message: 'Both.' });
    const marks = events.flatMap(({ event, data }) => {
      if (event === 'agent_start') return [`start ${data.agent_call_index} ${data.instruction}`];
      if (event === 'agent_complete') return [`complete ${data.agent_call_index}`];
      return event === 'tool_call' || event === 'tool_result' ? [`${event} ${data.call_index}`] : [];
    });
    expect(marks).toEqual([
      'start 0 One.',
      'complete 0',
      'tool_call 1',
      'tool_result 1',
      'start 2 Two.',
      'complete 2',
    ]);
    const { body } = await server.get(`/turns/${events[0]?.data.turn_id}`);
    expect(body.agent_turns).toHaveLength(2);
    expect((await server.messages(sessionId)).map(({ role }) => role)).toEqual([
      'user',
      'assistant',
      'tool',
      'tool',
      'tool',
      'assistant',
    ]);
  });
});

describe('where one turn may run', () => {
  it('a turn and its agents are one: they do not wait for each other', async () => {
    const server = await startAgentServer(FILES, { config: { maxConcurrentTurns: 1 } });
    const sessions = await Promise.all([1, 2].map(() => server.agentSession(['other'])));
    server.ollama.setDefault(({ messages = [] }) => {
      const last = messages.at(-1);
      if (last?.role === 'tool' && last.content?.startsWith('Session ID')) return text('Done.');
      if (messages[0]?.role !== 'system') return calling({ agent: 'other', instruction: 'Go.' });
      return messages.some(({ role }) => role === 'tool') ? text('Counted.') : toolCall('count', {});
    });
    const told = await Promise.all(sessions.map((id) => server.told(id, { message: 'Both.' })));
    expect(told.map((events) => events.at(-1)?.data.state)).toEqual(['completed', 'completed']);
    for (const events of told) expect(dataOf(events, 'agent_complete')[0]?.success).toBe(true);
    await server.close();
  });
});
