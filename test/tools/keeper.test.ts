// What is left of a program with tools when it is killed: nothing.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { startKeeper } from '../../src/tools/groups/keeper.ts';
import { HAS_PYTHON, isAlive, until } from '../support/tool-groups.ts';

const program = fileURLToPath(new URL('../support/tool-server.ts', import.meta.url));
const STUBBORN = `trap "" TERM HUP INT; sleep 300 & echo $! > NAME.grandchild; wait; sleep 300`;
const FILES = {
  'n/index.mjs': `
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
process.on('SIGTERM', () => undefined);
process.on('exit', () => { for (;;); });
export const hold = { description: 'H.', execute: () => {
  const child = spawn('sh', ['-c', ${JSON.stringify(STUBBORN.replace('NAME', 'n'))}], { stdio: 'ignore' });
  writeFileSync('n.child', String(child.pid));
  writeFileSync('n.worker', String(process.pid));
  for (;;);
} };`,
  'p/__init__.py': `
import os, signal, subprocess, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
def hold():
    """H."""
    child = subprocess.Popen(["sh", "-c", ${JSON.stringify(STUBBORN.replace('NAME', 'p'))}])
    open("p.child", "w").write(str(child.pid))
    open("p.worker", "w").write(str(os.getpid()))
    while True:
        try:
            time.sleep(100)
        except BaseException:
            pass
`,
};
const GROUPS = HAS_PYTHON ? ['n', 'p'] : ['n'];

let folder = '';
let server: ChildProcess;
afterEach(() => {
  server.kill('SIGKILL');
  rmSync(dirname(folder), { recursive: true, force: true });
});

/** Every process that the program has started, and those that they have. */
async function startProgram(): Promise<readonly number[]> {
  server = spawn(
    process.execPath,
    [program, JSON.stringify(FILES), ...GROUPS.map((group) => `${group} hold`)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  folder = await new Promise((resolve) =>
    server.stdout?.once('data', (data) => resolve(String(data).trim())),
  );
  const names = GROUPS.flatMap((group) => ['worker', 'child', 'grandchild'].map((who) => `${group}.${who}`));
  const read = (name: string) => {
    const path = join(folder, name);
    return existsSync(path) ? Number(readFileSync(path, 'utf8')) : 0;
  };
  await until(() => names.every((name) => read(name) > 0));
  return names.map(read);
}

function childrenOf(parent: number | undefined): readonly number[] {
  return spawnSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
    .stdout.split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter(([, ppid]) => ppid === parent)
    .map(([pid = 0]) => pid);
}

/** Dead, or a zombie that nobody in this machine collects. */
function isGone(pid: number): boolean {
  if (!isAlive(pid)) return true;
  return spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).stdout.startsWith('Z');
}

describe('kill -9', () => {
  it('of a program whose tools run leaves no process of theirs', async () => {
    const started = await startProgram();
    const direct = childrenOf(server.pid);
    // One worker a group, and the keeper.
    expect(direct).toHaveLength(GROUPS.length + 1);
    const all = [...new Set([...started, ...direct])];
    expect(all.filter(isGone)).toEqual([]);
    server.kill('SIGKILL');
    await until(() => all.every(isGone));
  });

  it('of the keeper, too: another has taken over', async () => {
    const started = await startProgram();
    const keeper = childrenOf(server.pid).find((pid) => !started.includes(pid)) ?? 0;
    await new Promise((resolve) => setTimeout(resolve, 1100));
    process.kill(keeper, 'SIGKILL');
    await until(() => childrenOf(server.pid).some((pid) => pid !== keeper && !started.includes(pid)));
    server.kill('SIGKILL');
    await until(() => started.every(isGone));
  });
});

it('a keeper lets go of what has ended, and ends with what is left', async () => {
  const sleeper = () => spawn('sleep', ['300'], { detached: true, stdio: 'ignore' });
  const [kept, released] = [sleeper(), sleeper()];
  server = released;
  const keeper = startKeeper();
  keeper.watch(kept.pid ?? 0);
  keeper.watch(released.pid ?? 0);
  keeper.release(released.pid ?? 0);
  const ended = new Promise((resolve) => kept.once('exit', (_code, signal) => resolve(signal)));
  await keeper.close();
  expect(await ended).toBe('SIGKILL');
  expect(isAlive(released.pid ?? 0)).toBe(true);
});
