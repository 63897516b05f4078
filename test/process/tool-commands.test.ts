// The commands about tools, and what the doctor says of them, as processes.
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nativeTool, skill, writeFiles } from '../support/agent-world.ts';
import { runCommand } from '../support/spawned-server.ts';
import { startTestServer } from '../support/test-server.ts';

const MATH = `
export const add_numbers = {
  description: 'Add two numbers together.\\nAnd nothing else.',
  inputSchema: {
    type: 'object', additionalProperties: false, required: ['a', 'b'],
    properties: { a: { type: 'integer' }, b: { type: 'integer' } },
  },
  execute: ({ a, b }) => a + b,
};
export const fail = { description: 'Fails.', inputSchema: { type: 'object' }, execute() { throw new Error('kaboom'); } };
export const erase = { description: 'Erases.', inputSchema: { type: 'object' }, execute: () => 'gone' };
`;

// Processes start slowly on a machine that does much else.
describe('tools on the command line', { timeout: 90_000 }, () => {
  let dataDir: string;
  let env: Record<string, string>;
  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'mochi-tool-commands-'));
    await write('tools/math/index.mjs', MATH);
    await write('tools/other/index.mjs', MATH);
    await write('tools/broken/index.mjs', 'export const = 1;');
    await write('tool-policy.json', '{"deny":["erase"]}');
    // Nothing listens there: without a server.
    env = {
      MOCHI_DATA_DIR: dataDir,
      MOCHI_PORT: '9',
      MOCHI_OLLAMA_HOST: 'http://127.0.0.1:9',
      MOCHI_ENGINE: 'ollama',
    };
  });
  afterAll(() => rm(dataDir, { recursive: true }));

  async function write(path: string, text: string): Promise<void> {
    await mkdir(dirname(join(dataDir, path)), { recursive: true });
    await writeFile(join(dataDir, path), text);
  }

  it('lists them before there is a data folder, which it does not make', async () => {
    await write('early/one/index.mjs', MATH);
    const early = { MOCHI_TOOLS_DIR: join(dataDir, 'early'), MOCHI_DATA_DIR: join(dataDir, 'not', 'yet') };
    const { status, stdout } = await runCommand(['tools'], { env: { ...env, ...early } });
    expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringContaining('native:one') });
    expect(stdout).not.toContain('Problems');
    expect(existsSync(join(dataDir, 'not'))).toBe(false);
  });

  it('lists what there is, what forbids it, and what cannot be used', async () => {
    const { status, stdout, stderr } = await runCommand(['tools'], { env });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const [list = '', problems = ''] = stdout.split('\nProblems:\n');
    expect(list.split('\n')).toEqual([
      'NAME         FROM         FORBIDDEN BY  DOES',
      'add_numbers  native:math                Add two numbers together.',
      'erase        native:math  deny: erase   Erases.',
      'fail         native:math                Fails.',
      '',
    ]);
    expect(problems).toMatch(/native:broken: .*SyntaxError/);
    expect(problems).toContain(
      'native:other: Tool "add_numbers" is not used. native:math has one of that name already.',
    );
  });

  it('runs one here where no server runs: result on stdout, faults on stderr', async () => {
    const run = (...args: string[]) => runCommand(['tools', 'run', ...args], { env });
    expect(await run('add_numbers', '{"a":"2","b":40}')).toMatchObject({
      status: 0,
      stdout: '42\n',
      stderr: '',
    });
    expect(await run('fail')).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringContaining('kaboom'),
    });
    expect(await run('erase')).toMatchObject({ status: 1, stderr: expect.stringContaining('policy') });
    expect(await run('add_numbers', '{"a":1}')).toMatchObject({
      status: 2,
      stderr: 'mochi-server: The arguments do not fit: /b is missing. Required: a, b.\n',
    });
    expect(await run('add_numbers', '{"a":')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('JSON object'),
    });
    expect(await run('nobody')).toMatchObject({
      status: 2,
      stderr: 'mochi-server: There is no tool called nobody.\n',
    });
  });

  it('runs one in the server where one runs', async () => {
    const server = await startTestServer();
    const inServer = { ...env, MOCHI_PORT: new URL(server.url).port };
    // The server has another data folder: it knows no tool of that name, and the command has found none here.
    const { status, stderr } = await runCommand(['tools', 'run', 'add_numbers', '{"a":1,"b":2}'], {
      env: inServer,
    });
    expect([status, stderr]).toEqual([2, 'mochi-server: There is no tool called add_numbers.\n']);
    await server.close();
  });

  it('takes the settings before and after `run`', async () => {
    const bare = { ...env, MOCHI_DATA_DIR: tmpdir() };
    const args = ['add_numbers', '{"a":1,"b":2}'];
    const tools = join(dataDir, 'tools');
    expect((await runCommand(['tools', '--tools-dir', tools, 'run', ...args], { env: bare })).stdout).toBe(
      '3\n',
    );
    expect((await runCommand(['tools', 'run', ...args, '--tools-dir', tools], { env: bare })).stdout).toBe(
      '3\n',
    );
  });

  it('are examined by the doctor: rules, groups, and what sessions name in vain', async () => {
    const server = await startTestServer({ dataDir });
    await server.createSession({ tool_settings: { tools: ['add_numbers', 'gone', 'erase', 'other_*'] } });
    await server.close();
    const { stdout } = await runCommand(['doctor'], { env });
    expect(stdout).toContain(`ok  Tool policy: ${join(dataDir, 'tool-policy.json')}\n`);
    expect(stdout).toMatch(/(?:ok {2}Python: Python 3|Python: python3 was not found)/);
    expect(stdout).toContain(`ok  Tools: 3 in 1 group (${join(dataDir, 'tools')})\n`);
    expect(stdout).toMatch(/BAD Tools: native:broken: .*SyntaxError/);
    expect(stdout).toContain('  - Mend what the lines with BAD say.\n');
    expect(stdout).not.toContain('Nothing to do.');
    expect(stdout).toContain(
      'Tools: sessions name some that do not exist, or are forbidden: erase, gone, other_*\n',
    );
  });

  it('are examined by the doctor with the agents that use them', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'mochi-agent-doctor-'));
    writeFiles(folder, {
      'agents/coder/SKILL.md': skill('name: other'),
      'agents/coder/index.mjs': nativeTool('count'),
      'agents/broken/SKILL.md': 'no front matter',
      'tool-policy.json':
        '{"deny":["agent","add_nubmers","mcp__none"],"allow":["*"],"ask":["count*(path=/*)"]}',
    });
    const server = await startTestServer({ dataDir: folder });
    await server.createSession({ agent_settings: { enabled_agents: ['coder', 'broken', 'gone'] } });
    await server.close();
    const { stdout } = await runCommand(['doctor'], { env: { ...env, MOCHI_DATA_DIR: folder } });
    expect(stdout.split('\n').filter((line) => line.includes('Agents: '))).toEqual([
      `ok  Agents: coder (${join(folder, 'agents')})`,
      'BAD Agents: agent:broken: SKILL.md does not begin with ---: it has no front matter.',
      '    Agents: agent:coder: name is "other": the name of the folder counts.',
      '    Agents: sessions name some that do not exist, or cannot work: broken, gone',
    ]);
    expect(stdout).toContain(
      '    Tool policy: rules about no tool that there is, mistyped perhaps: add_nubmers, mcp__none',
    );
    await rm(folder, { recursive: true });
  });

  it('are examined by the doctor, too, where the rules cannot be read or sessions offer many', async () => {
    const many = Array.from(
      { length: 17 },
      (_, index) =>
        `export const t${index} = { description: 'T', inputSchema: { type: 'object' }, execute: () => 1 };`,
    );
    await write('more/index.mjs', many.join('\n'));
    const folder = await mkdtemp(join(tmpdir(), 'mochi-tool-doctor-'));
    const server = await startTestServer({ dataDir: folder, config: { toolsDir: join(dataDir) } });
    await server.createSession({ tool_settings: { tools: ['t*'] } });
    await server.close();
    const here = { ...env, MOCHI_DATA_DIR: folder, MOCHI_TOOLS_DIR: dataDir };
    const { stdout } = await runCommand(['doctor'], { env: here });
    expect(stdout).toContain(
      'Tools: 1 session offers over 16 of them: small models use none of so many well\n',
    );
    await writeFile(join(folder, 'tool-policy.json'), '{"deny":"all"}');
    const bad = await runCommand(['doctor'], { env: here });
    expect(bad).toMatchObject({ status: 1, stdout: expect.stringContaining('BAD Tool policy: ') });
    await rm(folder, { recursive: true });
  });
});
