// MCP servers through the API of a real server.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { text, toolCall } from '../fake-ollama/chat-script.ts';
import { own, packaged } from '../support/mcp-world.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

describe('MCP servers', { timeout: 60_000 }, () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'mochi-mcp-api-'));
  let server: TestServer;
  const write = (text: string) => writeFileSync(join(dataDir, 'mcp.json'), text);
  const servers = {
    every: packaged('server-everything'),
    bad: { ...own('faulty.mjs', 'ok', dataDir), env: { KEY: 'a-secret-value' }, extra: 1 },
    off: { command: 'x', disabled: true },
  };
  beforeAll(async () => {
    write(JSON.stringify({ mcpServers: servers }));
    server = await startTestServer({ dataDir, ollama: { programs: {} } });
  }, 60_000);
  afterAll(async () => {
    await server.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  it('have their tools among all others', async () => {
    const { tools } = (await server.get('/tools')).body;
    expect(tools['mcp__every__echo']).toMatchObject({
      source: { kind: 'mcp', group: 'every' },
      read_only: false,
      available: true,
    });
    const ran = await server.post('/tools/mcp__every__get-sum/run', { arguments: { a: '2', b: 40 } });
    expect(ran.body).toMatchObject({ success: true, result: expect.stringContaining('42') });
    const misfit = await server.post('/tools/mcp__every__get-sum/run', { arguments: {} });
    expect(misfit).toMatchObject({ status: 422, body: { detail: { error: { code: 'validation_error' } } } });
  });

  it('are called by models', async () => {
    const sessionId = await server.createSession({
      tool_settings: { tools: ['mcp__every'], execution_policy: 'never_confirm' },
    });
    server.ollama.reply(toolCall('mcp__every__echo', { message: 'from a model' }), text('It said so.'));
    const answer = await server.post(`/chat/${sessionId}`, { message: 'Echo.' });
    expect(answer).toMatchObject({ status: 200, body: { message: { content: 'It said so.' } } });
    const asked = server.ollama.requestsTo('/api/chat').map(({ body }: any) => body);
    expect(asked[0].tools.map((tool: any) => tool.function.name)).toContain('mcp__every__echo');
    expect(asked.at(-1).messages.at(-1)).toMatchObject({
      role: 'tool',
      tool_name: 'mcp__every__echo',
      content: 'Echo: from a model',
    });
  });

  it('are listed with how they are, and without what is secret', async () => {
    await server.get('/tools');
    const { status, body } = await server.get('/mcp/servers');
    expect(status).toBe(200);
    expect(body.servers).toMatchObject([
      { name: 'every', transport: 'stdio', state: 'ready', error: null, restarts: 0 },
      { name: 'bad', state: 'ready', version: 'faulty 1', instructions: 'Be careful.' },
      { name: 'off', state: 'disabled', tools: [], target: 'x' },
    ]);
    expect(JSON.stringify(body)).not.toContain('a-secret-value');
    expect(JSON.stringify(body)).not.toContain(dataDir);
  });

  it('can be started anew by name', async () => {
    const { status, body } = await server.post('/mcp/servers/bad/restart');
    expect(status).toBe(200);
    expect(body).toMatchObject({ name: 'bad', state: 'ready', restarts: 1 });
    const unknown = await server.post('/mcp/servers/nobody/restart');
    expect(unknown).toMatchObject({
      status: 404,
      body: { detail: { error: { code: 'mcp_server_not_found' } } },
    });
  });

  it('stay as they were when the file breaks; keys that mean nothing are told', async () => {
    write('{ "mcpServers": { "every": \n [] } }');
    const broken = (await server.post('/tools/reload')).body;
    expect(broken.success).toBe(false);
    expect(broken.problems).toEqual([
      { source: 'mcp.json', message: expect.stringMatching(/line 1: server "every": it must be an object/) },
    ]);
    expect(
      (await server.post('/tools/mcp__every__echo/run', { arguments: { message: 'x' } })).body,
    ).toMatchObject({
      success: true,
    });
    write(JSON.stringify({ mcpServers: servers }));
    const mended = (await server.post('/tools/reload')).body;
    expect(mended.success).toBe(true);
    expect(mended.problems).toContainEqual({ source: 'mcp:bad', message: '"extra" means nothing here' });
    write('{}');
    expect((await server.post('/tools/reload')).body).toMatchObject({ success: true, tools_count: 0 });
    expect((await server.get('/mcp/servers')).body).toEqual({ servers: [] });
  });
});
