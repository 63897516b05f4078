// A server of the protocol of 2026 alone.
import { afterEach, describe, expect, it } from 'vitest';
import { type McpWorld, openMcpWorld, own } from '../support/mcp-world.ts';

let world: McpWorld;
afterEach(() => world.close());

describe('a server of 2026', { timeout: 60_000 }, () => {
  it.each(['auto', '2026'])('is found with protocol %s', async (protocol) => {
    world = await openMcpWorld(() => ({ new: { ...own('modern.mjs'), protocol } }));
    expect(world.servers.list()).toMatchObject([{ state: 'ready', era: '2026-07-28', error: null }]);
    const go = world.tools.registry().tools.get('mcp__new__go');
    expect(go?.parameters).toMatchObject({
      properties: { at: { type: 'object', properties: { x: { type: 'integer' } } } },
    });
    expect(await world.run('mcp__new__go', { at: { x: 3 } })).toMatchObject({
      state: 'succeeded',
      text: 'went to 3',
    });
  });

  it('is told which run of a call this is, the same key over all of them', async () => {
    world = await openMcpWorld(() => ({ new: { ...own('modern.mjs'), protocol: '2026' } }));
    const context = { executionId: 'exec_000000000002', attempt: 2, idempotencyKey: 'key' };
    const { text } = await world.run('mcp__new__told', {}, context);
    expect(JSON.parse(text)).toMatchObject({
      'mochi-server/execution-id': 'exec_000000000002',
      'mochi-server/attempt': 2,
      'mochi-server/idempotency-key': 'key',
    });
  });

  it('that asks a person fails the call at once, in words', async () => {
    world = await openMcpWorld(() => ({ new: { ...own('modern.mjs'), protocol: '2026' } }));
    expect(await world.run('mcp__new__ask')).toMatchObject({
      state: 'failed',
      text: expect.stringContaining('asks a person for input'),
    });
  });

  it('is not spoken to in the older protocol', async () => {
    world = await openMcpWorld(() => ({ new: { ...own('modern.mjs'), protocol: '2025' } }));
    expect(world.servers.list()).toMatchObject([{ state: 'failed', error: expect.any(String) }]);
  });
});
