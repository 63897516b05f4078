// The database of three servers goes and comes back while turns stream on each and are watched through the others.
import { randomInt } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { text, tokens } from '../fake-ollama/chat-script.ts';
import { everyMs, gateAfter, script } from '../fake-ollama/script-modifiers.ts';
import { type OwnPostgres, startOwnPostgres } from '../support/postgres.ts';
import { readEvents, type StreamedEvent } from '../support/read-events.ts';
import { anyOf, ask, expectWhole, goOn, look, talk } from './talking.ts';
import { type Cluster, type ClusterServer, openCluster, openTurn } from './world.ts';

let postgres: OwnPostgres;
let cluster: Cluster;
beforeAll(async () => {
  const own = await startOwnPostgres();
  if (own === null) throw new Error('There is no PostgreSQL on this machine.');
  postgres = own;
  cluster = await openCluster(postgres.url);
}, 60_000);
afterAll(async () => {
  await cluster.close();
  await postgres.stop();
});

/** As it is for users: 30 s. */
const USUAL_LEASE = { LEASE: 'null' };

/** From wherever it was, at whichever server, until the turn has ended: who is cut off comes back. */
async function watch(servers: readonly ClusterServer[], turnId: string): Promise<StreamedEvent | null> {
  for (;;) {
    try {
      const response = await fetch(`${anyOf(servers).url}/api/v1/turns/${turnId}/stream`);
      for await (const told of readEvents(response)) if (told.event === 'done') return told;
    } catch {
      // Cut off, or refused.
    }
    await setTimeout(100);
  }
}

async function restart(awayMs: number): Promise<void> {
  await postgres.crash();
  await setTimeout(awayMs);
  await postgres.start();
}

it.each([
  ['is restarted as after a crash', 0],
  ['is away for ten seconds', 10_000],
])(
  'a database that %s: each turn is completed by its own server, and nothing is lost',
  async (_name, awayMs) => {
    const servers = await Promise.all([1, 2, 3].map(() => cluster.start(USUAL_LEASE)));
    const { promise: late, resolve: goAhead } = Promise.withResolvers<void>();
    const held = [];
    for (const server of servers) {
      const sessionId = await server.createSession();
      cluster.ollama.reply(script(text('Before', ' and', ' after'), gateAfter(1, late)));
      held.push({ sessionId, turnId: await openTurn(server, sessionId, 'Held') });
    }
    const watched = Promise.all(held.map(({ turnId }) => watch(servers, turnId)));
    cluster.ollama.setDefault(() => script(tokens(randomInt(3, 40)), everyMs(randomInt(1, 20))));
    const ids = await Promise.all(Array.from({ length: 6 }, () => anyOf(servers).createSession()));
    let isOver = false;
    const looking = look(cluster.url, () => isOver);
    const talking = ids.map((id) =>
      talk(
        id,
        () => anyOf(servers),
        () => isOver,
      ),
    );
    await setTimeout(500);
    const back = restart(awayMs);
    await setTimeout(awayMs / 2);
    // The answers come while there is no database, or in the middle of its start.
    goAhead();
    await back;
    await setTimeout(1000);
    isOver = true;
    const talks = await Promise.all(talking);
    for (const end of await watched) expect(end).toMatchObject({ data: { state: 'completed' } });
    expect((await looking).faults).toEqual([]);
    for (const { sessionId } of held) {
      const messages = await anyOf(servers).messages(sessionId);
      expect(messages.map(({ content, status }) => `${content} ${status}`)).toEqual([
        'Held complete',
        'Before and after complete',
      ]);
    }
    const ends = new Set(talks.flatMap(({ said }) => said.map(({ state }) => state)));
    expect([...ends]).toEqual(['completed']);
    // Refused, and told to come back; or cut off.
    for (const refusal of talks.flatMap(({ refused }) => refused)) expect(refusal).toBe('503 retry-after 2');
    expect(await ask(cluster.url, 'select id from turns where epoch > 0')).toEqual([]);
    await expectWhole(anyOf(servers), talks);
    await Promise.all(servers.map((server) => server.kill('SIGTERM')));
  },
  90_000,
);

it('a database that is away for longer than the leases: each turn has an end soon after it is back', async () => {
  const servers = await Promise.all([1, 2, 3].map(() => cluster.start()));
  const { promise: never, resolve: goAhead } = Promise.withResolvers<void>();
  const held = [];
  for (const server of servers) {
    const sessionId = await server.createSession();
    cluster.ollama.reply(script(text('Half', ' more'), gateAfter(1, never)));
    held.push({ sessionId, turnId: await openTurn(server, sessionId, 'Held') });
  }
  await restart(6000);
  goAhead();
  for (const { turnId } of held) {
    // A crash takes back what was stored last: then nothing of it was seen, and it is answered anew.
    const stateOf = async () => (await anyOf(servers).get(`/turns/${turnId}`)).body.state;
    await expect.poll(stateOf, { timeout: 20_000 }).toMatch(/^(interrupted|completed)$/);
  }
  for (const { sessionId } of held) {
    cluster.ollama.reply(text('Whole.'));
    expect(await goOn(() => anyOf(servers), sessionId)).toBe('Whole.');
  }
  await Promise.all(servers.map((server) => server.kill('SIGTERM')));
}, 60_000);
