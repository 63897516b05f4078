// Three servers of one database under load, each stopped in turn and started again, twice round: as an update does it.
import { randomInt } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { tokens } from '../fake-ollama/chat-script.ts';
import { everyMs, script } from '../fake-ollama/script-modifiers.ts';
import { anyOf, expectWhole, look, read, type Talked, talk } from './talking.ts';
import { type Cluster, type ClusterServer, openCluster } from './world.ts';

const SESSIONS = 10;

let cluster: Cluster;
beforeAll(async () => {
  cluster = await openCluster();
  cluster.ollama.setDefault(() => script(tokens(randomInt(3, 40)), everyMs(randomInt(1, 20))));
}, 60_000);
afterAll(() => cluster.close());

interface Rolled {
  readonly talks: readonly Talked[];
  readonly readsRefused: readonly string[];
  readonly servers: readonly ClusterServer[];
}

interface Rolling {
  readonly env: Readonly<Record<string, string>>;
  readonly rounds: number;
  /** Who is asked next, of all that run or stop. */
  readonly wayTo: (servers: readonly ClusterServer[]) => () => ClusterServer;
}

async function roll({ env, rounds, wayTo }: Rolling): Promise<Rolled> {
  const servers = await Promise.all([cluster.start(env), cluster.start(env), cluster.start(env)]);
  const pick = wayTo(servers);
  const ids = await Promise.all(Array.from({ length: SESSIONS }, () => anyOf(servers).createSession()));
  let isOver = false;
  const over = () => isOver;
  const looking = look(cluster.url, over);
  const talking = ids.map((id) => talk(id, pick, over));
  const reading = Promise.all(ids.slice(0, 3).map((id) => read(id, pick, over)));
  for (let round = 0; round < rounds; round += 1) {
    for (const index of servers.keys()) {
      await setTimeout(500);
      expect(await servers[index]?.kill('SIGTERM')).toMatchObject({ status: 0, signal: null });
      servers[index] = await cluster.start(env);
    }
  }
  await setTimeout(300);
  isOver = true;
  const talks = await Promise.all(talking);
  const { looks, faults } = await looking;
  expect(faults).toEqual([]);
  expect(looks).toBeGreaterThan(100);
  return { talks, readsRefused: (await reading).flat(), servers };
}

const refusals = ({ talks, readsRefused }: Rolled) =>
  new Set([...talks.flatMap(({ refused }) => refused), ...readsRefused]);
const countEnds = (talks: readonly Talked[], state: string) =>
  talks.flatMap(({ said }) => said).filter((one) => one.state === state).length;

it('nothing that was acknowledged is lost, each turn has one end, and whoever was refused can repeat it at once', async () => {
  const rolled = await roll({ env: {}, rounds: 2, wayTo: (servers) => () => anyOf(servers) });
  const { talks, servers } = rolled;
  // Or the connection was closed.
  for (const refusal of refusals(rolled)) expect(refusal).toBe('503 retry-after 2');
  expect(countEnds(talks, 'completed')).toBeGreaterThan(SESSIONS * 2);
  await expectWhole(anyOf(servers), talks);
  await Promise.all(servers.map((server) => server.kill('SIGTERM')));
}, 120_000);

/** As a load balancer does: whoever said at the last look that it is ready. */
function balance(servers: readonly ClusterServer[]): () => ClusterServer {
  const ready = new Set<ClusterServer>(servers);
  const look = async (server: ClusterServer) => {
    const isReady = await server.get('/readyz').then(
      ({ status }) => status === 200,
      () => false,
    );
    if (isReady) ready.add(server);
    else ready.delete(server);
  };
  setInterval(() => {
    for (const server of new Set([...servers, ...ready])) void look(server);
  }, 100).unref();
  return () => anyOf([...ready]);
}

it('a load balancer that looks at /readyz sends nothing to a server that is about to close: nobody is refused or cut off', async () => {
  const env = { MOCHI_DRAIN_SECONDS: '1', MOCHI_SHUTDOWN_GRACE_SECONDS: '20' };
  const rolled = await roll({ env, rounds: 1, wayTo: balance });
  const { talks, servers } = rolled;
  expect([...refusals(rolled)]).toEqual([]);
  expect(talks.map(({ cut }) => cut)).toEqual(talks.map(() => 0));
  expect(countEnds(talks, 'completed')).toBe(talks.flatMap(({ said }) => said).length);
  await expectWhole(anyOf(servers), talks);
  await Promise.all(servers.map((server) => server.kill('SIGTERM')));
}, 120_000);
