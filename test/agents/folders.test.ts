// Folders of agents as people make them, with real workers: both layouts, Python and native, allowed tools, and what
// cannot be used.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Agent } from '../../src/agents/agent.ts';
import { type AgentWorld, nativeTool, openAgentWorld, pythonTool, skill } from '../support/agent-world.ts';
import { HAS_PYTHON } from '../support/tool-groups.ts';

const ALIASES = '---\na: &a [x,x]\nb: &b [*a,*a]\ndescription: lol\n---\n';

describe('the folders of agents', () => {
  let world: AgentWorld;
  beforeAll(async () => {
    world = await openAgentWorld({
      'tools/math/index.mjs': nativeTool('add') + nativeTool('shared', 'return "of everybody";'),
      'tool-policy.json': '{"deny":["agent__guarded__erase","hidden"],"ask":["agent__guarded__ask"]}',
      'agents/flat/SKILL.md': skill('model: qwen3:8b'),
      'agents/flat/index.mts': nativeTool('count'),
      'agents/inner/SKILL.md': skill('license: MIT\nallowed-tools: shared add nothing_* sh*'),
      'agents/inner/tools/index.mjs': nativeTool('shared', 'return "my own";'),
      'agents/inner/tools/group.json': '{"read_only":["shared"]}',
      'agents/both/SKILL.md': skill(),
      'agents/both/index.mjs': nativeTool('outer'),
      'agents/both/tools/index.mjs': nativeTool('inner'),
      'agents/borrower/SKILL.md': skill('allowed-tools: add, agent__flat__count'),
      'agents/guarded/SKILL.md': skill(),
      'agents/guarded/index.mjs': nativeTool('erase') + nativeTool('ask') + nativeTool('keep'),
      'agents/empty/SKILL.md': skill(),
      'agents/denied/SKILL.md': skill('allowed-tools: nobody'),
      'agents/bare/index.mjs': nativeTool('lost'),
      'agents/bomb/SKILL.md': ALIASES,
      'agents/latin/index.mjs': nativeTool('latin'),
      'agents/broken/SKILL.md': skill(),
      'agents/broken/index.mjs': 'throw new Error("no way");',
      'agents/taken/SKILL.md': skill(),
      'agents/taken/index.mjs':
        nativeTool('agent') + nativeTool('read_skill_file') + nativeTool('agent__x__y') + nativeTool('fine'),
      'agents/_draft/SKILL.md': skill(),
      'agents/.hidden/SKILL.md': skill(),
      'agents/agent_chats/SKILL.md': skill(),
      'agents/two words/SKILL.md': skill(),
      'agents/notes.txt': 'no agent',
      'agents/huge/index.mjs': nativeTool('huge'),
      'agents/dir/SKILL.md/index.mjs': '',
      'agents/pipe/index.mjs': nativeTool('pipe'),
    });
    const at = (path: string) => join(world.dataDir, 'agents', path);
    writeFileSync(at('latin/SKILL.md'), Buffer.from('---\ndescription: caf\xe9\n---\n', 'latin1'));
    writeFileSync(at('huge/SKILL.md'), '---\ndescription: a\n---\n');
    truncateSync(at('huge/SKILL.md'), 1024 ** 3);
    execFileSync('mkfifo', [at('pipe/SKILL.md')]);
    symlinkSync('/nowhere', at('dangling'));
    await world.agents.ready();
  });
  afterAll(() => world.close());

  const find = (name: string): Agent => {
    const agent = world.agents.find(name);
    if (agent === null) throw new Error(`no agent ${name}`);
    return agent;
  };
  const toolsOf = (name: string) => find(name).offer.tools.map((tool) => [tool.name, tool.policyName]);
  const answer = async (agent: string, tool: string) =>
    (await world.run(world.prepare(find(agent), tool, {}))).text;

  it('are listed by name, whatever is wrong with some', () => {
    expect(world.agents.list().map(({ name, valid }) => [name, valid])).toEqual([
      ['bare', false],
      ['bomb', false],
      ['borrower', true],
      ['both', true],
      ['broken', false],
      ['denied', false],
      ['dir', false],
      ['empty', false],
      ['flat', true],
      ['guarded', true],
      ['huge', false],
      ['inner', true],
      ['latin', false],
      ['pipe', false],
      ['taken', true],
      ['two words', false],
    ]);
  });

  it.each([
    ['bare', 'SKILL.md is missing.'],
    ['bomb', 'The front matter has aliases (*name).'],
    ['dir', 'SKILL.md is no file.'],
    ['empty', 'It has no tools: neither its own nor allowed ones.'],
    ['denied', 'It has no tools: neither its own nor allowed ones.'],
    ['huge', 'SKILL.md is over 256 kB.'],
    ['latin', 'SKILL.md is not UTF-8.'],
    ['pipe', 'SKILL.md is no file.'],
    ['two words', 'The name of its folder has to have 1 to 64 letters, digits, _ and -.'],
  ])('say why %s cannot work', (name, problem) => {
    expect(find(name)).toMatchObject({ valid: false, problem });
  });

  it('say why tools cannot be loaded', () => {
    expect(find('broken')).toMatchObject({
      valid: false,
      problem: expect.stringMatching(/^It has no tools\. .*no way/),
    });
  });

  it('have their tools beside SKILL.md or in tools/, which wins', async () => {
    expect(toolsOf('flat')).toEqual([['count', 'agent__flat__count']]);
    expect(toolsOf('both')).toEqual([['inner', 'agent__both__inner']]);
    expect(find('both').warnings).toEqual([
      'Its tools are those of tools/: those beside SKILL.md are not used.',
    ]);
    expect(find('inner').offer.tools[0]).toMatchObject({ name: 'shared', readOnly: true });
    expect([await answer('flat', 'count'), await answer('both', 'inner')]).toEqual(['count', 'inner']);
  });

  it('may be allowed tools of the server, of which their own take the place', async () => {
    expect(toolsOf('inner')).toEqual([
      ['shared', 'agent__inner__shared'],
      ['add', 'add'],
    ]);
    expect(find('inner').warnings).toEqual(['allowed-tools: nothing_* is no tool that there is.']);
    expect([await answer('inner', 'shared'), await answer('inner', 'add')]).toEqual(['my own', 'add']);
    expect(toolsOf('borrower')).toEqual([['add', 'add']]);
    expect(find('borrower').warnings).toEqual([
      'allowed-tools: agent__flat__count is no tool that there is.',
    ]);
  });

  it('may not have names that are kept', () => {
    expect(toolsOf('taken')).toEqual([['fine', 'agent__taken__fine']]);
    expect(find('taken').warnings).toEqual([
      'Tools: Tool "agent" is not used. This name is kept for agents.',
      'Tools: Tool "agent__x__y" is not used. This name is kept for agents.',
      'Tools: Tool "read_skill_file" is not used. This name is kept for the tool that reads the files of the agent.',
    ]);
  });

  it('are ruled by agent__{agent}__{tool}; allowed tools by their own names', () => {
    expect(toolsOf('guarded').map(([name]) => name)).toEqual(['ask', 'keep']);
    const verdict = (agent: string, tool: string, session = {}) =>
      world.prepare(find(agent), tool, {}, session).verdict;
    expect(verdict('guarded', 'ask')).toEqual({ decision: 'ask', rule: 'ask: agent__guarded__ask' });
    expect(verdict('guarded', 'keep')).toEqual({ decision: 'run', rule: 'execution_policy' });
    const policies = (tool_policies: object) => ({ execution_policy: 'always_confirm', tool_policies });
    const both = policies({ agent__guarded__keep: 'never_confirm', keep: 'always_confirm' });
    expect(verdict('guarded', 'keep', both).decision).toBe('run');
    expect(verdict('guarded', 'keep', policies({ keep: 'never_confirm' })).decision).toBe('run');
    expect(verdict('guarded', 'keep', policies({ agent__flat__keep: 'never_confirm' })).decision).toBe('ask');
    expect(verdict('inner', 'add', policies({ add: 'never_confirm' })).decision).toBe('run');
    expect(verdict('inner', 'add', policies({ agent__inner__add: 'never_confirm' })).decision).toBe('ask');
  });

  it('have digests of their own, whatever other tools are called', () => {
    const digest = (agent: string, tool: string) => {
      const call = world.prepare(find(agent), tool, {});
      return 'digest' in call ? call.digest : null;
    };
    const shared = world.tools.prepare(
      { name: 'shared', arguments: {} },
      { offer: world.tools.offer(['shared']), session: { execution_policy: '', tool_policies: {} } },
    );
    expect(digest('inner', 'shared')).not.toBe('digest' in shared ? shared.digest : null);
  });

  it('lend their tools to no session', () => {
    expect(
      world.tools.offer(['agent__flat__count', 'count', 'agent__*', '*']).tools.map(({ name }) => name),
    ).toEqual(['add', 'shared']);
  });

  it('give those that are enabled and can work, once each', () => {
    const names = ['inner', 'nobody', 'bomb', 'flat', 'inner', '__proto__'];
    expect(world.agents.enabled(names).map(({ name }) => name)).toEqual(['inner', 'flat']);
  });

  it('that change while one works: it keeps what it read, and its tools fail as gone', async () => {
    world.write({ 'agents/leaver/SKILL.md': skill(), 'agents/leaver/index.mjs': nativeTool('stay') });
    await world.agents.reload();
    const agent = find('leaver');
    expect((await world.run(world.prepare(agent, 'stay', {}))).text).toBe('stay');
    rmSync(join(world.dataDir, 'agents/leaver'), { recursive: true });
    const problems = await world.agents.reload();
    expect(problems).toContainEqual({
      source: 'agent:bomb',
      message: 'The front matter has aliases (*name).',
    });
    expect(world.agents.find('leaver')).toBeNull();
    expect(agent.skill?.systemPrompt).toBe('Do what you are told.');
    expect(await world.run(world.prepare(agent, 'stay', {}))).toMatchObject({
      state: 'failed',
      text: "Tool 'stay' is no longer there.",
    });
  });

  it('that cannot be read hide nothing for ever', async () => {
    const folder = join(world.dataDir, 'agents');
    renameSync(folder, `${folder}-away`);
    writeFileSync(folder, 'no folder');
    const [problem] = await world.agents.reload();
    expect(problem).toMatchObject({ source: 'agents', message: expect.stringContaining('ENOTDIR') });
    expect(world.agents.list()).toEqual([]);
    rmSync(folder);
    renameSync(`${folder}-away`, folder);
    await world.agents.reload();
    expect(find('flat').valid).toBe(true);
  });
});

describe.skipIf(!HAS_PYTHON)('agents with tools in Python', () => {
  let world: AgentWorld;
  beforeAll(async () => {
    world = await openAgentWorld({
      // As the original's specification has it: `{name}.py`, and what counts in `__all__`.
      'agents/spec/SKILL.md': skill(),
      'agents/spec/__init__.py': 'from .spec import look, hide\n__all__ = ["look"]\n',
      'agents/spec/spec.py': pythonTool('look') + pythonTool('hide'),
      // As its plan has it.
      'agents/plan/SKILL.md': skill(),
      'agents/plan/tools/__init__.py': 'from .inner import reach\n',
      'agents/plan/tools/inner.py': `from . import helper\n${pythonTool('reach', 'return helper.WORD')}`,
      'agents/plan/tools/helper.py': 'WORD = "helped"\n',
      'agents/plan/references/words.md': 'Words.',
    });
    await world.agents.ready();
  });
  afterAll(() => world.close());

  it('work in both layouts, with modules of their own', async () => {
    const answers = [];
    for (const [name, tool] of [
      ['spec', 'look'],
      ['plan', 'reach'],
    ] as const) {
      const agent = world.agents.find(name);
      if (agent === null) throw new Error(name);
      const { text } = await world.run(world.prepare(agent, tool, {}));
      answers.push([agent.offer.tools.map((offered) => offered.name), text]);
    }
    expect(answers).toEqual([
      [['look'], 'look'],
      [['reach', 'read_skill_file'], 'helped'],
    ]);
  });
});

describe('an agent with a place for one process of tools', () => {
  it('is loaded beside others, one after the other, and ends as they do', async () => {
    const files = Object.fromEntries(
      Array.from({ length: 4 }, (_, index) => `agents/a${index}`).flatMap((folder) => [
        [`${folder}/SKILL.md`, skill()],
        [`${folder}/index.mjs`, nativeTool('one', 'return String(process.pid);')],
      ]),
    );
    const world = await openAgentWorld(files, { maxToolProcesses: 1 });
    await world.agents.ready();
    const pids = [];
    for (const agent of world.agents.list())
      pids.push((await world.run(world.prepare(agent, 'one', {}))).text);
    expect(new Set(pids).size).toBe(4);
    await world.close();
    for (const pid of pids) expect(() => process.kill(Number(pid), 0)).toThrow('ESRCH');
  });
});

describe('without a folder', () => {
  it('there are none, and nothing is odd', async () => {
    const world = await openAgentWorld({});
    expect(await world.agents.reload()).toEqual([]);
    expect(world.agents.list()).toEqual([]);
    mkdirSync(join(world.dataDir, 'agents'));
    cpSync(join(world.dataDir, 'agents'), join(world.dataDir, 'copied'), { recursive: true });
    expect(await world.agents.reload()).toEqual([]);
    await world.close();
  });
});
