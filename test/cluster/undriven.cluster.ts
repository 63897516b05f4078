// A turn that is a server's, and that this one does not know of: it was stored, and the answer of the database was lost.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { expectError } from '../api/wire-formats.ts';
import { text } from '../fake-ollama/chat-script.ts';
import { type PostgresProxy, startLosingProxy } from '../support/postgres-proxy.ts';
import { type Cluster, type ClusterServer, contentsOf, openCluster, untilState } from './world.ts';

let cluster: Cluster;
let proxy: PostgresProxy;
let cutOff: ClusterServer;
let other: ClusterServer;
let isToBeLost = false;
/** Nothing here is about its end, which a machine with too much to do would bring about. */
const LONG_LEASE = { LEASE: JSON.stringify({ beatMs: 300, leaseMs: 30_000, stopMs: 20_000 }) };
beforeAll(async () => {
  cluster = await openCluster();
  proxy = await startLosingProxy(cluster.url, (sent) => {
    if (!isToBeLost || !sent.includes('insert into "turns"')) return 'passes';
    isToBeLost = false;
    return 'before it is answered';
  });
  cutOff = await cluster.start({ MOCHI_DATABASE_URL: proxy.url, ...LONG_LEASE });
  other = await cluster.start(LONG_LEASE);
}, 60_000);
afterAll(async () => {
  await cluster.close();
  await proxy.close();
});

it('is answered by it all the same, before what comes later at another server; who repeats it joins it', async () => {
  const sessionId = await cutOff.createSession();
  cluster.ollama.reply(text('Warm.'));
  await cutOff.chat(sessionId, { message: 'Hello' });
  cluster.ollama.reply(text('One.'));
  cluster.ollama.reply(text('Two.'));
  const headers = { 'idempotency-key': 'once' };
  isToBeLost = true;
  const lost = await cutOff.post(`/chat/${sessionId}`, { message: 'First' }, headers);
  expect(expectError(lost, 503, 'database_busy')).toMatchObject({ reason: 'outcome_unknown' });
  const second = await other.post(`/chat/${sessionId}`, { message: 'Second', on_busy: 'queue' });
  expect([second.status, second.body.message.content]).toEqual([200, 'Two.']);
  const repeated = await other.post(`/chat/${sessionId}`, { message: 'First' }, headers);
  expect([repeated.status, repeated.body.message.content]).toEqual([200, 'One.']);
  await untilState(other, repeated.body.turn_id, 'completed');
  expect((await contentsOf(other, sessionId)).slice(2)).toEqual([
    'user First complete',
    'assistant One. complete',
    'user Second complete',
    'assistant Two. complete',
  ]);
});
