// A run of an agent, request by request: what the engine is asked, what is told on each way of watching, what is stored.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { EXECUTION_PROMPT, planningPrompt, REPORT_PROMPT } from '../../src/agents/phase-prompts.ts';
import { text, toolCall } from '../fake-ollama/chat-script.ts';
import { type AgentServer, startAgentServer, told, UNASKED } from '../support/agent-server.ts';
import { nativeTool, skill, writeFiles } from '../support/agent-world.ts';
import { watchAll } from './watching.ts';

const PLANNING = planningPrompt([{ name: 'count', description: 'What count does.' }]);
const PLAN = text('1. Count.');
const CALL = toolCall('count', { text: 'a' }, { id: 'call_1' });
const ask = (instruction: string, more: object = {}) => ({ instruction, tool_settings: UNASKED, ...more });

describe('a run of an agent', () => {
  let server: AgentServer;
  beforeAll(async () => {
    const tool = nativeTool('count', 'return "counted " + (text ?? "");');
    const agent = (name: string, front = '') => ({
      [`agents/${name}/SKILL.md`]: skill(front, 'You count.'),
      [`agents/${name}/index.mjs`]: tool,
    });
    server = await startAgentServer({
      ...agent('coder'),
      ...agent('short', 'metadata:\n  mochi-max-iterations: 3'),
      ...agent('once', 'metadata:\n  mochi-max-iterations: 1'),
      ...agent('planless', 'metadata:\n  mochi-planning: false'),
      ...agent('frugal', 'metadata:\n  mochi-max-tokens: 40'),
      ...agent('hasty', 'metadata:\n  mochi-timeout-seconds: 1'),
      ...agent('thinker', 'metadata:\n  mochi-think: true'),
    });
  });
  afterAll(() => server.close());
  beforeEach(() => server.asked());

  const STORED = [
    ['system', 'You count.'],
    ['user', 'Count it.'],
    ['assistant', '1. Count.'],
    ['assistant', ''],
    ['tool', 'counted a'],
    ['assistant', 'It is counted.'],
  ];

  it('plans without tools, works with them, and ends when it rests: told whole, again, from rows, and plain', async () => {
    const script = () => server.ollama.reply(PLAN, CALL, text('It is ', 'counted.'));
    script();
    const events = await server.run('coder', ask('Count it.'));
    const call = { tool_name: 'count', call_index: 0 };
    const base = { agent_name: 'coder', agent_call_index: null };
    expect(told(events)).toEqual([
      ['turn_start', {}],
      ['agent_start', { ...base, instruction: 'Count it.', model: 'llama3.2:latest', continued: false }],
      ['context'],
      ['status', 'loading_model', 'planning', 0],
      ['status', 'generating', 'planning', 0],
      ['content_delta', '1. Count.'],
      ['context'],
      ['status', 'evaluating_prompt', 'executing', 1],
      ['status', 'generating', 'executing', 1],
      ['status', 'running_tool', 'executing', 1],
      ['tool_call', { ...call, arguments: { text: 'a' } }],
      ['tool_result', { ...call, success: true, result: 'counted a', error: null, error_message: null }],
      ['tool_continuation_start', { tool_count: 1, message: 'Processing tool results...' }],
      ['context'],
      ['status', 'evaluating_prompt', 'executing', 2],
      ['status', 'generating', 'executing', 2],
      ['content_delta', 'It is '],
      ['content_delta', 'counted.'],
      [
        'agent_complete',
        {
          ...base,
          output:
            'Session ID: CHAT\n1. Count.\nTool call: count {"text":"a"}\nResult: counted a\nIt is counted.',
          success: true,
          reason: 'completed',
          rounds: 2,
        },
      ],
      ['message_complete', 'It is counted.', 'stop'],
      ['done', { state: 'completed' }],
    ]);
    const { turn_id: turnId, session_id: chatId } = events[0]?.data ?? {};
    expect(await watchAll(server, turnId)).toEqual(events);
    expect((await server.get(`/turns/${turnId}`)).body).toMatchObject({
      state: 'completed',
      agent_name: 'coder',
      phase: 'executing',
      round: 2,
      last_event_id: events.at(-1)?.id,
    });
    const stored = async (id: string) =>
      (await server.get(`/agents/chats/${id}`)).body.messages.map((message: any) => [
        message.role,
        message.content,
      ]);
    expect(await stored(chatId)).toEqual(STORED);

    script();
    const { status, body } = await server.post('/agents/agent/coder/chat', ask('Count it.'));
    expect([status, body.message.content]).toEqual([200, 'It is counted.']);
    expect(body.tool_calls_executed).toEqual([{ name: 'count', arguments: { text: 'a' }, success: true }]);
    expect(await stored(body.session_id)).toEqual(STORED);
  });

  it('asks the engine with the prompt of the phase last, and stores it nowhere', async () => {
    server.ollama.reply(PLAN, CALL, text('It is counted.'));
    await server.run('coder', ask('Count it.'));
    const begun = [
      { role: 'system', content: 'You count.' },
      { role: 'user', content: 'Count it.' },
    ];
    const planned = [...begun, { role: 'assistant', content: '1. Count.' }];
    const prompt = { role: 'user', content: EXECUTION_PROMPT };
    expect(server.asked()).toEqual([
      { tools: [], messages: [...begun, { role: 'user', content: PLANNING }] },
      { tools: ['count'], messages: [...planned, prompt] },
      {
        tools: ['count'],
        messages: [
          ...planned,
          { role: 'assistant', content: '' },
          { role: 'tool', content: 'counted a' },
          prompt,
        ],
      },
    ]);
  });

  it('goes on when its first round only announces, and then ends', async () => {
    server.ollama.reply(PLAN, text('I will count.'), text('Done.'));
    const events = await server.run('coder', ask('Count it.'));
    expect(told(events).slice(-3)).toEqual([
      [
        'agent_complete',
        expect.objectContaining({
          output: 'Session ID: CHAT\n1. Count.\nI will count.\nDone.',
          reason: 'completed',
          rounds: 2,
        }),
      ],
      ['message_complete', 'Done.', 'stop'],
      ['done', { state: 'completed' }],
    ]);
    expect(server.asked().map(({ tools }) => tools)).toEqual([[], ['count'], ['count']]);
  });

  it('that calls tools without end has exactly as many rounds as it may, the last without tools', async () => {
    server.ollama.reply(PLAN, CALL, CALL, text('Two are counted, one is left.'));
    const events = await server.run('short', ask('Count it.'));
    const asked = server.asked();
    expect(asked.map(({ tools }) => tools)).toEqual([[], ['count'], ['count'], []]);
    expect(asked.at(-1)?.messages.at(-1)).toEqual({ role: 'user', content: REPORT_PROMPT });
    const complete = events.find(({ event }) => event === 'agent_complete')?.data;
    expect(complete).toMatchObject({ success: true, reason: 'max_iterations', rounds: 3 });
    expect(complete.output.split('\n').slice(-2)).toEqual([
      'Two are counted, one is left.',
      'Warning: the agent stopped at its limit of 3 rounds',
    ]);
    expect(told(events)).toContainEqual(['status', 'generating', 'reporting', 3]);
    expect(told(events).at(-1)).toEqual(['done', { state: 'completed' }]);
  });

  it('with one round reports at once', async () => {
    server.ollama.reply(PLAN, text('Nothing is done.'));
    await server.run('once', ask('Count it.'));
    expect(server.asked().map(({ tools }) => tools)).toEqual([[], []]);
  });

  it('makes no plan where it says so', async () => {
    server.ollama.reply(CALL, text('Done.'));
    const events = await server.run('planless', ask('Count it.'));
    expect(server.asked().map(({ tools }) => tools)).toEqual([['count'], ['count']]);
    expect(told(events)).toContainEqual(['status', 'generating', 'executing', 1]);
  });

  it('reports when its tokens are spent', async () => {
    server.ollama.reply(PLAN, text('So far nothing.'));
    const events = await server.run('frugal', ask('Count it.'));
    const complete = events.find(({ event }) => event === 'agent_complete')?.data;
    expect(complete).toMatchObject({ success: true, reason: 'token_limit', rounds: 1 });
    expect(complete.output).toMatch(/\nWarning: the agent stopped at its limit of 40 tokens$/);
    expect(complete.usage.total_tokens).toBeGreaterThanOrEqual(40);
  });

  it('reports when its time is over', async () => {
    server.ollama.reply({ ...PLAN, firstTokenMs: 1100 }, text('So far nothing.'));
    const events = await server.run('hasty', ask('Count it.'));
    const complete = events.find(({ event }) => event === 'agent_complete')?.data;
    expect(complete).toMatchObject({ success: true, reason: 'timeout', rounds: 1 });
    expect(complete.output).toMatch(/\nWarning: the agent stopped at its limit of 1 seconds$/);
  });

  it('goes on in its chat, with SKILL.md as it is then', async () => {
    server.ollama.reply(PLAN, text('Hm.'), text('One.'));
    const first = await server.run('coder', ask('Count one.'));
    const chatId = first[0]?.data.session_id;
    server.ollama.reply(PLAN, text('Hm.'), text('Two.'));
    const second = await server.run('coder', ask('Count two.', { session_id: chatId }));
    expect(second[1]?.data).toMatchObject({ session_id: chatId, continued: true });
    const complete = second.find(({ event }) => event === 'agent_complete')?.data;
    // What was before its instruction is no part of its result.
    expect(complete.output).toBe(`Session ID: ${chatId}\n1. Count.\nHm.\nTwo.`);
    expect(
      server
        .asked()
        .at(-1)
        ?.messages.map(({ content }) => content),
    ).toEqual([
      'You count.',
      'Count one.',
      '1. Count.',
      'Hm.',
      'One.',
      'Count two.',
      '1. Count.',
      'Hm.',
      EXECUTION_PROMPT,
    ]);
  });

  it('that fails says why, with what was done, before its error', async () => {
    server.ollama.reply(PLAN, CALL, {
      answer: { status: 500, body: '{"error":"boom"}' } as never,
      steps: [],
    });
    const events = await server.run('coder', ask('Count it.'));
    const names = events.map(({ event }) => event);
    expect(names.slice(-3)).toEqual(['agent_complete', 'error', 'done']);
    const complete = events.at(-3)?.data;
    expect(complete).toMatchObject({ success: false, reason: 'failed', rounds: 2 });
    expect(complete.output.split('\n')).toEqual([
      expect.stringMatching(/^Error: The agent coder failed: .*boom/),
      `Session ID: ${complete.session_id}`,
      '1. Count.',
      'Tool call: count {"text":"a"}',
      'Result: counted a',
      `Continue with session_id ${complete.session_id}.`,
    ]);
    expect((await server.get(`/turns/${complete.turn_id}`)).body.last_event_id).toBe(events.at(-1)?.id);
  });

  it('reads the files of the operator anew for each run', async () => {
    writeFiles(server.dataDir, { 'docs/agents/agent_prompt_planning.md': 'Plan as I say.' });
    server.ollama.reply(PLAN, text('Hm.'), text('Done.'));
    await server.run('coder', ask('Count it.'));
    const [planning, executing] = server.asked().map(({ messages }) => messages.at(-1)?.content);
    expect([planning, executing]).toEqual(['Plan as I say.', EXECUTION_PROMPT]);
    writeFiles(server.dataDir, { 'docs/agents/agent_prompt_planning.md': ' ' });
    server.ollama.reply(PLAN, text('Hm.'), text('Done.'));
    await server.run('coder', ask('Count it.'));
    expect(server.asked()[0]?.messages.at(-1)?.content).toBe(PLANNING);
  });

  it('thinks where it says so, and only there', async () => {
    const thinks = async (agent: string) => {
      const before = server.ollama.requestsTo('/api/chat').length;
      server.ollama.reply(PLAN, text('Hm.'), text('Done.'));
      await server.run(agent, ask('Count it.', { model: 'qwen3:14b' }));
      return server.ollama
        .requestsTo('/api/chat')
        .slice(before)
        .map(({ body }) => Object(body).think);
    };
    expect(await thinks('thinker')).toEqual([true, true, true]);
    expect(await thinks('coder')).toEqual([false, false, false]);
  });
});
