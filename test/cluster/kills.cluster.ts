// Three servers of one database under load, of which one is killed again and again: what was acknowledged is there,
// every turn has one end, and no session is stuck.
import { randomInt } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { tokens } from '../fake-ollama/chat-script.ts';
import { everyMs, script } from '../fake-ollama/script-modifiers.ts';
import { goOn } from './talking.ts';
import { type Cluster, type ClusterServer, openCluster } from './world.ts';

const KILLS = Number(process.env['MOCHI_CLUSTER_KILLS'] ?? 8);
const SESSIONS = 12;
const FINAL = ['completed', 'interrupted', 'cancelled', 'failed'];

let cluster: Cluster;
beforeAll(async () => {
  cluster = await openCluster();
  cluster.ollama.setDefault(() => script(tokens(randomInt(3, 40)), everyMs(randomInt(1, 20))));
});
afterAll(() => cluster.close());

interface Acknowledged {
  readonly sessionId: string;
  readonly turnId: string;
  readonly message: string;
}

/** Sends one message after the other to whichever server, and notes those of which it was told that they are kept. */
async function talk(
  sessionId: string,
  servers: ClusterServer[],
  isOver: () => boolean,
): Promise<Acknowledged[]> {
  const acknowledged: Acknowledged[] = [];
  for (let count = 0; !isOver(); count += 1) {
    const message = `${sessionId} ${count}`;
    const server = servers[randomInt(servers.length)];
    try {
      const body = { message, on_busy: 'queue', on_disconnect: 'continue' };
      const stream = await server?.stream(`/chat/${sessionId}/stream`, body);
      if (stream?.status !== 200) throw new Error(`refused with ${stream?.status}`);
      for await (const { event, data } of stream.events) {
        if (event === 'turn_start') acknowledged.push({ sessionId, turnId: data.turn_id, message });
        if (event === 'turn_start' && randomInt(3) === 0) break;
      }
    } catch {
      // The server was killed, or is not ready: whatever was not acknowledged is nobody's loss.
      await setTimeout(20);
    }
  }
  return acknowledged;
}

it(
  `after ${KILLS} kills of servers everything that was acknowledged is there, each turn has an end, and all sessions go on`,
  async () => {
    const servers = await Promise.all([cluster.start(), cluster.start(), cluster.start()]);
    const [first] = servers;
    const sessionIds = await Promise.all(
      Array.from({ length: SESSIONS }, () => first?.createSession() ?? ''),
    );
    let isOver = false;
    const talks = sessionIds.map((sessionId) => talk(sessionId, servers, () => isOver));
    for (let kill = 0; kill < KILLS; kill += 1) {
      await setTimeout(randomInt(100, 1500));
      const index = randomInt(servers.length);
      await servers[index]?.kill('SIGKILL');
      servers[index] = await cluster.start();
    }
    isOver = true;
    const acknowledged = (await Promise.all(talks)).flat();
    expect(acknowledged.length).toBeGreaterThan(KILLS);
    const [server] = servers;
    if (server === undefined) throw new Error('There are three.');
    for (const { turnId } of acknowledged) {
      await expect
        .poll(async () => FINAL.includes((await server.get(`/turns/${turnId}`)).body.state), {
          timeout: 60_000,
        })
        .toBe(true);
    }
    for (const sessionId of sessionIds) {
      const contents = (await server.messages(sessionId)).map(({ content }) => content);
      const sent = acknowledged.filter((one) => one.sessionId === sessionId).map(({ message }) => message);
      // Each once.
      expect(contents.filter((content) => sent.includes(content))).toHaveLength(sent.length);
      expect(contents).toEqual(expect.arrayContaining(sent));
      const { body } = await server.get(`/sessions/${sessionId}/turns?limit=100`);
      expect(
        body.turns.filter(({ finished_at: end }: { finished_at: string | null }) => end === null),
      ).toEqual([]);
      await goOn(() => server, sessionId);
    }
  },
  // A server starts slowly on a machine that does much else.
  120_000 + KILLS * 20_000,
);
