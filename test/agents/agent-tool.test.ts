// The tool `agent`: what a session's model is shown, and what becomes of the calls that it makes.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAgentTool, readAgentCall, unknownChatText } from '../../src/agents/agent-tool.ts';
import type { PreparedCall } from '../../src/tools/prepare-call.ts';
import { type AgentWorld, nativeTool, openAgentWorld, skill } from '../support/agent-world.ts';

describe('the tool agent', () => {
  let world: AgentWorld;
  beforeAll(async () => {
    world = await openAgentWorld({
      'agents/coder/SKILL.md': '---\ndescription: |\n  Reviews code.\n  Kindly.\n---\n',
      'agents/coder/index.mjs': nativeTool('count'),
      'agents/web_reader/SKILL.md': skill(),
      'agents/web_reader/index.mjs': nativeTool('read'),
      'agents/broken/SKILL.md': '',
    });
    await world.agents.ready();
  });
  afterAll(() => world.close());

  const toolOf = (...names: string[]) => createAgentTool(world.agents.enabled(names));
  const call = (args: unknown, names = ['coder', 'web_reader']): PreparedCall =>
    world.tools.prepare(
      { name: 'agent', arguments: args as Record<string, unknown> },
      {
        offer: { tools: [toolOf(...names)], missing: [] },
        session: { execution_policy: 'never_confirm', tool_policies: {} },
      },
    );

  it('names the enabled agents that can work, one a line, and takes no others', () => {
    const { name, description, parameters } = toolOf('web_reader', 'broken', 'coder');
    expect(name).toBe('agent');
    expect(description.split('\n').slice(1)).toEqual([
      '- web_reader: Works.',
      '- coder: Reviews code. Kindly.',
    ]);
    expect(parameters).toMatchObject({
      type: 'object',
      required: ['agent', 'instruction'],
      properties: {
        agent: { type: 'string', enum: ['web_reader', 'coder'] },
        session_id: { type: 'string' },
      },
    });
  });

  it('is another tool for whoever approved it when other agents are enabled', () => {
    expect(toolOf('coder').fingerprint).toBe(toolOf('coder').fingerprint);
    expect(toolOf('coder').fingerprint).not.toBe(toolOf('coder', 'web_reader').fingerprint);
  });

  it('asks as the session says, by its own name', () => {
    const session = { execution_policy: 'always_confirm', tool_policies: {} };
    const offer = { tools: [toolOf('coder')], missing: [] };
    const asked = { name: 'agent', arguments: { agent: 'coder', instruction: 'x' } };
    expect(world.tools.prepare(asked, { offer, session }).verdict.decision).toBe('ask');
    const allowed = { ...session, tool_policies: { agent: 'never_confirm' } };
    expect(world.tools.prepare(asked, { offer, session: allowed }).verdict.decision).toBe('run');
  });

  it.each([
    ['as it is', { agent: 'coder', instruction: 'Look.' }, {}, []],
    [
      'with a chat',
      { agent: 'coder', instruction: 'Look.', session_id: ' ab12 ' },
      { session_id: 'ab12' },
      [],
    ],
    [
      'with a blank chat',
      { agent: 'coder', instruction: 'Look.', session_id: ' ' },
      {},
      ['/session_id: left out'],
    ],
    [
      'with no chat',
      { agent: 'coder', instruction: 'Look.', session_id: null },
      {},
      ['/session_id: null left out'],
    ],
    ['in other letters', { agent: ' Coder', instruction: 'Look.' }, {}, ['/agent: read as its name']],
    ['with more', { agent: 'coder', instruction: 'Look.', mood: 1 }, {}, ['/mood: left out']],
    ['as text', '{"agent":"coder","instruction":"Look."}', {}, ['arguments: text read as JSON']],
  ])('takes a call %s', (_how, args, more, repairs) => {
    expect(call(args)).toMatchObject({
      arguments: { agent: 'coder', instruction: 'Look.', ...more },
      repairs,
      verdict: { decision: 'run' },
    });
  });

  it('means the only one where none is said', () => {
    for (const args of [
      { instruction: 'x' },
      { agent: '', instruction: 'x' },
      { agent: null, instruction: 'x' },
    ]) {
      const prepared = call(args, ['coder']);
      expect(prepared).toMatchObject({ arguments: { agent: 'coder', instruction: 'x' } });
      expect('repairs' in prepared ? prepared.repairs : []).toContain('/agent: the only one');
    }
  });

  it.each([
    ['no agent', { instruction: 'x' }, 'It is not said which agent. Enabled: coder, web_reader.'],
    [
      'an unknown one',
      { agent: 'nobody', instruction: 'x' },
      'There is no agent "nobody". Enabled: coder, web_reader.',
    ],
    [
      'a broken one',
      { agent: 'broken', instruction: 'x' },
      'There is no agent "broken". Enabled: coder, web_reader.',
    ],
    [
      'a long name',
      { agent: 'n'.repeat(999), instruction: 'x' },
      `There is no agent "${'n'.repeat(64)}". Enabled: coder, web_reader.`,
    ],
    [
      'a blank instruction',
      { agent: 'coder', instruction: ' \n' },
      'The instruction is blank: say what the agent is to do.',
    ],
    [
      'a long instruction',
      { agent: 'coder', instruction: 'x'.repeat(100_001) },
      'The instruction has 100001 characters; 100000 are allowed.',
    ],
    [
      'no instruction',
      { agent: 'coder' },
      'The arguments do not fit: /instruction is missing. Required: agent, instruction. Optional: session_id.',
    ],
    ['no arguments', 'look!', expect.stringContaining('The arguments do not fit: they')],
  ])('refuses a call with %s, in words that a model can use', (_what, args, text) => {
    expect(call(args)).toMatchObject({ verdict: { decision: 'refuse', rule: 'arguments' }, text });
  });

  it('refuses one that is not enabled where only another is', () => {
    expect(call({ agent: 'web_reader', instruction: 'x' }, ['coder'])).toMatchObject({
      text: 'There is no agent "web_reader". Enabled: coder.',
    });
  });

  it('that is fit is read as an agent with its instruction', () => {
    const enabled = world.agents.enabled(['coder']);
    const read = (args: object) => readAgentCall(call(args, ['coder']).arguments, enabled);
    expect(read({ instruction: 'x', session_id: 'ab' })).toEqual({
      agent: enabled[0],
      instruction: 'x',
      chatId: 'ab',
    });
    expect(read({ agent: 'coder', instruction: 'x' })?.chatId).toBeNull();
    expect(readAgentCall({ agent: 'gone', instruction: 'x' }, enabled)).toBeNull();
    const text = unknownChatText('coder', 'zz', ['coder', 'writer']);
    expect(text).toMatch(/^The agent coder has no conversation "zz"\..* Enabled: coder, writer\.$/);
  });

  it('is run by nobody but a turn', async () => {
    const fit = call({ agent: 'coder', instruction: 'x' });
    expect(await world.run(fit)).toMatchObject({ state: 'failed' });
  });
});
