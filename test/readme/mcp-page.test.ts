// What docs/tools.md says of MCP servers, as it stands there.
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { packaged } from '../support/mcp-world.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

const page = await readFile(new URL('../../docs/tools.md', import.meta.url), 'utf8');

let dataDir: string;
let server: TestServer;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'mochi-mcp-page-'));
  await mkdir(join(dataDir, 'notes'));
  await writeFile(join(dataDir, 'notes', 'tea.md'), 'Green, 70 °C.');
  const [, text = ''] = /## MCP servers[\s\S]*?^```json\n([\s\S]*?)^```$/m.exec(page) ?? [];
  const config = JSON.parse(text);
  const { notes } = config.mcpServers;
  const [yes, name, ...args] = notes.args;
  expect([notes.command, yes]).toEqual(['npx', '-y']);
  // What npx would fetch is installed with the tests.
  Object.assign(notes, packaged(name.replace('@modelcontextprotocol/', ''), ...args));
  await writeFile(join(dataDir, 'mcp.json'), JSON.stringify(config));
  server = await startTestServer({ dataDir });
});
afterAll(async () => {
  await server.close();
  await rm(dataDir, { recursive: true });
});

it('the example gives a session the tools of a server, and only those', async () => {
  const names = Object.keys((await server.get('/tools')).body.tools);
  expect(names).toContain('mcp__notes__read_text_file');
  for (const name of names) expect(name).toMatch(/^mcp__notes__(read|list)_/);
  const { body } = await server.post('/tools/mcp__notes__read_text_file/run', {
    arguments: { path: join(dataDir, 'notes', 'tea.md') },
  });
  expect(body).toMatchObject({ success: true, result: 'Green, 70 °C.' });
  const states = (await server.get('/mcp/servers')).body.servers.map(({ name, state }: any) => [name, state]);
  expect(states).toEqual([
    ['notes', 'ready'],
    ['tickets', 'disabled'],
  ]);
});
