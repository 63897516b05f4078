// Tools that misbehave: each harms its own call and nothing else.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { HAS_PYTHON, isAlive, openToolWorld, type ToolWorld, until } from '../support/tool-groups.ts';

let world: ToolWorld;
afterEach(() => world.close());

const NATIVE = `
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
const tool = (execute, more = {}) => ({ description: 'T.', execute, ...more });
export const fine = tool(() => process.pid);
export const spin = tool(() => { for (;;); }, { timeoutSeconds: 0.3 });
export const look = tool(() => { for (;;); }, { timeoutSeconds: 0.3, readOnly: true });
export const wait = tool((_, { signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))), { timeoutSeconds: 0.3 });
export const late = tool((_, { signal }) => new Promise((resolve) => signal.addEventListener('abort', () => resolve('done after all'))), { timeoutSeconds: 0.3 });
export const leave = tool(() => process.exit(3));
export const die = tool(() => process.kill(process.pid, 'SIGSEGV'));
export const crash = tool(() => new Promise(() => { setTimeout(() => { throw new Error('out of nowhere'); }); }));
export const flood = tool(async () => {
  for (let n = 0; n < 800; n += 1) await new Promise((done) => process.stdout.write('x'.repeat(65536), done));
  await new Promise((done) => process.stderr.write('the end é', done));
});
export const large = tool(({ unit = 'é' }) => 'head' + unit.repeat(3_000_000) + 'tail');
export const buffers = tool(async () => { const all = []; for (;;) { all.push(Buffer.alloc(16 << 20, 1)); await new Promise((go) => setTimeout(go, 5)); } });
export const heap = tool(() => { const all = []; for (;;) all.push(Array(1000).fill(all.length)); });
export const orphan = tool(() => {
  const child = spawn('sh', ['-c', 'trap "" TERM HUP; sleep 300 & wait; sleep 300'], { stdio: 'inherit' });
  child.unref();
  return [process.pid, child.pid];
});
export const steps = tool((_, { progress }) => { for (let n = 0; n < 100_000; n += 1) progress({ progress: n, total: 5 }); });
`;

async function open(options: Parameters<typeof openToolWorld>[1] = {}, settings = '{}'): Promise<ToolWorld> {
  world = openToolWorld({ 'n/index.mjs': NATIVE, 'n/group.json': settings }, options);
  await world.describe('n');
  return world;
}

const UNKNOWN = /; it may have taken effect$/;

describe('a tool that', () => {
  it('takes too long is stopped, and the next call has a new process', async () => {
    await open();
    const { text: pid } = await world.run('n', 'fine');
    const outcome = await world.run('n', 'spin');
    expect(outcome).toMatchObject({
      state: 'unknown',
      text: 'The tool did not end within 0.3 s and was stopped; it may have taken effect',
    });
    expect(isAlive(Number(pid))).toBe(false);
    // What changes nothing has had no effect.
    expect(await world.run('n', 'look')).toMatchObject({
      state: 'failed',
      text: 'The tool did not end within 0.3 s and was stopped',
    });
    expect(await world.run('n', 'fine')).toMatchObject({ state: 'succeeded' });
  });

  it('listens to its signal keeps its process; what it still says counts', async () => {
    await open();
    const { text: pid } = await world.run('n', 'fine');
    expect(await world.run('n', 'wait')).toMatchObject({
      state: 'unknown',
      text: expect.stringMatching(UNKNOWN),
    });
    expect(await world.run('n', 'late')).toMatchObject({ state: 'succeeded', text: 'done after all' });
    expect((await world.run('n', 'fine')).text).toBe(pid);
  });

  it('is cancelled while it runs, or before', async () => {
    await open();
    const abort = new AbortController();
    const running = world.run('n', 'crash', {}, { signal: AbortSignal.abort() });
    expect(await running).toMatchObject({
      state: 'failed',
      text: 'The call was cancelled before the tool began',
    });
    const spinning = world.run('n', 'spin', {}, { signal: abort.signal });
    abort.abort();
    expect(['failed', 'unknown']).toContain((await spinning).state);
    expect(await world.run('n', 'fine')).toMatchObject({ state: 'succeeded' });
  });

  it('ends its process is lost, and nobody knows what it has done', async () => {
    await open();
    const lost = await Promise.all(['leave', 'die', 'crash'].map((tool) => world.run('n', tool)));
    expect(lost.map(({ state, text }) => [state, text])).toEqual([
      ['unknown', 'The process of the tool ended while it ran (exit code 3); it may have taken effect'],
      ['unknown', 'The process of the tool ended while it ran (signal SIGSEGV); it may have taken effect'],
      ['unknown', 'The process of the tool ended while it ran (exit code 1); it may have taken effect'],
    ]);
    expect(lost[2]?.log).toContain('out of nowhere');
  });

  it('floods its output keeps the end of it as log, and a result that is too large its head and tail', async () => {
    await open({ maxOutputBytes: 1000 });
    const { state, log } = await world.run('n', 'flood');
    expect(state).toBe('succeeded');
    expect(Buffer.byteLength(log ?? '')).toBeLessThanOrEqual(64 * 1024);
    expect(log).toMatch(/^x{65000,}.*the end é$/);
    const large = await world.run('n', 'large');
    expect(large).toMatchObject({ state: 'succeeded', truncated: true });
    expect(large.text).toMatch(/^headé{348}\n\[… 5999008 bytes were left out …\]\né{148}tail$/);
  });

  it('eats memory is stopped at its limit: buffers as well as the heap', async () => {
    await open({}, '{"memory_mb": 160}');
    const outcomes = [await world.run('n', 'buffers'), await world.run('n', 'heap')];
    for (const { state, text } of outcomes) {
      expect([state, text]).toEqual([
        'unknown',
        'The process of the tool ended while it ran (it used more than 160 MB of memory); it may have taken effect',
      ]);
    }
    expect(await world.run('n', 'fine')).toMatchObject({ state: 'succeeded' });
  });

  it('leaves a child behind: that lives until its worker ends, and no longer', async () => {
    await open({ spareIdleMs: 0, lastIdleMs: 300 });
    const pids: number[] = JSON.parse((await world.run('n', 'orphan')).text);
    expect(pids.map(isAlive)).toEqual([true, true]);
    await until(() => !pids.some(isAlive));
  });

  it('tells of its progress without end is heard ten times a second', async () => {
    await open();
    const steps: unknown[] = [];
    await world.run('n', 'steps', {}, { onProgress: (step) => steps.push(step) });
    expect(steps[0]).toEqual({ message: null, progress: 0, total: 5 });
    expect(steps.length).toBeLessThan(50);
  });
});

describe('calls at once', () => {
  const SLOW = `
let calls = 0;
export const slow = { description: 'S.', execute: async ({ ms = 200 }) => {
  calls += 1;
  const mine = calls;
  await new Promise((done) => setTimeout(done, ms));
  return [process.pid, mine, calls];
} };`;
  const call = async (group: string, ms?: number) => {
    const { state, text } = await world.run(group, 'slow', { ms });
    expect([state, text]).toEqual(['succeeded', text]);
    return JSON.parse(text) as [number, number, number];
  };

  it('have a process each, up to the most of their group; one process runs one at a time', async () => {
    world = openToolWorld({ 's/index.mjs': SLOW, 's/group.json': '{"max_workers": 2}' });
    await world.describe('s');
    const done = await Promise.all([call('s'), call('s'), call('s'), call('s'), call('s')]);
    expect(new Set(done.map(([pid]) => pid)).size).toBe(2);
    for (const [, mine, calls] of done) expect(calls).toBe(mine);
  });

  it('of all groups share the processes: what rests makes room', async () => {
    const groups = ['a', 'b', 'c', 'd', 'e'];
    world = openToolWorld(Object.fromEntries(groups.map((name) => [`${name}/index.mjs`, SLOW])), {
      maxProcesses: 2,
    });
    const states = await Promise.all(groups.map((name) => world.describe(name)));
    expect(states.map(({ tools, problems }) => [tools.length, problems.length])).toEqual(
      groups.map(() => [1, 0]),
    );
    const pids = (await Promise.all(groups.map((name) => call(name)))).map(([pid]) => pid);
    expect(new Set(pids).size).toBe(5);
    await until(() => pids.filter(isAlive).length <= 2);
  });

  it('end with their source only when they are done; those after it do not begin', async () => {
    world = openToolWorld({ 's/index.mjs': SLOW });
    await world.describe('s');
    const running = call('s', 500);
    await new Promise((resolve) => setTimeout(resolve, 50));
    const closed = world.source('s').close();
    expect(await world.run('s', 'slow')).toMatchObject({
      state: 'failed',
      text: 'The tool slow could not be started: its group is no longer loaded',
    });
    const [pid] = await running;
    await closed;
    expect(isAlive(pid)).toBe(false);
  });

  it('end all with the pool', async () => {
    world = openToolWorld({ 's/index.mjs': SLOW });
    await world.describe('s');
    const running = world.run('s', 'slow', { ms: 60_000 });
    await new Promise((resolve) => setTimeout(resolve, 300));
    await world.close();
    expect(await running).toMatchObject({ text: expect.stringContaining('the server stopped') });
  });
});

describe.skipIf(!HAS_PYTHON)('a Python tool that', () => {
  it('spins, dies, floods, eats memory or leaves a child harms its own call only', async () => {
    world = openToolWorld(
      {
        'p/__init__.py': `
import os, subprocess, sys, time
def fine():
    """Fine."""
    return os.getpid()
def spin():
    """Spins, and will not hear."""
    while True:
        try:
            while True:
                pass
        except KeyboardInterrupt:
            pass
def die():
    """Dies."""
    print("before", flush=True)
    os._exit(7)
def flood():
    """Floods."""
    for _ in range(2000):
        sys.stdout.write("x" * 9999 + "\\n")
    sys.stderr.write("the end")
def large():
    """Large."""
    return "head" + "é" * 3000000 + "tail"
def eat():
    """Eats."""
    all = []
    while True:
        all.append(bytearray(b"x") * (16 << 20))
        time.sleep(0.005)
def orphan():
    """Leaves a child."""
    child = subprocess.Popen(["sh", "-c", "trap '' TERM HUP; sleep 300; sleep 300"])
    open("child", "w").write(str(child.pid))
    os._exit(1)
`,
        'p/group.json': '{"timeout_seconds": 3, "memory_mb": 128}',
      },
      { maxOutputBytes: 1000 },
    );
    await world.describe('p');
    expect(await world.run('p', 'spin')).toMatchObject({
      state: 'unknown',
      text: expect.stringContaining('3 s'),
    });
    expect(await world.run('p', 'die')).toMatchObject({
      state: 'unknown',
      text: expect.stringContaining('exit code 7'),
      log: 'before\n',
    });
    const flood = await world.run('p', 'flood');
    expect(flood).toMatchObject({ state: 'succeeded', log: expect.stringMatching(/x\n/) });
    expect(flood.log).toContain('the end');
    expect((await world.run('p', 'large')).text).toMatch(
      /^headé{348}\n\[… 5999008 bytes were left out …\]\né{148}tail$/,
    );
    expect(await world.run('p', 'eat')).toMatchObject({ text: expect.stringContaining('more than 128 MB') });
    expect(await world.run('p', 'orphan')).toMatchObject({ state: 'unknown' });
    const child = Number(readFileSync(join(world.workingFolder, 'child'), 'utf8'));
    await until(() => !isAlive(child));
    expect(await world.run('p', 'fine')).toMatchObject({ state: 'succeeded' });
  }, 60_000);
});
