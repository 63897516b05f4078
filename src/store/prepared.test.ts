import { DummyDriver, Kysely, PostgresAdapter, PostgresQueryCompiler, SqliteIntrospector } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openTestStore, type TestStore } from '../../test/support/open-test-store.ts';
import type { Database } from './database.ts';
import { prepared } from './prepared.ts';

let store: TestStore;
beforeAll(async () => {
  store = await openTestStore();
  for (const id of ['a', 'b', 'c']) await store.addSession(id, { title: `Title of ${id}` });
});
afterAll(() => store.close());

it('asks with the values of each call', async () => {
  const byTitle = prepared((db, { title, limit }: { readonly title: string; readonly limit: number }) =>
    db.selectFrom('sessions').select('id').where('title', '>=', title).orderBy('id').limit(limit),
  );
  const idsOf = async (title: string, limit: number) =>
    (await byTitle(store.db, { title, limit })).rows.map(({ id }) => id);
  expect(await idsOf('Title of a', 2)).toEqual(['a', 'b']);
  expect(await idsOf('Title of b', 5)).toEqual(['b', 'c']);
  expect(await idsOf("' or 1 --", 1)).toEqual(['a']);
});

it('builds once for each set of values that are there', async () => {
  let built = 0;
  const select = prepared((db, { id }: { readonly id?: string | undefined }) => {
    built += 1;
    const query = db.selectFrom('sessions').select('id').orderBy('id');
    return id === undefined ? query : query.where('id', '=', id);
  });
  for (const id of ['a', 'b']) expect((await select(store.db, { id })).rows).toEqual([{ id }]);
  for (const values of [{}, { id: undefined }]) expect((await select(store.db, values)).rows).toHaveLength(4);
  expect(built).toBe(2);
});

it('writes what is given and leaves the rest, inside the transaction that it is given', async () => {
  const write = prepared(
    (db, { id, ...columns }: { id: string; title?: string | null; model?: string | undefined }) =>
      db.updateTable('session_rows').set(columns).where('id', '=', id),
  );
  const read = async () =>
    store.db.selectFrom('sessions').select(['title', 'model']).where('id', '=', 'c').executeTakeFirst();
  expect((await write(store.db, { id: 'c', title: null })).numAffectedRows).toBe(1n);
  expect(await read()).toEqual({ title: null, model: 'llama3.2:latest' });
  const rolledBack = store.db.transaction().execute(async (transaction) => {
    await write(transaction, { id: 'c', title: 'never', model: undefined });
    throw new Error('no');
  });
  await expect(rolledBack).rejects.toThrow('no');
  expect(await read()).toEqual({ title: null, model: 'llama3.2:latest' });
});

it('keeps the texts of two databases apart', async () => {
  const texts: string[] = [];
  const other = new Kysely<Database>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (db) => new SqliteIntrospector(db),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
    log: ({ query }) => void texts.push(query.sql),
  });
  const select = prepared((db, { id }: { readonly id: string }) =>
    db.selectFrom('sessions').select('id').where('id', '=', id),
  );
  expect((await select(store.db, { id: 'a' })).rows).toEqual([{ id: 'a' }]);
  await select(other, { id: 'a' });
  expect(texts).toEqual(['select "id" from "sessions" where "id" = $1']);
  expect((await select(store.db, { id: 'b' })).rows).toEqual([{ id: 'b' }]);
});
