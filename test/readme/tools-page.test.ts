// The examples of docs/tools.md: written to where the page says, and run as it says.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { text, toolCall } from '../fake-ollama/chat-script.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { HAS_PYTHON } from '../support/tool-groups.ts';

const page = readFileSync(new URL('../../docs/tools.md', import.meta.url), 'utf8');
/** Each block that has the name of its file before it. */
const files = Array.from(
  page.matchAll(/^`(tools\/[^`]+)`.*:\n\n```\w+\n([^]*?)^```/gm),
  ([, path = '', text = '']) => ({
    path,
    text,
  }),
);

describe('docs/tools.md', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'mochi-tools-page-'));
  let server: TestServer;
  beforeAll(async () => {
    for (const { path, text } of files) {
      mkdirSync(dirname(join(dataDir, path)), { recursive: true });
      writeFileSync(join(dataDir, path), text);
    }
    mkdirSync(join(dataDir, 'files'));
    // With the settings that the page shows.
    const [, builtinTools = '', filesDir = ''] =
      /MOCHI_BUILTIN_TOOLS=(\S+) MOCHI_FILES_DIR=(\S+)/.exec(page) ?? [];
    server = await startTestServer({
      dataDir,
      config: { builtinTools: builtinTools.split(','), filesDir: join(dataDir, filesDir) },
    });
  });
  afterAll(async () => {
    await server.close();
    rmSync(dataDir, { recursive: true, force: true });
  });
  const run = async (name: string, args: unknown) =>
    (await server.post(`/tools/${name}/run`, { arguments: args })).body;

  it('shows files that load without a problem', async () => {
    expect(files.map(({ path }) => path)).toEqual([
      'tools/weather/__init__.py',
      'tools/shop/index.mts',
      'tools/shop/group.json',
    ]);
    const { problems } = (await server.post('/tools/reload')).body;
    expect(problems).toEqual(HAS_PYTHON ? [] : [expect.objectContaining({ source: 'python:weather' })]);
    expect((await server.get('/tools/price')).body).toMatchObject({ read_only: true });
  });

  it('shows tools of the server', async () => {
    const [, sums = ''] = /tools\/calculator\/run .* -d '([^']+)'/.exec(page) ?? [];
    const [, note = ''] = /tools\/write_text_file\/run .* -d '([^']+)'/.exec(page) ?? [];
    expect((await server.post('/tools/calculator/run', JSON.parse(sums))).body).toMatchObject({
      result: '307.2',
    });
    expect((await server.post('/tools/write_text_file/run', JSON.parse(note))).body).toMatchObject({
      success: true,
    });
    expect(await run('list_folder', { path: 'notes' })).toMatchObject({ result: 'today.txt (9 bytes)' });
    expect(await run('read_text_file', { path: 'notes/today.txt' })).toMatchObject({ result: 'Buy tea.\n' });
    for (const [, name = ''] of page.matchAll(/^\| `(\w+)` \| `\w+\??`(?:, `\w+\??`)* \| .*\|$/gm)) {
      expect((await server.get(`/tools/${name}`)).body.source).toEqual({ kind: 'builtin', group: name });
    }
  });

  it('shows a tool that the client runs', async () => {
    const bodies = Array.from(page.matchAll(/chat\/\$SESSION[^\n]* -d '([^']+)'/g), ([, json = '']) => json);
    const find = (key: string) => JSON.parse(bodies.find((body) => body.includes(`"${key}"`)) ?? '');
    const [asked, answered] = [find('tools'), find('tool_results')];
    const [{ tool_call_id: id }] = answered.tool_results;
    const session = await server.createSession();
    server.ollama.reply(toolCall('show_file', { path: 'notes/today.txt' }, { id }), text('There.'));
    const { body } = await server.chat(session, asked);
    const [, shown = ''] = /```json\n(\{ "finish_reason": "tool_calls",[^]*?)```/.exec(page) ?? [];
    expect(body.message).toMatchObject(JSON.parse(shown));
    expect((await server.chat(session, answered)).body.message.content).toBe('There.');
  });

  it('shows a tool in TypeScript', async () => {
    const [, json = ''] = /tools\/price\/run .* -d '([^']+)'/.exec(page) ?? [];
    const { body } = await server.post('/tools/price/run', JSON.parse(json));
    expect(body).toMatchObject({ success: true, result: '{"item":"tea","euros":3}' });
  });

  it.skipIf(!HAS_PYTHON)('shows a tool in Python', async () => {
    expect((await server.get('/tools/forecast')).body).toMatchObject({
      description: 'Tell the weather of a city.',
      parameters: { properties: { city: { type: 'string', description: 'Name of the city' } } },
    });
    expect(await run('forecast', { city: 'Rome' })).toMatchObject({ result: 'Rome: sunny for 1 days' });
  });
});
