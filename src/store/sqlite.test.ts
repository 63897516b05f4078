import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import SqliteDriver from 'better-sqlite3';
import { Kysely, SqliteDialect, sql } from 'kysely';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MochiError } from '../contract/errors.ts';
import { openSqlite, toMochiError } from './sqlite.ts';

interface Notes {
  notes: { id: number; text: string };
}

const root = mkdtempSync(join(tmpdir(), 'mochi-sqlite-'));
afterAll(() => rmSync(root, { recursive: true }));

let files = 0;
let file: string;
let database: ReturnType<typeof openSqlite>;
let db: Kysely<Notes>;
beforeEach(async () => {
  files += 1;
  file = join(root, `${files}.db`);
  database = openSqlite(file);
  db = new Kysely<Notes>({ dialect: new SqliteDialect({ database }) });
  await sql`create table notes (id integer primary key, text text not null unique)`.execute(db);
});
afterEach(() => db.destroy());

const insert = (on: Kysely<Notes>, id: number, text = `note ${id}`) =>
  on.insertInto('notes').values({ id, text }).execute();
const texts = async () =>
  (await db.selectFrom('notes').select('text').orderBy('id').execute()).map(({ text }) => text);

describe('statements', () => {
  it('are prepared once per text', () => {
    const query = 'select text from notes where id = ?';
    expect(database.prepare(query)).toBe(database.prepare(query));
    expect(database.prepare(`${query} limit 1`)).not.toBe(database.prepare(query));
  });

  it('are as many as there are texts, but never without bound', () => {
    const first = database.prepare('select 0');
    for (let number = 1; number < 500; number += 1) database.prepare(`select ${number}`);
    expect(database.prepare('select 499').all([])).toEqual([{ 499: 499 }]);
    for (let number = 500; number < 1100; number += 1) database.prepare(`select ${number}`);
    expect(database.prepare('select 0')).not.toBe(first);
    expect(database.prepare('select 0').all([])).toEqual([{ 0: 0 }]);
  });

  it('can be read row by row, broken off, and run again', async () => {
    for (const id of [1, 2, 3]) await insert(db, id);
    const query = db.selectFrom('notes').select('text').orderBy('id');
    for await (const { text } of query.stream()) {
      expect(text).toBe('note 1');
      break;
    }
    expect(await query.execute()).toHaveLength(3);
    expect(await Array.fromAsync(query.stream())).toHaveLength(3);
  });

  it('see a schema that changed after they were prepared', async () => {
    const query = sql<Record<string, unknown>>`select * from notes`;
    await insert(db, 1);
    await query.execute(db);
    await sql`alter table notes add column more text default 'new'`.execute(db);
    expect((await query.execute(db)).rows).toEqual([{ id: 1, text: 'note 1', more: 'new' }]);
  });
});

describe('transactions', () => {
  it('keep all of it or nothing', async () => {
    const broken = db.transaction().execute(async (transaction) => {
      await insert(transaction, 1);
      throw new Error('broken off');
    });
    await expect(broken).rejects.toThrow('broken off');
    await db.transaction().execute((transaction) => insert(transaction, 2));
    expect(await texts()).toEqual(['note 2']);
  });

  it('queue up and never mix', async () => {
    const one = async (start: number) =>
      db.transaction().execute(async (transaction) => {
        const { count } = await transaction
          .selectFrom('notes')
          .select((is) => is.fn.countAll<number>().as('count'))
          .executeTakeFirstOrThrow();
        await Promise.resolve();
        await insert(transaction, start, `after ${count}`);
      });
    await Promise.all([one(1), one(2), one(3)]);
    expect(await texts()).toEqual(['after 0', 'after 1', 'after 2']);
  });

  it('hold the right to write from their first statement', async () => {
    const other = new SqliteDriver(file, { timeout: 0 });
    await db.transaction().execute(async (transaction) => {
      await transaction.selectFrom('notes').selectAll().execute();
      expect(() => other.exec('begin immediate')).toThrow(/locked/);
    });
    other.exec('begin immediate; rollback');
    other.close();
  });

  it('tell the fault of the disk, not that of the rollback after it', async () => {
    const { rows } = await sql<{ page_count: number }>`pragma page_count`.execute(db);
    await sql.raw(`pragma max_page_count = ${rows[0]?.page_count}`).execute(db);
    const full = db.transaction().execute((transaction) => insert(transaction, 1, 'x'.repeat(100_000)));
    await expect(full).rejects.toMatchObject({
      kind: 'session_save_error',
      details: { reason: 'sqlite_full' },
    });
    await sql`pragma max_page_count = 1000`.execute(db);
    await insert(db, 2);
    expect(await texts()).toEqual(['note 2']);
  });
});

describe('errors', () => {
  const fault = (code: string) => toMochiError(new SqliteDriver.SqliteError('what SQLite says', code));

  it.each([
    'SQLITE_FULL',
    'SQLITE_READONLY',
    'SQLITE_READONLY_DBMOVED',
    'SQLITE_IOERR_WRITE',
    'SQLITE_IOERR_FSYNC',
    'SQLITE_IOERR_TRUNCATE',
    'SQLITE_IOERR_SHMSIZE',
    'SQLITE_IOERR_DIR_FSYNC',
    'SQLITE_IOERR_DELETE',
    'SQLITE_CANTOPEN',
  ])('%s is one of writing', (code) => {
    expect(fault(code)).toMatchObject({ kind: 'session_save_error', status: 500 });
  });

  it.each(['SQLITE_BUSY', 'SQLITE_BUSY_SNAPSHOT', 'SQLITE_LOCKED'])('%s is one that passes', (code) => {
    expect(fault(code)).toMatchObject({ kind: 'database_busy', status: 503 });
  });

  it.each([
    'SQLITE_CORRUPT',
    'SQLITE_CORRUPT_INDEX',
    'SQLITE_NOTADB',
    'SQLITE_IOERR_READ',
    'SQLITE_IOERR_SHORT_READ',
  ])('%s is one of reading', (code) => {
    expect(fault(code)).toMatchObject({ kind: 'session_load_error', status: 500 });
  });

  it('of the disk never tell a client what SQLite says', () => {
    for (const code of ['SQLITE_FULL', 'SQLITE_CORRUPT']) {
      const error = fault(code);
      expect(error).toBeInstanceOf(MochiError);
      expect(JSON.stringify((error as MochiError).toBody())).not.toContain('what SQLite says');
    }
  });

  it('that are mistakes of our own stay what they are', async () => {
    await insert(db, 1);
    await expect(insert(db, 1)).rejects.toBeInstanceOf(SqliteDriver.SqliteError);
    await expect(sql`select nothing`.execute(db)).rejects.toBeInstanceOf(SqliteDriver.SqliteError);
    const plain = new Error('plain');
    expect(toMochiError(plain)).toBe(plain);
  });
});

describe('a file', () => {
  it('that is no database is refused', () => {
    expect(() => openSqlite(root)).toThrow(SqliteDriver.SqliteError);
  });
});
