// Servers of npm's, over stdio: of the protocol of 2025.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ToolProgress } from '../../src/tools/tool.ts';
import { type McpWorld, openMcpWorld, packaged } from '../support/mcp-world.ts';

describe('servers over stdio', { timeout: 60_000 }, () => {
  let world: McpWorld;
  beforeAll(async () => {
    world = await openMcpWorld(
      (folder) => ({
        every: { ...packaged('server-everything'), env: { GREETING: '${WORD}' } },
        files: packaged('server-filesystem', folder),
        memory: { ...packaged('server-memory'), env: { MEMORY_FILE_PATH: join(folder, 'memory.json') } },
      }),
      { WORD: 'open-sesame', MOCHI_API_KEYS: 'key-of-mochi', OTHER_SECRET: 'not-for-servers' },
    );
  }, 60_000);
  afterAll(() => world.close());

  it('are ready, with their tools', () => {
    const servers = world.servers.list();
    expect(servers.map(({ name, state, restarts }) => [name, state, restarts])).toEqual([
      ['every', 'ready', 0],
      ['files', 'ready', 0],
      ['memory', 'ready', 0],
    ]);
    expect(servers.map(({ tools }) => tools.length)).toEqual([expect.any(Number), expect.any(Number), 9]);
    for (const { tools } of servers) expect(tools.length).toBeGreaterThanOrEqual(9);
    expect(servers[0]).toMatchObject({ transport: 'stdio', era: '2025-11-25', error: null });
    expect(servers[0]?.target).toMatch(/^node/);
    expect(servers[0]?.instructions).toContain('Everything');
    expect(world.tools.registry().problems).toEqual([]);
    expect(world.tools.registry().tools.get('mcp__every__echo')?.parameters).toMatchObject({
      type: 'object',
      required: ['message'],
    });
  });

  it('answer with text, images, structures and links', async () => {
    expect(await world.run('mcp__every__echo', { message: 'hello' })).toEqual({
      state: 'succeeded',
      text: 'Echo: hello',
      truncated: false,
      images: [],
      log: null,
    });
    const image = await world.run('mcp__every__get-tiny-image');
    expect(image.images).toHaveLength(1);
    expect(image.images[0]).toMatch(/^iVBOR/);
    expect(image.text).toMatch(/\[image, image\/png, \d+ bytes\]/);
    expect(image.text).not.toContain('iVBOR');
    const weather = await world.run('mcp__every__get-structured-content', { location: 'New York' });
    expect(JSON.parse(weather.text)).toHaveProperty('temperature');
    expect((await world.run('mcp__every__get-resource-links', { count: 2 })).text).toMatch(
      /\[.+\]\(.+:\/\/.+\)/,
    );
  });

  it('see the variables that they were given, and none of ours', async () => {
    const { text } = await world.run('mcp__every__get-env');
    const seen: Record<string, string> = JSON.parse(text);
    expect(seen['GREETING']).toBe('open-sesame');
    expect(seen['PATH']).toBe(process.env['PATH']);
    expect(text).not.toContain('key-of-mochi');
    expect(text).not.toContain('not-for-servers');
  });

  it('tell how far they are', async () => {
    const steps: ToolProgress[] = [];
    const outcome = await world.run(
      'mcp__every__trigger-long-running-operation',
      { duration: 1, steps: 4 },
      { onProgress: (step) => steps.push(step) },
    );
    expect(outcome.state).toBe('succeeded');
    expect(steps.length).toBeGreaterThan(0);
    expect(steps.every(({ total }) => total === 4)).toBe(true);
  });

  it('that ask a person are told no at once', async () => {
    const names = [...world.tools.registry().tools.keys()];
    expect(names).toContain('mcp__every__trigger-elicitation-request');
    const { text } = await world.run('mcp__every__trigger-elicitation-request');
    expect(text).toMatch(/declin/i);
  });

  it('fail in their own words', async () => {
    const outcome = await world.run('mcp__files__read_text_file', { path: '/etc/hostname' });
    expect(outcome).toMatchObject({ state: 'failed', text: expect.stringContaining('outside allowed') });
  });

  it('do their work', async () => {
    writeFileSync(join(world.folder, 'note.txt'), 'from a file');
    const path = join(world.folder, 'note.txt');
    expect((await world.run('mcp__files__read_text_file', { path })).text).toBe('from a file');
    const entities = [{ name: 'Ada', entityType: 'person', observations: ['counts'] }];
    await world.run('mcp__memory__create_entities', { entities });
    expect((await world.run('mcp__memory__read_graph')).text).toContain('Ada');
  });
});
