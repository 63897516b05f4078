// Folders of TypeScript and JavaScript as groups of tools.
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { openToolWorld, type ToolWorld } from '../support/tool-groups.ts';

let world: ToolWorld;
afterEach(() => world.close());

const zod = fileURLToPath(new URL('../../node_modules/zod', import.meta.url));

/** A group that may import Zod. */
async function openWithZod(text: string): Promise<void> {
  world = openToolWorld({ 'z/index.mts': text });
  mkdirSync(join(world.folder, 'node_modules'));
  symlinkSync(zod, join(world.folder, 'node_modules', 'zod'));
  await world.describe('z');
}

describe('a native group', () => {
  it('is written in TypeScript, with the types of the package and its own files', async () => {
    world = openToolWorld({
      'weather/index.mts': `
import { defineTool, type ToolContext } from 'mochi-server/tools';
import { units } from './units.mts';
interface Input { readonly city: string; readonly days?: number }
export const forecast = defineTool<Input>({
  description: 'Tells the weather.',
  inputSchema: { type: 'object', properties: { city: { type: 'string' }, days: { type: 'integer' } }, required: ['city'] },
  timeoutSeconds: 7,
  readOnly: true,
  async execute({ city, days = 1 }: Input, context: ToolContext) {
    context.progress('asking');
    console.log('asked', city);
    return { city, days, unit: units.celsius, call: [context.sessionId, context.toolCallId, context.attempt, context.idempotencyKey], same: context.signal === context.abortSignal };
  },
});
export const other = { name: 'renamed', description: 'Named otherwise.', needsApproval: () => true, execute: () => undefined };
export const helper = () => 'no tool';
export const number = 5;
export default { ...other, name: 'standard', repeatable: true };
`,
      'weather/units.mts': `export const units = { celsius: '°C' } as const;`,
      'weather/group.json':
        '{"timeout_seconds": 9, "read_only": ["renamed", "gone"], "repeatable": ["renamed"]}',
    });
    const state = await world.describe('weather');
    expect(state.problems).toEqual([
      { source: 'native:weather', message: 'group.json names "gone", which is none of its tools' },
    ]);
    const flags = { readOnly: false, repeatable: false, needsApproval: false };
    expect(state.tools).toEqual([
      {
        name: 'forecast',
        description: 'Tells the weather.',
        inputSchema: {
          type: 'object',
          properties: { city: { type: 'string' }, days: { type: 'integer' } },
          required: ['city'],
        },
        ...flags,
        readOnly: true,
        timeoutMs: 7000,
      },
      {
        name: 'renamed',
        description: 'Named otherwise.',
        inputSchema: { type: 'object', properties: {}, additionalProperties: false },
        readOnly: true,
        repeatable: true,
        needsApproval: true,
        timeoutMs: 9000,
      },
      expect.objectContaining({ name: 'standard', ...flags, repeatable: true, needsApproval: true }),
    ]);
    const steps: unknown[] = [];
    const onProgress = (step: unknown) => steps.push(step);
    expect(await world.run('weather', 'forecast', { city: 'Rome' }, { onProgress })).toEqual({
      state: 'succeeded',
      text: '{"city":"Rome","days":1,"unit":"°C","call":["session","call",1,"key"],"same":true}',
      truncated: false,
      images: [],
      log: 'asked Rome\n',
    });
    expect(steps).toEqual([{ message: 'asking', progress: null, total: null }]);
    expect(await world.run('weather', 'renamed')).toMatchObject({
      text: 'Tool executed successfully (no return value)',
      log: null,
    });
  });

  it('takes what tools of the AI SDK are, and schemas of Zod, whose own check comes last', async () => {
    await openWithZod(`
import { z } from 'zod';
const schema = z.object({ n: z.number().describe('A number'), even: z.number().refine((n) => n % 2 === 0, 'has to be even').optional() });
export const zod = { description: 'Z.', inputSchema: schema, execute: ({ n }) => n + 1 };
export const changed = { description: 'C.', inputSchema: z.object({ day: z.string().transform((text) => new Date(text)) }), execute: ({ day }) => day.getUTCFullYear() };
// As jsonSchema() of the SDK makes them.
const wrapped = { [Symbol.for('vercel.ai.schema')]: true, get jsonSchema() { return Promise.resolve({ type: 'object', properties: { a: { type: 'string' } } }); }, validate: (value) => value.a === 'bad' ? { success: false, error: new Error('a is bad') } : { success: true, value } };
export const sdk = { type: 'function', description: 'S.', inputSchema: wrapped, execute: async function* ({ a }) { yield 'first'; yield 'last ' + a; } };
export const lazy = { description: 'L.', parameters: () => wrapped, execute: ({ a }, { toolCallId, messages, abortSignal }) => [a, toolCallId, messages, abortSignal.aborted] };
export const old = { description: 'O.', inputSchema: { '~standard': { version: 1, vendor: 'old', validate: () => ({}) } }, execute: () => 1 };
export const text = { description: 'T.', inputSchema: { type: 'string' }, execute: () => 1 };
`);
    const { tools, problems } = await world.describe('z');
    expect(tools.map(({ name }) => name)).toEqual(['changed', 'lazy', 'sdk', 'zod']);
    expect(tools[3]?.inputSchema).toMatchObject({
      type: 'object',
      properties: { n: { type: 'number', description: 'A number' } },
      required: ['n'],
    });
    expect(tools[2]?.inputSchema).toEqual({ type: 'object', properties: { a: { type: 'string' } } });
    expect(problems.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^the tool old cannot be used: its inputSchema cannot say .*Zod 4\.2/),
      expect.stringMatching(/^the tool text cannot be used: .*"type" has to be "object"/),
    ]);
    const answers = [
      await world.run('z', 'zod', { n: 1, even: 2 }),
      await world.run('z', 'zod', { n: 1, even: 3 }),
      await world.run('z', 'changed', { day: '2026-11-27' }),
      await world.run('z', 'sdk', { a: 'good' }),
      await world.run('z', 'sdk', { a: 'bad' }),
      await world.run('z', 'lazy', { a: 'x' }),
    ];
    expect(answers.map(({ state, text }) => [state, text])).toEqual([
      ['succeeded', '2'],
      ['failed', 'even: has to be even'],
      ['succeeded', '2026'],
      ['succeeded', 'last good'],
      ['failed', 'a is bad'],
      ['succeeded', '["x","call",[],false]'],
    ]);
  });

  it('may be CommonJS, and say with which name its file is a module', async () => {
    world = openToolWorld({
      'c/index.js': 'module.exports = { f: { description: "F.", execute: () => ({ a: 1n + 1n > 1 }) } };',
      'c/package.json': '{"type": "commonjs"}',
      't/index.ts': 'export const f: object = { description: "F.", execute: () => 1 };',
      't/package.json': '{"type": "commonjs"}',
      'plain/index.ts': 'export const f: object = { description: "F.", execute: () => null };',
    });
    expect(await world.describe('c')).toMatchObject({ tools: [{ name: 'f' }], problems: [] });
    expect(await world.run('c', 'f')).toMatchObject({ text: '{"a":true}' });
    const { problems } = await world.describe('t');
    expect(problems[0]?.message).toMatch(/SyntaxError: .*"type": "commonjs".*index\.mts/);
    expect(await world.describe('plain')).toMatchObject({ tools: [{ name: 'f' }], problems: [] });
    expect(await world.run('plain', 'f')).toMatchObject({
      text: 'Tool executed successfully (no return value)',
    });
  });

  it('that cannot be loaded says why, and harms no other', async () => {
    world = openToolWorld(
      {
        'exits/index.mjs': 'console.error("last words"); process.exit(3);',
        'throws/index.mjs': 'throw new TypeError("not today");',
        'syntax/index.mts': 'export const = 5;',
        'waits/index.mjs': 'setInterval(() => undefined, 1000); await new Promise(() => undefined);',
        'spins/index.mjs': 'for (;;);',
        'empty/index.mjs': '',
        'settings/index.mjs': 'export {};',
        'settings/group.json': '{"timeout": 5}',
        'limits/index.mjs': 'export {};',
        'limits/group.json': '{"max_workers": 0}',
        'fine/index.mjs':
          'export const f = { description: "F.", execute: () => 1 }; export const g = { name: "f", description: "G.", execute: () => 2 };',
        '_hidden/index.mjs': '',
        '.git/index.mjs': '',
        'nothing/readme.md': '',
        'node_modules/x/index.js': '',
        'loose.mjs': '',
      },
      { maxProcesses: 16 },
    );
    const groups = [
      'empty',
      'exits',
      'fine',
      'limits',
      'nothing',
      'settings',
      'spins',
      'syntax',
      'throws',
      'waits',
    ];
    expect(world.sources.map(({ name }) => name.group)).toEqual(groups);
    const states = await Promise.all(groups.map((group) => world.describe(group)));
    expect(states.map(({ problems }) => problems.map(({ message }) => message))).toEqual([
      [],
      ['it ended while it was loaded (exit code 3): last words'],
      [],
      ['group.json: "max_workers" has to be a whole number from 1 to 64'],
      ['it has none of __init__.py, index.mts, index.mjs, index.ts and index.js, with which a group begins'],
      [expect.stringContaining('group.json: "timeout" is not known; known are env, timeout_seconds')],
      ['it did not load within 10 s'],
      [expect.stringContaining('SyntaxError')],
      ['TypeError: not today'],
      ['it did not load within 10 s'],
    ]);
    expect(states.flatMap(({ tools }) => tools.map(({ name }) => name))).toEqual(['f', 'f']);
    expect(await world.run('fine', 'f')).toMatchObject({ text: '1' });
  });

  it('gives way to Python in the same folder, which is told', async () => {
    world = openToolWorld({ 'both/__init__.py': '', 'both/index.mjs': '' });
    expect(world.sources.map(({ name }) => name)).toEqual([{ kind: 'python', group: 'both' }]);
    expect((await world.describe('both')).problems[0]?.message).toBe(
      'index.mjs is not used: __init__.py stands beside it',
    );
  });

  it('reads and writes where it may, when it is bound', async () => {
    world = openToolWorld({
      'bound/index.mts': `
import { readFileSync, writeFileSync } from 'node:fs';
import { execSync } from 'node:child_process';
import { defineTool } from 'mochi-server/tools';
const tool = (execute: () => unknown) => defineTool({ description: 'B.', execute });
export const read = tool(() => readFileSync('mine/a.txt', 'utf8'));
export const write = tool(() => writeFileSync('mine/b.txt', 'b'));
export const stray = tool(() => readFileSync('secret.txt', 'utf8'));
export const run = tool(() => execSync('echo hi'));
`,
      'bound/group.json': '{"permissions": {"read": ["mine"]}}',
    });
    mkdirSync(join(world.workingFolder, 'mine'));
    writeFileSync(join(world.workingFolder, 'mine', 'a.txt'), 'readable');
    writeFileSync(join(world.workingFolder, 'secret.txt'), 'secret');
    expect((await world.describe('bound')).problems).toEqual([]);
    expect(await world.run('bound', 'read')).toMatchObject({ state: 'succeeded', text: 'readable' });
    for (const tool of ['write', 'stray', 'run']) {
      expect(await world.run('bound', tool)).toMatchObject({
        state: 'failed',
        text: expect.stringMatching(/restricted|permission/i),
      });
    }
  });

  it('sees of the environment what is named, and never the keys of the server', async () => {
    world = openToolWorld(
      {
        'env/index.mjs':
          'export const env = { description: "E.", execute: () => Object.keys(process.env).sort() };',
        'env/group.json': '{"env": ["OWN", "MOCHI_API_KEYS"]}',
      },
      {
        environment: {
          PATH: process.env['PATH'],
          LC_ALL: 'C',
          OWN: '1',
          NAMED: '2',
          OTHER: '3',
          MOCHI_API_KEYS: 'k',
        },
        environmentNames: ['NAMED'],
      },
    );
    await world.describe('env');
    expect(await world.run('env', 'env')).toMatchObject({ text: '["LC_ALL","NAMED","OWN","PATH"]' });
  });
});

it('a tools folder that is not there has no groups; one that cannot be read is a problem', async () => {
  world = openToolWorld({ file: 'no folder' });
  expect(world.discoverIn(join(world.folder, 'nowhere'))).toEqual([]);
  const [broken, ...others] = world.discoverIn(join(world.folder, 'file'));
  expect(others).toEqual([]);
  expect(await broken?.describe()).toEqual({
    tools: [],
    problems: [{ source: 'native:file', message: expect.stringContaining('ENOTDIR') }],
  });
});
