// Servers that misbehave: each fails by itself, and what was sent to one that is lost is never sent again.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type McpWorld, openMcpWorld, own } from '../support/mcp-world.ts';
import { isAlive, until } from '../support/tool-groups.ts';

let world: McpWorld;
afterEach(() => world.close());

const open = (fault: string, more: object = {}, environment: Record<string, string> = {}) =>
  openMcpWorld((folder) => ({ bad: { ...own('faulty.mjs', fault, folder), ...more } }), environment);
const lines = (file: string) =>
  existsSync(join(world.folder, file))
    ? readFileSync(join(world.folder, file), 'utf8').trim().split('\n')
    : [];
const info = () => world.servers.list()[0];

describe('a server', { timeout: 60_000 }, () => {
  it('that exits at once is started five times more, then it has failed; no secret is shown', async () => {
    world = await open('exit', { env: { SECRET: '${MY_KEY}' } }, { MY_KEY: 'sesame-1234' });
    await until(() => info()?.state === 'failed');
    expect(lines('starts')).toHaveLength(6);
    expect(info()).toMatchObject({ restarts: 5, tools: [], stderr_tail: 'no key ***\n' });
    expect(info()?.error).toContain('exit code 3');
    expect(world.tools.registry().problems).toEqual([
      { source: 'mcp:bad', message: expect.stringContaining('exit code 3') },
    ]);
    // A restart by hand begins anew.
    await world.servers.restart('bad');
    await until(() => info()?.state === 'failed');
    expect(lines('starts')).toHaveLength(12);
  });

  it('that writes no messages fails', async () => {
    world = await open('rubbish');
    await until(() => info()?.state === 'failed');
    expect(info()?.error).toContain('no MCP messages');
  });

  it('that says nothing fails when its time is up, and nothing of it is left', async () => {
    world = await open('silent', { startupTimeoutSeconds: 1 });
    expect(info()).toMatchObject({ state: 'failed', error: 'it was not ready within 1 s' });
    await until(() => !lines('starts').map(Number).some(isAlive));
  });

  it('whose program is not there fails at once', async () => {
    world = await openMcpWorld(() => ({ none: { command: 'no-such-program-here' } }));
    expect(info()).toMatchObject({ state: 'failed', restarts: 0, error: expect.stringContaining('ENOENT') });
  });

  it('that floods stderr works, and costs little memory', async () => {
    world = await open('flood');
    const before = process.memoryUsage().rss;
    for (let call = 0; call < 20; call += 1) {
      expect(await world.run('mcp__bad__work')).toMatchObject({ state: 'succeeded', text: 'worked' });
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 * 1024);
    expect(info()?.stderr_tail.length).toBeLessThanOrEqual(8192);
  });

  it('that sends 20 MB in a line is ended and started again; the call is not sent again', async () => {
    world = await open('ok');
    expect(await world.run('mcp__bad__long')).toMatchObject({
      state: 'unknown',
      text: expect.stringContaining('may have taken effect'),
    });
    expect(info()?.error).toContain('more than 10 MB');
    expect(await world.run('mcp__bad__work')).toMatchObject({ state: 'succeeded' });
    expect(lines('effects')).toEqual(['long', 'work']);
    expect(lines('starts')).toHaveLength(2);
  });

  it('that dies during a call leaves it unknown, and is there for the next', async () => {
    world = await open('ok');
    expect(await world.run('mcp__bad__die')).toMatchObject({ state: 'unknown' });
    expect(await world.run('mcp__bad__work')).toMatchObject({ state: 'succeeded' });
    expect(lines('effects')).toEqual(['die', 'died', 'work']);
    expect(info()).toMatchObject({ state: 'ready', restarts: 1 });
  });

  it('that hangs while it rests is started again before the next call, which runs once', async () => {
    world = await openMcpWorld((folder) => ({ bad: own('faulty.mjs', 'ok', folder) }), {}, { restMs: 0 });
    expect(await world.run('mcp__bad__work')).toMatchObject({ state: 'succeeded' });
    process.kill(Number(lines('starts')[0]), 'SIGSTOP');
    expect(await world.run('mcp__bad__work')).toMatchObject({ state: 'succeeded' });
    expect(lines('starts')).toHaveLength(2);
    expect(lines('effects')).toEqual(['work', 'work']);
  });

  it('is told of a call that is cancelled, and of one that takes too long', async () => {
    world = await open('ok', { timeoutSeconds: 0.5 });
    expect(await world.run('mcp__bad__sleep')).toMatchObject({
      state: 'unknown',
      text: 'The tool did not end within 0.5 s and was stopped; it may have taken effect',
    });
    await until(() => lines('effects').includes('cancelled'));
    await world.close();
    world = await open('ok');
    const abort = new AbortController();
    const run = world.run('mcp__bad__sleep', {}, { signal: abort.signal });
    await until(() => lines('effects').includes('sleep'));
    abort.abort();
    expect(await run).toMatchObject({
      state: 'unknown',
      text: 'The call was cancelled while the tool ran; it may have taken effect',
    });
    await until(() => lines('effects').includes('cancelled'));
  });

  it('is believed about its tools only when it is trusted', async () => {
    world = await open('ok', { timeoutSeconds: 0.3 });
    expect(world.tools.registry().tools.get('mcp__bad__look')?.readOnly).toBe(false);
    world.write({ bad: { ...own('faulty.mjs', 'ok', world.folder), trusted: true, timeoutSeconds: 0.3 } });
    await world.tools.reload();
    expect(world.tools.registry().tools.get('mcp__bad__look')?.readOnly).toBe(true);
    expect(world.tools.registry().tools.get('mcp__bad__work')?.readOnly).toBe(false);
    expect((await world.run('mcp__bad__look')).state).toBe('failed');
  });

  it('that changes its tools has other ones, with another fingerprint', async () => {
    world = await open('ok');
    const work = () => world.tools.registry().tools.get('mcp__bad__work');
    const before = work()?.fingerprint;
    expect(work()?.description).toBe('Works, version 1.');
    await world.run('mcp__bad__change');
    await until(() => work()?.description === 'Works, version 2.');
    expect(work()?.fingerprint).not.toBe(before);
  });

  it('has names that models can call; of two that become one the first counts', async () => {
    world = await open('ok', { timeoutSeconds: 0.3, enabledTools: ['*', 'nothing'], disabledTools: ['die'] });
    const names = [...world.tools.registry().tools.keys()];
    expect(names).toContain('mcp__bad__a_b');
    expect(names).not.toContain('mcp__bad__die');
    const long = names.find((name) => name.includes('nnn'));
    expect(long).toMatch(/^mcp__bad__n{45}_[0-9a-f]{8}$/);
    expect((await world.run(long ?? '')).state).toBe('unknown');
    expect(world.tools.registry().problems.map(({ message }) => message)).toEqual([
      'two of its tools would be called mcp__bad__a_b; the first counts',
      '"enabledTools" names "nothing", which is none of its tools',
    ]);
  });

  it('answers in text; what is for the user alone is kept from the model', async () => {
    world = await open('ok');
    expect((await world.run('mcp__bad__blocks')).text.split('\n\n')).toEqual([
      'for all',
      '[audio, audio/wav, 3 bytes]',
      'inside',
      '[file:///b, x/y, 3 bytes]',
      '[see](file:///c)',
    ]);
    // What it has done is not undone by a result of another form than it promised.
    expect(await world.run('mcp__bad__odd')).toMatchObject({ state: 'succeeded', text: '{"n":"none"}' });
  });

  it('that did not change is kept over a reload; one that is no longer named is ended', async () => {
    world = await open('ok');
    await world.tools.reload();
    expect(lines('starts')).toHaveLength(1);
    world.write({});
    await world.tools.reload();
    expect(world.tools.registry().tools.size).toBe(0);
    await until(() => !lines('starts').map(Number).some(isAlive));
  });
});
