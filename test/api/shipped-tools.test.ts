// Tools that come with the server: off until they are named, then tools like any other.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { text, toolCall } from '../fake-ollama/chat-script.ts';
import { ScriptedSource, succeeded } from '../support/scripted-source.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

const NAMES = [
  'calculator',
  'current_time',
  'fetch_url',
  'list_folder',
  'read_text_file',
  'read_tool_output',
  'write_text_file',
];

const LONG = Array.from({ length: 4000 }, (_, index) => `line ${index} 𝕏`).join('\n');

describe('tools that come with the server', () => {
  let server: TestServer;
  beforeAll(async () => {
    const long = { name: 'long', run: async () => succeeded(LONG) };
    server = await startTestServer({
      ollama: { programs: {} },
      toolSources: [new ScriptedSource('test', { tools: [long] })],
    });
  });
  afterAll(() => server.close());

  const lastRead = () => (server.ollama.requestsTo('/api/chat').at(-1)?.body as any)?.messages.at(-1).content;

  it('are off until they are named', async () => {
    expect(Object.keys((await server.get('/tools')).body.tools)).toEqual(['long']);
    await server.restart({ builtinTools: NAMES, filesDir: null });
    expect(Object.keys((await server.get('/tools')).body.tools)).toEqual([
      'calculator',
      'current_time',
      'fetch_url',
      'long',
      'read_tool_output',
    ]);
    const { problems } = (await server.post('/tools/reload')).body;
    expect(problems).toEqual(
      ['list_folder', 'read_text_file', 'write_text_file'].map((name) => ({
        source: `builtin:${name}`,
        message: expect.stringContaining('set MOCHI_FILES_DIR'),
      })),
    );
    mkdirSync(join(server.dataDir, 'files'));
    await server.restart({ filesDir: join(server.dataDir, 'files') });
    const { tools } = (await server.get('/tools')).body;
    expect(Object.keys(tools)).toEqual([...NAMES, 'long'].toSorted());
    expect(NAMES.filter((name) => !tools[name].read_only)).toEqual(['write_text_file']);
    expect(tools.calculator).toMatchObject({ source: { kind: 'builtin', group: 'calculator' } });
  });

  it('run by hand', async () => {
    const run = async (name: string, args: object) =>
      (await server.post(`/tools/${name}/run`, { arguments: args })).body;
    expect(await run('calculator', { expression: '6*7' })).toMatchObject({ success: true, result: '42' });
    expect(await run('calculator', { expression: '6*' })).toMatchObject({
      success: false,
      error: expect.stringContaining('should have a number'),
    });
    const shown =
      /^(Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, \d+ \w+ \d{4}, \d\d:\d\d:\d\d \(Asia\/Kolkata\); ISO 8601: (\S+)$/;
    const { result } = await run('current_time', { timezone: 'Asia/Kolkata' });
    const iso = shown.exec(result)?.[2] ?? '';
    expect(iso).toMatch(/\+05:30$/);
    expect(Math.abs(Date.parse(iso) - Date.now())).toBeLessThan(60_000);
    expect((await run('current_time', { timezone: 'UTC' })).result).toMatch(/\(UTC\); ISO 8601: .*\+00:00$/);
    expect((await run('current_time', {})).success).toBe(true);
    expect(await run('current_time', { timezone: 'Mars' })).toMatchObject({
      error: "There is no time zone 'Mars'. Name one as Europe/Berlin, America/New_York or UTC.",
    });
    expect(await run('fetch_url', { url: server.url })).toMatchObject({
      success: false,
      error: expect.stringContaining('is not on the public Internet'),
    });
    expect(await run('write_text_file', { path: '../escaped.txt', content: 'x' })).toMatchObject({
      success: false,
      error: expect.stringContaining('outside of the folder'),
    });
  });

  it('read on in what was too long for a model, of their own session alone', async () => {
    const tools = ['read_tool_output', 'long'];
    const id = await server.createSession({ tool_settings: { tools, execution_policy: 'never_confirm' } });
    const readAll = async (sessionId: string, executionId: string, limit: number) => {
      let all = '';
      for (let offset = 0, pieces = 0; ; pieces += 1) {
        expect(pieces).toBeLessThan(20);
        const args = { execution_id: executionId, offset, limit };
        server.ollama.reply(toolCall('read_tool_output', args), text('Well.'));
        await server.chat(sessionId, { message: 'Read on.' });
        const read = lastRead();
        const next = /\n\[characters \d+ to \d+ of \d+; read on with offset (\d+)\]$/.exec(read);
        all += read.slice(0, next?.index);
        if (next === null) return all;
        offset = Number(next[1]);
      }
    };
    server.ollama.reply(toolCall('long', {}), text('Long.'));
    await server.chat(id, { message: 'Be long.' });
    const [, executionId = ''] = /left out here \((exec_\w+)\)/.exec(lastRead()) ?? [];
    expect(await readAll(id, executionId, 15_001)).toBe(LONG);
    const other = await server.createSession({ tool_settings: { tools, execution_policy: 'never_confirm' } });
    for (const [session, name] of [
      [other, executionId],
      [id, 'exec_000000000000'],
    ] as const) {
      expect(await readAll(session, name, 10)).toContain(`Error: This session has no execution '${name}'`);
    }
    expect(await readAll(id, executionId.slice(1), 10)).toContain('Error: ');
    const { body } = await server.post('/tools/read_tool_output/run', {
      arguments: { execution_id: executionId },
    });
    expect(body).toMatchObject({ success: false });
  });

  it('are offered and called like any other, and ask where they change something', async () => {
    const tools = ['calculator', 'write_text_file'];
    const policies = { calculator: 'never_confirm' };
    const id = await server.createSession({ tool_settings: { tools, tool_policies: policies } });
    server.ollama.reply(toolCall('calculator', { expression: '2^10' }), text('1024.'));
    const { body } = await server.post(`/chat/${id}`, { message: 'What is 2^10?' });
    expect(body.tool_calls_executed).toEqual([
      { name: 'calculator', arguments: { expression: '2^10' }, success: true },
    ]);
    const asked = server.ollama.requestsTo('/api/chat').map(({ body: sent }) => sent as any);
    expect(asked.at(-1).messages.at(-1)).toMatchObject({ role: 'tool', content: '1024' });
    expect(asked.at(-2).tools.map((tool: any) => tool.function.name)).toEqual(tools);
  });
});
