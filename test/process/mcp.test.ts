// The whole command with MCP servers: what stops its start, what is left when it is killed, what doctor says.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { own } from '../support/mcp-world.ts';
import { runCommand, spawnServer } from '../support/spawned-server.ts';
import { isAlive, until } from '../support/tool-groups.ts';

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'mochi-mcp-process-'));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));
const write = (text: string) => writeFileSync(join(dataDir, 'mcp.json'), text);
const ollamaHost = 'http://127.0.0.1:1';

describe('mcp.json', { timeout: 90_000 }, () => {
  it.each(['SIGKILL', 'SIGTERM'] as const)(
    '%s: nothing is left of a server that ignores its end',
    async (signal) => {
      write(JSON.stringify({ mcpServers: { wrapped: own('faulty.mjs', 'wrapper', dataDir) } }));
      const server = await spawnServer({ dataDir, ollamaHost });
      const { body } = await server.post('/tools/mcp__wrapped__work/run');
      expect(body).toMatchObject({ success: true, result: 'worked' });
      const pids: number[] = JSON.parse(readFileSync(join(dataDir, 'pids'), 'utf8'));
      expect(pids.map(isAlive)).toEqual([true, true]);
      await server.kill(signal);
      await until(() => !pids.some(isAlive));
    },
  );

  it('that cannot be read stops the start: exit 2, all problems with their lines, and no database', async () => {
    write('{ "mcpServers": {\n  "a": { "command": 7 },\n  "b": { "args": [] }\n} }');
    const file = join(dataDir, 'mcp.json');
    const end = await runCommand(['--port', '0', '--data-dir', dataDir]);
    expect(end).toMatchObject({ status: 2, stdout: '' });
    expect(end.stderr.trimEnd().split('\n')).toEqual([
      `mochi-server: ${file}: line 2: server "a": "command" must be a text that is not empty.`,
      `mochi-server: ${file}: line 3: server "b": it needs "command" or "url".`,
    ]);
    expect(existsSync(join(dataDir, 'mochi.db'))).toBe(false);
    const doctor = await runCommand(['doctor', '--data-dir', dataDir, '--ollama-host', ollamaHost]);
    expect(doctor.stdout).toContain(`BAD MCP servers: ${file}: line 2: server "a"`);
  });

  it('doctor names the servers that have failed', async () => {
    const servers = {
      good: own('faulty.mjs', 'ok', dataDir),
      gone: { command: 'no-such-program-here' },
      unset: { command: 'x', env: { KEY: '${MOCHI_TEST_NOT_SET}' } },
    };
    write(JSON.stringify({ mcpServers: servers }));
    const { stdout } = await runCommand(['doctor', '--data-dir', dataDir, '--ollama-host', ollamaHost]);
    expect(stdout).toContain('ok  Tools: 10 in 1 group');
    expect(stdout).toMatch(/BAD Tools: mcp:gone: .*ENOENT/);
    expect(stdout).toContain('BAD Tools: mcp:unset: the variable MOCHI_TEST_NOT_SET is not set');
    const [pid = 0] = readFileSync(join(dataDir, 'starts'), 'utf8').trim().split('\n').map(Number);
    expect(isAlive(pid)).toBe(false);
  });
});
