// What an agent may read of its own folder, and what it may not.
import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Agent } from '../../src/agents/agent.ts';
import { type AgentWorld, nativeTool, openAgentWorld, skill } from '../support/agent-world.ts';

const LONG = 'Zeile mit Umlaut ü und 😀.\n'.repeat(5000);

describe('read_skill_file', () => {
  let world: AgentWorld;
  let agent: Agent;
  beforeAll(async () => {
    world = await openAgentWorld({
      'agents/coder/SKILL.md': skill('', 'See references/style.md.'),
      'agents/coder/index.mjs': nativeTool('count'),
      'agents/coder/helper.mjs': '',
      'agents/coder/references/style.md': '# Style\nBe kind.\n',
      'agents/coder/references/mark.md': '\uFEFFmarked',
      'agents/coder/assets/deep/er/long.txt': LONG,
      'agents/coder/assets/empty.txt': '',
      'agents/coder/.env': 'SECRET=1',
      'agents/coder/.git/config': 'secret',
      'agents/coder/node_modules/x/readme.md': 'not mine',
      'agents/coder-twin/SKILL.md': skill(),
      'agents/plain/SKILL.md': skill('allowed-tools: nothing'),
      'agents/plain/index.mjs': nativeTool('count'),
      'secret.txt': 'of the server',
    });
    const at = (path: string) => join(world.dataDir, 'agents/coder', path);
    symlinkSync(join(world.dataDir, 'secret.txt'), at('references/link.md'));
    symlinkSync(world.dataDir, at('references/out'));
    symlinkSync('style.md', at('references/alias.md'));
    symlinkSync('loop', at('loop'));
    writeFileSync(at('assets/picture.png'), Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 255, 254]));
    writeFileSync(at('assets/nul.txt'), 'a\0b');
    writeFileSync(at('assets/torn.txt'), Buffer.from('aü').subarray(0, 2));
    execFileSync('mkfifo', [at('assets/pipe')]);
    await world.agents.ready();
    const found = world.agents.find('coder');
    if (found === null) throw new Error('no agent');
    agent = found;
  });
  afterAll(() => world.close());

  const read = (path: string, offset?: number) =>
    world.run(world.prepare(agent, 'read_skill_file', { path, ...(offset !== undefined && { offset }) }));

  it('is offered where there is something to read, last, and counts as no tool', () => {
    expect(agent.offer.tools.map(({ name }) => name)).toEqual(['count', 'read_skill_file']);
    expect(agent.offer.tools[1]?.description).toBe(
      'Read a text file of this skill. Files: assets/deep/er/long.txt, assets/empty.txt, assets/nul.txt, ' +
        'assets/picture.png, assets/torn.txt, references/mark.md, references/style.md.',
    );
    expect(world.agents.find('plain')?.offer.tools.map(({ name }) => name)).toEqual(['count']);
  });

  it('asks nobody, whatever the session says; rules of the operator hold', async () => {
    const session = {
      execution_policy: 'always_confirm',
      tool_policies: { read_skill_file: 'always_confirm' },
    };
    const verdict = () => world.prepare(agent, 'read_skill_file', { path: 'x' }, session).verdict;
    expect(verdict()).toEqual({ decision: 'run', rule: 'asks_nobody' });
    world.write({ 'tool-policy.json': '{"ask":["agent__coder__read_skill_file"]}' });
    await world.tools.reload();
    expect(verdict().decision).toBe('ask');
    world.write({ 'tool-policy.json': '{"deny":["agent__coder__*"]}' });
    await world.tools.reload();
    expect(world.agents.find('coder')).toMatchObject({ valid: false, offer: { tools: [] } });
    world.write({ 'tool-policy.json': '{}' });
    await world.tools.reload();
    expect(verdict().decision).toBe('run');
  });

  it.each([
    'references/style.md',
    './references/style.md',
    'references\\style.md',
    'references//../references/style.md',
    'references/alias.md',
  ])('gives the text of %s', async (path) => {
    expect(await read(path)).toMatchObject({ state: 'succeeded', text: '# Style\nBe kind.\n' });
  });

  it('gives texts as they are: its own SKILL.md, one with a mark, an empty one', async () => {
    expect((await read('SKILL.md')).text).toBe(skill('', 'See references/style.md.'));
    expect((await read('references/mark.md')).text).toBe('marked');
    expect((await read('assets/empty.txt')).text).toBe('The file is empty.');
  });

  it.each([
    '../coder-twin/SKILL.md',
    '../../secret.txt',
    '/etc/passwd',
    'references/link.md',
    'references/out/secret.txt',
    'references/missing.md',
    '.env',
    '.git/config',
    'references/../.env',
    'node_modules/x/readme.md',
    '.',
    '',
    'loop',
    'a\0b',
    'x'.repeat(5000),
  ])('finds nothing outside of the folder, or hidden: %j', async (path) => {
    const { state, text } = await read(path);
    expect(state).toBe('failed');
    expect(text).toMatch(/^There is no file ".*"\. Files: assets\/deep\/er\/long\.txt, /s);
    expect(text.length).toBeLessThan(600);
  });

  it.each([
    ['assets/picture.png', 'is no text'],
    ['assets/nul.txt', 'is no text'],
    ['assets/torn.txt', 'is no text'],
    ['assets/pipe', 'is no file'],
    ['references', 'is no file'],
  ])('says of %s that it %s', async (path, what) => {
    const { state, text } = await read(path, path.endsWith('torn.txt') ? 1 : 0);
    expect([state, text.startsWith(`${path} ${what}.`)]).toEqual(['failed', true]);
  });

  it('gives a long text page by page, whole together, and each page into one result', async () => {
    let whole = '';
    let offset = 0;
    for (;;) {
      const { text } = await read('assets/deep/er/long.txt', offset);
      expect(text.length).toBeLessThanOrEqual(16_000);
      const [, page = text, next] =
        /^([^]*)\n\n\[Bytes \d+ to \d+ of \d+\. Go on with offset (\d+)\.\]$/.exec(text) ?? [];
      whole += page;
      if (next === undefined) break;
      offset = Number(next);
    }
    expect(whole).toBe(LONG);
    const beyond = await read('assets/deep/er/long.txt', Buffer.byteLength(LONG));
    expect(beyond).toMatchObject({ state: 'failed' });
  });

  it('begins at the next whole character, wherever it is told to', async () => {
    const { text } = await read('assets/deep/er/long.txt', LONG.indexOf('ü') + 1);
    expect(text.startsWith(' und 😀.')).toBe(true);
  });

  it('never leaves the folder, however paths are put together', async () => {
    const part = fc.constantFrom(
      '..',
      '.',
      'references',
      'out',
      'link.md',
      'style.md',
      'coder',
      '/',
      '\\',
      '~',
      '%2e%2e',
      '',
      'secret.txt',
      'SKILL.md',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 8 }), async (parts) => {
        const { state, text } = await read(parts.join('/'));
        if (state === 'succeeded')
          expect(['# Style\nBe kind.\n', skill('', 'See references/style.md.')]).toContain(text);
        else expect(text).not.toContain('of the server');
      }),
      { numRuns: 300 },
    );
  });

  it('follows links of the folder itself, since the operator made them', async () => {
    mkdirSync(join(world.dataDir, 'elsewhere/notes'), { recursive: true });
    world.write({ 'elsewhere/SKILL.md': skill('allowed-tools: agent'), 'elsewhere/notes/a.md': 'linked' });
    linkSync(join(world.dataDir, 'agents/plain/index.mjs'), join(world.dataDir, 'elsewhere/index.mjs'));
    symlinkSync(join(world.dataDir, 'elsewhere'), join(world.dataDir, 'agents/linked'));
    await world.agents.reload();
    const linked = world.agents.find('linked');
    if (linked === null) throw new Error('no agent');
    const { text } = await world.run(world.prepare(linked, 'read_skill_file', { path: 'notes/a.md' }));
    expect(text).toBe('linked');
    expect(linked.warnings).toEqual(['allowed-tools: agent is no tool that there is.']);
  });
});
