// The whole command with tools that run: what is left of them when it is killed, or told to stop.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { spawnServer } from '../support/spawned-server.ts';
import { isAlive, until } from '../support/tool-groups.ts';

const TOOL = `
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
export const hold = { description: 'Holds.', execute: () => {
  const child = spawn('sh', ['-c', 'trap "" TERM HUP INT; sleep 300; sleep 300'], { stdio: 'ignore' });
  writeFileSync('pids', JSON.stringify([process.pid, child.pid]));
  for (;;);
} };`;

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'mochi-tool-kill-'));
  mkdirSync(join(dataDir, 'tools', 'holds'), { recursive: true });
  writeFileSync(join(dataDir, 'tools', 'holds', 'index.mjs'), TOOL);
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

describe.each(['SIGKILL', 'SIGTERM'] as const)('%s', (signal) => {
  // Processes start slowly on a machine that does much else.
  it('leaves no process of a tool', { timeout: 90_000 }, async () => {
    const server = await spawnServer({ dataDir, ollamaHost: 'http://127.0.0.1:1' });
    const run = server.post('/tools/hold/run').catch(() => null);
    const file = join(dataDir, 'pids');
    await until(() => existsSync(file) && readFileSync(file, 'utf8').endsWith(']'));
    const pids: number[] = JSON.parse(readFileSync(file, 'utf8'));
    expect(pids.map(isAlive)).toEqual([true, true]);
    const end = await server.kill(signal);
    expect(end.signal).toBe(signal === 'SIGKILL' ? 'SIGKILL' : null);
    await until(() => !pids.some(isAlive));
    await run;
  });
});
