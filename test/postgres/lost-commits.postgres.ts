// Connections that are lost around a commit, and a pooler in between: nothing is done twice, and nothing is said that
// nobody knows.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createLog } from '../../src/kit/log.ts';
import type { Db } from '../../src/store/database.ts';
import { openPostgres, type PostgresStore } from '../../src/store/dialect/postgres/open.ts';
import { commitUnsynced, patientDb } from '../../src/store/durable.ts';
import { listSessionIds } from '../../src/store/session-rows.ts';
import { findSession, insertSession, updateSession } from '../../src/store/sessions.ts';
import { newSession } from '../support/open-test-store.ts';
import { type OwnPostgres, startOwnPostgres } from '../support/postgres.ts';
import {
  type Loss,
  type PostgresProxy,
  startLosingProxy,
  startPoolingProxy,
} from '../support/postgres-proxy.ts';

const COMMIT = /^Q[^]{4}commit\0/;

let postgres: OwnPostgres;
beforeAll(async () => {
  const own = await startOwnPostgres();
  if (own === null) throw new Error('There is no PostgreSQL on this machine.');
  postgres = own;
}, 60_000);
afterAll(() => postgres.stop());

describe('a connection that is lost', () => {
  let proxy: PostgresProxy;
  let store: PostgresStore;
  let loss: Loss = 'passes';
  let losses = 0;
  let freezes = false;
  let losing = COMMIT;
  let begun = 0;
  beforeAll(async () => {
    proxy = await startLosingProxy(postgres.url, (sent) => {
      if (loss === 'passes' || !losing.test(sent)) return 'passes';
      const now = loss;
      losses += 1;
      if (freezes) postgres.freeze();
      loss = 'passes';
      return now;
    });
    store = await openPostgres({ url: proxy.url, pool: 3 });
  });
  beforeEach(() => {
    losses = 0;
    begun = 0;
  });
  afterAll(async () => {
    await store.close();
    await proxy.close();
  });

  const insert = (id: string) => async (db: Db) => {
    begun += 1;
    await insertSession(db, newSession(id));
    return id;
  };

  it('before the commit arrives: a turn writes again, a request is told that nothing was stored', async () => {
    loss = 'before it arrives';
    expect(await patientDb(store.db).transaction().execute(insert('turn-1'))).toBe('turn-1');
    expect([losses, begun]).toEqual([1, 2]);
    loss = 'before it arrives';
    await expect(store.db.transaction().execute(insert('request-1'))).rejects.toMatchObject({
      kind: 'database_busy',
      message: expect.stringContaining('Nothing of this request was stored'),
    });
    expect(await listSessionIds(store.db)).toEqual(['turn-1']);
  });

  it('before the commit is answered: it is found out that it was made, and nothing is done twice', async () => {
    loss = 'before it is answered';
    expect(await patientDb(store.db).transaction().execute(insert('turn-2'))).toBe('turn-2');
    expect([losses, begun]).toEqual([1, 1]);
    loss = 'before it is answered';
    expect(await store.db.transaction().execute(insert('request-2'))).toBe('request-2');
    loss = 'before it is answered';
    expect(await commitUnsynced(patientDb(store.db), insert('checkpoint-2'))).toBe('checkpoint-2');
    expect([losses, begun]).toEqual([3, 3]);
    const ids = await listSessionIds(store.db);
    expect(ids.toSorted((one, other) => one.localeCompare(other))).toEqual([
      'checkpoint-2',
      'request-2',
      'turn-1',
      'turn-2',
    ]);
  });

  it('of a statement alone: whoever has added something is told that nobody knows, a change is made again', async () => {
    // One that is planned already is sent without its text.
    losing = /^B|insert into|update/;
    loss = 'before it is answered';
    await expect(insertSession(store.db, newSession('alone'))).rejects.toMatchObject({
      details: { reason: 'outcome_unknown' },
    });
    expect(await listSessionIds(store.db)).toContain('alone');
    loss = 'before it arrives';
    await updateSession(patientDb(store.db), 'alone', { title: 'Changed' });
    expect((await findSession(store.db, 'alone'))?.title).toBe('Changed');
    expect(losses).toBe(2);
    losing = COMMIT;
  });

  it('and the database stands still: a request is told that nobody knows, a turn waits until somebody does', async () => {
    store.watch(createLog({ level: 'silent', format: 'json' }));
    const both = Promise.withResolvers<void>();
    const write = (id: string) => async (db: Db) => {
      await insert(id)(db);
      if (begun === 2) both.resolve();
      await both.promise;
      loss = 'before it is answered';
    };
    freezes = true;
    const waiting = patientDb(store.db).transaction().execute(write('turn-3'));
    await expect(store.db.transaction().execute(write('request-3'))).rejects.toMatchObject({
      kind: 'database_busy',
      details: { reason: 'outcome_unknown' },
    });
    freezes = false;
    postgres.thaw();
    await waiting;
    expect((await listSessionIds(store.db)).filter((id) => id === 'turn-3')).toEqual(['turn-3']);
  });
});

it('a pooler that gives each transaction another connection is refused, whoever else uses it', async () => {
  const proxy = await startPoolingProxy(postgres.url);
  await expect(openPostgres({ url: proxy.url, pool: 3 })).rejects.toThrow(
    /is reached through a pooler in transaction mode.*session mode/,
  );
  await expect(openPostgres({ url: proxy.url, pool: 3 })).rejects.toThrow('in transaction mode');
  await proxy.close();
});
