// What is PostgreSQL's own below the query functions: run by `npm run test:postgres`.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { appendToPath } from '../../src/store/active-path.ts';
import type { StoreChange } from '../../src/store/change-notes.ts';
import { dialectOf } from '../../src/store/dialect/dialect-of.ts';
import { openPostgres, type PostgresStore } from '../../src/store/dialect/postgres/open.ts';
import { commitUnsynced } from '../../src/store/durable.ts';
import { listSessions } from '../../src/store/list-sessions.ts';
import { changeSession } from '../../src/store/lock-session.ts';
import { findMessage } from '../../src/store/messages.ts';
import { findSession, insertSession, updateSession } from '../../src/store/sessions.ts';
import { newSession, TIME } from '../support/open-test-store.ts';
import { databaseFor, dropDatabaseOf } from '../support/test-database.ts';

let dataDir: string;
let store: PostgresStore;
let told: StoreChange[] = [];
beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'mochi-postgres-store-'));
  const database = await databaseFor(dataDir);
  if (database === undefined) throw new Error('This is run by npm run test:postgres.');
  store = await openPostgres(database);
  store.onChange({ changed: (changes) => told.push(...changes), othersWrote: () => undefined });
  await insertSession(store.db, newSession('s'));
});
afterAll(async () => {
  await store.close();
  await dropDatabaseOf(dataDir);
  rmSync(dataDir, { recursive: true });
});

it('keeps every sign, U+0000 and its stand-in among them, in rows, in JSON and in lists of values', async () => {
  const texts = ['a\u0000b', '\u001a', '\u001a0', '\u001a1\u0000', '\u0000\u0000', 'plain'];
  let parent = null;
  for (const [index, content] of texts.entries()) {
    const said = { sessionId: 's', role: 'user', timestamp: TIME, status: 'complete' } as const;
    parent = await appendToPath(store.db, parent, { ...said, id: `m${index}`, content });
    expect((await findMessage(store.db, 's', `m${index}`))?.content).toBe(content);
  }
  const { rows } = await sql<{ text: string }>`select unnest(${texts}::text[]) as text`.execute(store.db);
  expect(rows.map(({ text }) => text)).toEqual(texts);
  await updateSession(store.db, 's', { metadata: { note: 'a\u0000\u001a0' } });
  expect((await findSession(store.db, 's'))?.metadata).toEqual({ note: 'a\u0000\u001a0' });
});

it('orders ids by their bytes, whatever the language of the database is', async () => {
  for (const id of ['b', 'B', 'a', '_', 'Z']) await insertSession(store.db, newSession(id));
  const page = { limit: 10, after: null, includesAgents: false };
  const ids = (await listSessions(store.db, page)).map(({ session_id: id }) => id);
  expect(ids.filter((id) => id !== 's')).toEqual(['B', 'Z', '_', 'a', 'b']);
});

it('tells what clients list once it is committed, each once, and nothing of what is undone or hidden', async () => {
  told = [];
  await store.db.transaction().execute(async (db) => {
    await updateSession(db, 'a', { title: 'One' });
    await updateSession(db, 'a', { title: 'Two' });
    await updateSession(db, 'b', { model: 'other' });
    expect(told).toEqual([]);
  });
  expect(told).toEqual([{ kind: 'session', id: 'a' }]);
  told = [];
  const undone = store.db.transaction().execute(async (db) => {
    await updateSession(db, 'b', { title: 'Never' });
    throw new Error('no');
  });
  await expect(undone).rejects.toThrow('no');
  await insertSession(store.db, newSession('agent', { kind: 'agent' }));
  await insertSession(store.db, newSession('unlisted', { isListed: false }));
  expect(told).toEqual([]);
  await store.db.deleteFrom('session_rows').where('id', '=', 'b').execute();
  expect(told).toEqual([{ kind: 'session', id: 'b' }]);
});

it('lets those who change a session go on one after the other, in their order', async () => {
  await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      changeSession(store.db, 's', async (db) => {
        const order = (await findSession(db, 's'))?.metadata['order'];
        const before = Array.isArray(order) ? order : [];
        await updateSession(db, 's', { metadata: { order: [...before, index] } });
      }),
    ),
  );
  const order = Array.from({ length: 20 }, (_, index) => index);
  expect((await findSession(store.db, 's'))?.metadata).toEqual({ order });
});

it('begins again what two transactions have undone of each other', async () => {
  let begun = 0;
  const both = Promise.withResolvers<void>();
  const change = (first: string, second: string) =>
    store.db.transaction().execute(async (db) => {
      begun += 1;
      await updateSession(db, first, { title: `${first} of ${second}` });
      if (begun === 2) both.resolve();
      await both.promise;
      await updateSession(db, second, { title: `${second} of ${first}` });
    });
  await Promise.all([change('B', 'Z'), change('Z', 'B')]);
  // On a slow machine they can meet again.
  expect(begun).toBeGreaterThan(2);
});

it('waits for no disk where it need not, and only there', async () => {
  const read = async (db: typeof store.db) =>
    (await sql<{ way: string }>`select current_setting('synchronous_commit') as way`.execute(db)).rows[0]
      ?.way;
  expect(await commitUnsynced(store.db, read)).toBe('off');
  expect(await store.db.transaction().execute(read)).not.toBe('off');
});

it('shows a snapshot as it was, whatever is written meanwhile', async () => {
  const snapshot = await store.openSnapshot();
  const before = await findSession(snapshot.db, 'Z');
  await updateSession(store.db, 'Z', { title: 'Later' });
  expect(await findSession(snapshot.db, 'Z')).toEqual(before);
  await snapshot.close();
  expect((await findSession(store.db, 'Z'))?.title).toBe('Later');
});

it('reads a part of stored JSON in which somebody has said U+0000, and whatever looks like it', async () => {
  const said = ['\u0000', '\\u0000', '\\\u0000', '\\\\u0000\u0000', '\u001a0'];
  for (const text of said) {
    const json = JSON.stringify({ digest: 'abc', said: text });
    const { rows } = await sql<{ digest: string; said: string }>`
      select ${dialectOf(store.db).jsonText('stored', 'digest')} as digest,
        ${dialectOf(store.db).jsonText('stored', 'said')} as said
      from (select ${json}::text as stored) as one`.execute(store.db);
    expect(rows).toEqual([{ digest: 'abc', said: text }]);
  }
});

it('begins no transaction of a turn without the lock of its session', () => {
  const files = readdirSync('src/chat', { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  const without = files.filter((name) =>
    readFileSync(join('src/chat', name), 'utf8').includes('.transaction()'),
  );
  expect(files.length).toBeGreaterThan(50);
  expect(without).toEqual([]);
});
