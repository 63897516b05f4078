// A request that comes twice, with one key, to different servers at the same time.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { text } from '../fake-ollama/chat-script.ts';
import { type Cluster, type ClusterServer, openCluster } from './world.ts';

let cluster: Cluster;
let servers: readonly [ClusterServer, ClusterServer];
beforeAll(async () => {
  cluster = await openCluster();
  cluster.ollama.setDefault(text('Once.'));
  servers = await Promise.all([cluster.start(), cluster.start()]);
}, 60_000);
afterAll(() => cluster.close());

const ROUNDS = 8;

it('is one turn, whichever servers it comes to', async () => {
  const [one, other] = servers;
  for (let round = 0; round < ROUNDS; round += 1) {
    const sessionId = await one.createSession();
    const asked = { message: `Round ${round}`, on_disconnect: 'continue' };
    const headers = { 'idempotency-key': `key-${round}` };
    const calls = cluster.ollama.requests.length;
    await Promise.all(servers.map((server) => server.post(`/chat/${sessionId}`, asked, headers)));
    const { body } = await other.get(`/sessions/${sessionId}/turns`);
    expect(body.turns, `round ${round}`).toHaveLength(1);
    await expect
      .poll(async () => (await other.messages(sessionId)).map(({ role, status }) => `${role} ${status}`))
      .toEqual(['user complete', 'assistant complete']);
    expect(
      cluster.ollama.requests.slice(calls).filter(({ path }) => path === '/api/chat'),
      `round ${round}`,
    ).toHaveLength(1);
    const repeated = await other.post(`/chat/${sessionId}`, asked, headers);
    expect(repeated).toMatchObject({ status: 200, body: { turn_id: body.turns[0].turn_id } });
    const mismatch = await other.post(`/chat/${sessionId}`, { ...asked, message: 'Other' }, headers);
    expect(mismatch.body.detail.error.code).toBe('idempotency_mismatch');
  }
});
