// Whoever takes what another has left: one of many, and what an old owner writes afterwards does not count.
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openPostgres, type PostgresStore } from '../../src/store/dialect/postgres/open.ts';
import { enterInstance, renewLease, takeLeftTurns } from '../../src/store/instances.ts';
import { insertSession } from '../../src/store/sessions.ts';
import { changeTurn, TurnLost } from '../../src/store/tenure.ts';
import { findTurn, insertTurn, noteLastEvent } from '../../src/store/turns.ts';
import { newSession, TIME } from '../support/open-test-store.ts';
import { type Cluster, openCluster } from './world.ts';

let cluster: Cluster;
let store: PostgresStore;
beforeAll(async () => {
  cluster = await openCluster();
  store = await openPostgres({ url: cluster.url, pool: 20 });
});
afterAll(async () => {
  await store.close();
  await cluster.close();
});

const enter = (id: string, leaseMs: number) =>
  enterInstance(store.db, { id, host: 'here', url: null, version: '1', protocol: 1 }, leaseMs);

it('of fifty takers at once one has everything that was left, and its old owner writes nothing more', async () => {
  const { db } = store;
  await enter('gone', -1);
  const takers = Array.from({ length: 50 }, (_, index) => `taker${index}`);
  for (const taker of takers) await enter(taker, 60_000);
  for (const turnId of ['turn_a', 'turn_b']) {
    const sessionId = `of ${turnId}`;
    await insertSession(db, newSession(sessionId));
    await insertTurn(db, {
      id: turnId,
      sessionId,
      state: 'running',
      createdAt: TIME,
      request: null,
      userMessageId: null,
      idempotency: null,
      isStructured: false,
      owned: { owner: 'gone', rank: 0, settings: {} },
    });
  }
  const taken = await Promise.all(takers.map((taker) => takeLeftTurns(db, taker, {})));
  const winners = taken.filter((turns) => turns.length > 0);
  expect(winners).toHaveLength(1);
  const [turns = []] = winners;
  expect(turns.map(({ turnId }) => turnId).toSorted()).toEqual(['turn_a', 'turn_b']);
  expect(new Set(turns.map(({ tenure }) => tenure.epoch))).toEqual(new Set([1]));

  const write = (owner: string, epoch: number) =>
    changeTurn(db, { turnId: 'turn_a', sessionId: 'of turn_a', tenure: { owner, epoch } }, (transaction) =>
      noteLastEvent(transaction, 'turn_a', 7),
    );
  await expect(write('gone', 0)).rejects.toBeInstanceOf(TurnLost);
  const owner = turns[0]?.tenure.owner ?? '';
  // One that had it before, and has it again, is another owner.
  await expect(write(owner, 0)).rejects.toBeInstanceOf(TurnLost);
  expect((await findTurn(db, 'turn_a'))?.last_event_id).toBe(0);
  await write(owner, 1);
  expect((await findTurn(db, 'turn_a'))?.last_event_id).toBe(7);
  // Whoever was taken for gone is told so, and can begin nothing.
  expect(await renewLease(db, 'gone', 1000)).toBeNull();
  const again = sql`update turns set owner = 'gone' where id = 'turn_b'`.execute(db);
  await expect(again).rejects.toMatchObject({ kind: 'database_busy', details: { reason: 'lease_lost' } });
});

it('one that is stopping takes nothing, what it has handed over neither', async () => {
  const { db } = store;
  await enter('stopping', 60_000);
  await enter('serving', 60_000);
  await sql`update turns set owner = null where id = 'turn_a'`.execute(db);
  await sql`update instances set state = 'draining' where id = 'stopping'`.execute(db);
  expect(await takeLeftTurns(db, 'stopping', {})).toEqual([]);
  expect(await takeLeftTurns(db, 'serving', {})).toMatchObject([{ turnId: 'turn_a' }]);
});
