// Folders of tools through the API of a real server: found, described, run, read anew.
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { HAS_PYTHON } from '../support/tool-groups.ts';

const ORIGINAL = fileURLToPath(new URL('../fixtures/original-tools', import.meta.url));

describe('folders in the data directory', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'mochi-tool-folders-'));
  let server: TestServer;
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(dataDir, 'tools', path)), { recursive: true });
    writeFileSync(join(dataDir, 'tools', path), text);
  };

  beforeAll(async () => {
    cpSync(ORIGINAL, join(dataDir, 'tools'), { recursive: true });
    write(
      'zoo/index.mts',
      `import { defineTool } from 'mochi-server/tools';
      const inputSchema = { type: 'object', properties: { name: { type: 'string' }, ms: { type: 'integer', minimum: 0 } }, required: ['name'] };
      export const feed = defineTool<{ name: string; ms?: number }>({ description: 'Feeds.', inputSchema, execute: ({ name }) => ({ fed: name }) });
      export const nap = defineTool<{ ms: number }>({ description: 'Naps.', inputSchema, async execute({ ms }) { const end = Date.now() + ms; while (Date.now() < end); } });
      export const leave = defineTool({ description: 'Leaves.', execute: () => process.exit(9) });`,
    );
    write('broken/index.mts', 'export const = 1;');
    write('empty/index.txt', '');
    const many = 'Array.from({ length: 10000 }, (_, n) => [`f${n}`, { description: "F.", execute() {} }])';
    write('many/index.mjs', `export default Object.fromEntries(${many});`);
    const twice = '{ name: "twice", description: "T.", execute: () => ORDER }';
    write(
      'twice/index.mjs',
      ['a', 'b']
        .map((name, index) => `export const ${name} = ${twice.replace('ORDER', String(index))};`)
        .join('\n'),
    );
    write('names/index.mjs', 'export const größe = { description: "G.", execute() {} };');
    server = await startTestServer({ dataDir });
  });
  afterAll(async () => {
    await server.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  it('are listed, the broken one as a problem of a reload', async () => {
    const { tools } = (await server.get('/tools')).body;
    const native = ['feed', 'leave', 'nap', 'twice'];
    const python = ['add_numbers', 'delete_path', 'divide', 'list_directory', 'read_file', 'statistics_of'];
    expect(Object.keys(tools)).toEqual(expect.arrayContaining(HAS_PYTHON ? [...native, ...python] : native));
    expect(tools.feed).toMatchObject({
      name: 'feed',
      description: 'Feeds.',
      source: { kind: 'native', group: 'zoo' },
      available: true,
    });
    const reloaded = (await server.post('/tools/reload')).body;
    expect(reloaded).toMatchObject({ success: true, tools_count: Object.keys(tools).length });
    expect(reloaded.problems).toEqual(
      [
        ['native:broken', 'SyntaxError'],
        ['native:empty', 'it has none of __init__.py, index.mts'],
        ['native:many', 'It has 10000 tools'],
        ['native:names', 'größe'],
        ['native:twice', 'native:twice has one of that name already'],
        ...(HAS_PYTHON
          ? []
          : ['filesystem_tools', 'math_tools', 'utilities'].map((group) => [`python:${group}`, ''])),
      ].map(([source, message]) => ({ source, message: expect.stringContaining(message ?? '') })),
    );
    expect((await server.post('/tools/twice/run')).body).toMatchObject({ success: true, result: '0' });
  });

  it.skipIf(!HAS_PYTHON)('run what the original ran', async () => {
    const run = async (name: string, args: object) =>
      (await server.post(`/tools/${name}/run`, { arguments: args })).body;
    expect(await run('add_numbers', { a: '2', b: 40 })).toMatchObject({ success: true, result: '42' });
    expect(await run('write_file', { path: 'a.txt', lines: '["one"]' })).toMatchObject({
      success: true,
      result: 'Wrote 1 lines',
    });
    expect(await run('read_file', { path: 'a.txt' })).toMatchObject({ success: true, result: 'one' });
    expect(await run('divide', { a: 1, b: 0 })).toMatchObject({
      success: false,
      error: expect.stringContaining('ZeroDivisionError'),
    });
  });

  it('hold up nobody, and end nothing but themselves', async () => {
    const napping = server.post('/tools/nap/run', { arguments: { name: 'x', ms: 1500 } });
    let answers = 0;
    const nap = { isOver: false };
    void napping.then(() => {
      nap.isOver = true;
    });
    while (!nap.isOver) {
      expect((await server.get('/tools/feed')).status).toBe(200);
      answers += 1;
    }
    expect(answers).toBeGreaterThan(3);
    expect((await napping).body).toMatchObject({ success: true });
    expect((await server.post('/tools/leave/run')).body).toMatchObject({
      success: false,
      error: expect.stringContaining('exit code 9'),
    });
    expect((await server.post('/tools/feed/run', { arguments: { name: 'cat' } })).body).toMatchObject({
      success: true,
      result: '{"fed":"cat"}',
    });
  });

  it('are read anew when they have changed', async () => {
    write('zoo/index.mts', 'export const pet = { description: "Pets.", execute: () => "purr" };');
    const { body } = await server.post('/tools/reload');
    expect(body).toMatchObject({ success: true });
    expect((await server.get('/tools/feed')).status).toBe(404);
    expect((await server.post('/tools/pet/run')).body).toMatchObject({ success: true, result: 'purr' });
  });
});
