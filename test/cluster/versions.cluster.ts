// Servers of several versions on one database: an older one takes nothing new once the database is for newer ones, and
// asks none that speaks what it does not know.
import { createServer, type RequestListener, type Server } from 'node:http';
import { hostname } from 'node:os';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { PROTOCOL } from '../../src/cluster/peer.ts';
import { openPostgres, type PostgresStore } from '../../src/store/dialect/postgres/open.ts';
import { enterInstance } from '../../src/store/instances.ts';
import { raiseMinVersion } from '../../src/store/min-version.ts';
import { insertSession } from '../../src/store/sessions.ts';
import { finishTurn, insertTurn } from '../../src/store/turns.ts';
import { expectError } from '../api/wire-formats.ts';
import { text } from '../fake-ollama/chat-script.ts';
import { gateAfter, script } from '../fake-ollama/script-modifiers.ts';
import { newSession, TIME } from '../support/open-test-store.ts';
import { runCommand } from '../support/spawned-server.ts';
import { type Cluster, contentsOf, openCluster, openTurn, untilState } from './world.ts';

const HOUR = 3_600_000;

let cluster: Cluster;
let store: PostgresStore;
beforeAll(async () => {
  cluster = await openCluster();
  store = await openPostgres({ url: cluster.url, pool: 5 });
}, 60_000);
afterAll(async () => {
  await store.close();
  await cluster.close();
});
afterEach(async () => {
  await sql`delete from meta where key = 'min_version'`.execute(store.db);
  await sql`delete from instances where id like 'newer%'`.execute(store.db);
});

/** A server of a later version, as the others see it. */
const enterNewer = (id: string, url: string | null, protocol: number) =>
  enterInstance(store.db, { id, host: hostname(), url, version: '99.1.0', protocol }, HOUR);

it('a database that is for newer versions refuses an older one at its start, in one line', async () => {
  await raiseMinVersion(store.db, '99.1.0');
  await raiseMinVersion(store.db, '2.0.0');
  const end = await runCommand(['--port', '0'], {
    env: { MOCHI_DATABASE_URL: cluster.url, MOCHI_OLLAMA_HOST: cluster.ollama.url },
  });
  expect(end).toMatchObject({ status: 2, stdout: '' });
  expect(end.stderr).toMatch(/^mochi-server: .+needs 99\.1\.0 or newer: this is \d+\.\d+\.\d+\. .+\n$/);
});

it('one that runs takes nothing new from then on, ends what it has, and hands over what waits', async () => {
  const one = await cluster.start();
  const sessionId = await one.createSession();
  const { promise, resolve: goOn } = Promise.withResolvers<void>();
  cluster.ollama.reply(script(text('Half', ' more'), gateAfter(1, promise)));
  const first = await openTurn(one, sessionId, 'First');
  const second = await openTurn(one, sessionId, 'Second', 'queued');
  expect((await one.get('/readyz')).status).toBe(200);

  await enterNewer('newer', null, PROTOCOL);
  await raiseMinVersion(store.db, '99.1.0');
  await expect.poll(async () => (await one.get('/readyz')).status).toBe(503);
  const why = { reason: 'outdated', min_version: '99.1.0' };
  expect(expectError(await one.get('/readyz'), 503, 'not_accepting')).toEqual(why);
  const refused = await one.post(`/chat/${sessionId}`, { message: 'Third' });
  expect(expectError(refused, 503, 'not_accepting')).toEqual(why);
  expect(refused.headers.get('retry-after')).toBe('2');
  expect((await one.get('/livez')).status).toBe(200);
  const ownerOf = async (turnId: string) =>
    (await store.db.selectFrom('turns').select('owner').where('id', '=', turnId).executeTakeFirst())?.owner;
  await expect.poll(() => ownerOf(second)).toBeNull();
  expect(await ownerOf(first)).not.toBeNull();
  goOn();
  await untilState(one, first, 'completed');
  expect(await ownerOf(second)).toBeNull();

  // As one that is new enough.
  await sql`delete from meta where key = 'min_version'`.execute(store.db);
  cluster.ollama.reply(text('Two.'));
  const next = await cluster.start();
  await untilState(next, second, 'completed');
  expect(await contentsOf(next, sessionId)).toEqual([
    'user First complete',
    'assistant Half more complete',
    'user Second complete',
    'assistant Two. complete',
  ]);
  await one.kill('SIGTERM');
  await next.kill('SIGTERM');
});

/** Where a server is asked by others. */
async function openPeer(answer: RequestListener): Promise<{ readonly url: string; readonly server: Server }> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  return { url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`, server };
}

it.each([
  ['is not asked where it speaks a newer protocol', PROTOCOL + 1, 0],
  ['that wants another protocol answers 426', PROTOCOL, 1],
])('one %s: its turns are told from their rows', async (_name, protocol, asked) => {
  const one = await cluster.start();
  let requests = 0;
  const { url, server } = await openPeer((_request, response) => {
    requests += 1;
    response.writeHead(426).end();
  });
  const [owner, turnId, sessionId] = [`newer_${protocol}`, `turn_${protocol}`, `session_${protocol}`];
  await enterNewer(owner, url, protocol);
  await insertSession(store.db, newSession(sessionId));
  await insertTurn(store.db, {
    id: turnId,
    sessionId,
    state: 'running',
    createdAt: TIME,
    request: null,
    userMessageId: null,
    idempotency: null,
    isStructured: false,
    owned: { owner, rank: 0, settings: {} },
  });
  const there = await one.get(`/turns/${turnId}/stream?follow=false`);
  expect([there.status, String(there.body)]).toEqual([200, expect.stringContaining('event: snapshot')]);
  const told = one.get(`/turns/${turnId}/stream`);
  const end = { state: 'completed', finishedAt: TIME, error: null, messageId: null, usage: null } as const;
  await finishTurn(store.db, turnId, { ...end, lastEventId: 9 });
  expect(String((await told).body)).toContain('event: done');
  expect(requests > 0 ? 1 : 0).toBe(asked);
  await one.kill('SIGTERM');
  server.close();
});
