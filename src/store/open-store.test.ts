import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import SqliteDriver from 'better-sqlite3';
import { Kysely, SqliteDialect, sql } from 'kysely';
import { Migrator } from 'kysely/migration';
import { afterAll, describe, expect, it } from 'vitest';
import { searchIndexFaults } from '../../test/support/search-index-faults.ts';
import { MIGRATIONS } from './migrations/migrations.ts';
import { openStore } from './open-store.ts';
import { openSqlite } from './sqlite.ts';
import { StoreOpenError } from './store-open-error.ts';

const root = mkdtempSync(join(tmpdir(), 'mochi-store-'));
afterAll(() => rmSync(root, { recursive: true }));

function newFolder(): string {
  return mkdtempSync(join(root, 'data-'));
}

const open = (dataDir: string) => openStore({ dataDir, exclusive: true });

/** @returns what the file holds, read by a driver of our own */
function inspect<T>(dataDir: string, read: (driver: SqliteDriver.Database) => T): T {
  const driver = new SqliteDriver(join(dataDir, 'mochi.db'));
  try {
    return read(driver);
  } finally {
    driver.close();
  }
}

const schemaOf = (dataDir: string) =>
  inspect(dataDir, (driver) =>
    driver.prepare('select type, name, sql from sqlite_schema order by name').all(),
  );

const rowsOf = (dataDir: string, query: string) => inspect(dataDir, (driver) => driver.prepare(query).all());

async function refusal(dataDir: string): Promise<string> {
  const error: unknown = await open(dataDir).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(StoreOpenError);
  const { message } = error as StoreOpenError;
  expect(message).toContain(dataDir);
  expect(message).not.toContain('\n');
  return message;
}

describe('opening a data folder', () => {
  it('makes the folder and the schema; a second time changes nothing', async () => {
    const dataDir = join(newFolder(), 'new', 'folder');
    await (await open(dataDir)).close();
    const schema = schemaOf(dataDir);
    expect(schema).toEqual(
      expect.arrayContaining(
        ['sessions', 'messages', 'turns', 'tool_calls', 'meta'].map((name) =>
          expect.objectContaining({ name }),
        ),
      ),
    );
    const bytes = readFileSync(join(dataDir, 'mochi.db'));
    await (await open(dataDir)).close();
    expect(schemaOf(dataDir)).toEqual(schema);
    expect(readFileSync(join(dataDir, 'mochi.db')).equals(bytes)).toBe(true);
  });

  it('takes an empty file for a new database', async () => {
    const dataDir = newFolder();
    writeFileSync(join(dataDir, 'mochi.db'), '');
    await (await open(dataDir)).close();
    expect(rowsOf(dataDir, 'select * from sessions')).toEqual([]);
  });

  it('brings a database of any earlier version to the schema of a new one, its rows kept', async () => {
    const blank = newFolder();
    await (await open(blank)).close();
    const names = Object.keys(MIGRATIONS);
    for (const [index, name] of names.entries()) {
      const dataDir = newFolder();
      const database = openSqlite(join(dataDir, 'mochi.db'));
      database.driver.unsafeMode(true);
      const db = new Kysely<unknown>({ dialect: new SqliteDialect({ database }) });
      const earlier = Object.fromEntries(Object.entries(MIGRATIONS).slice(0, index + 1));
      const { error } = await new Migrator({
        db,
        provider: { getMigrations: async () => earlier },
      }).migrateTo(name);
      expect(error).toBeUndefined();
      await sql`insert into meta values ('kept', 'yes')`.execute(db);
      await db.destroy();

      await (await open(dataDir)).close();
      expect(schemaOf(dataDir)).toEqual(schemaOf(blank));
      expect(rowsOf(dataDir, 'select * from meta')).toEqual([{ key: 'kept', value: 'yes' }]);
    }
  });

  it('counts messages on where an older version has stopped, in a sound file', async () => {
    const dataDir = newFolder();
    const database = openSqlite(join(dataDir, 'mochi.db'));
    const db = new Kysely<unknown>({ dialect: new SqliteDialect({ database }) });
    const provider = { getMigrations: async () => MIGRATIONS };
    await new Migrator({ db, provider }).migrateTo('014_dialects');
    database.driver.exec(`
      insert into session_rows (id, model, created_at, updated_at, metadata, tool_settings, agent_settings,
        context_window, head_depth) values ('s', 'm', '', '', '{}', '{}', '{}', '{}', 1)`);
    const insert = (driver: SqliteDriver.Database, id: string) =>
      driver.exec(`insert into messages (session_id, id, depth, active, role, content, timestamp, status)
        values ('s', '${id}', 0, 1, 'user', 'All about quokkas', '', 'complete')`);
    for (const id of ['m1', 'm2', 'm3']) insert(database.driver, id);
    await db.destroy();

    await (await open(dataDir)).close();
    const { driver } = openSqlite(join(dataDir, 'mochi.db'));
    insert(driver, 'm4');
    expect(driver.prepare('select seq, id from messages order by seq').all()).toEqual(
      ['m1', 'm2', 'm3', 'm4'].map((id, index) => ({ seq: index + 1, id })),
    );
    expect(driver.prepare('select * from sqlite_sequence').all()).toEqual([]);
    expect(driver.pragma('integrity_check', { simple: true })).toBe('ok');
    driver.close();
    expect(searchIndexFaults(dataDir)).toEqual([]);
  });

  it('goes on after a kill at any commit of the first start', async () => {
    const dataDir = newFolder();
    const store = await open(dataDir);
    const file = readFileSync(join(dataDir, 'mochi.db'));
    const log = readFileSync(join(dataDir, 'mochi.db-wal'));
    await store.close();
    const commits = commitsOf(log);
    expect(commits.length).toBeGreaterThan(0);
    for (const end of commits) {
      const killed = newFolder();
      writeFileSync(join(killed, 'mochi.db'), file);
      writeFileSync(join(killed, 'mochi.db-wal'), log.subarray(0, end));
      await (await open(killed)).close();
      expect(schemaOf(killed)).toEqual(schemaOf(dataDir));
    }
  });

  /** Where the commits of a write-ahead log end, as a kill leaves it. https://sqlite.org/fileformat.html#the_write_ahead_log */
  function commitsOf(log: Buffer): number[] {
    const frame = 24 + log.readUInt32BE(8);
    const ends: number[] = [];
    for (let start = 32; start + frame <= log.length; start += frame) {
      const isCommit = log.readUInt32BE(start + 4) !== 0;
      if (isCommit) ends.push(start + frame);
    }
    return ends;
  }

  it.each([
    // SQLite's NORMAL and FULL; see durable.test.ts for the syncs that are shared.
    ['shared', process.platform === 'darwin' ? 2 : 1],
    ['commit', 2],
  ] as const)(
    'keeps a write-ahead log, syncs as %s says, and checks foreign keys',
    async (sync, synchronous) => {
      const dataDir = newFolder();
      const { db, close } = await openStore({ dataDir, exclusive: true, sync });
      const pragma = async (name: string) => {
        const { rows } = await sql.raw<Record<string, unknown>>(`pragma ${name}`).execute(db);
        return Object.values(rows[0] ?? {})[0];
      };
      expect([
        await pragma('journal_mode'),
        await pragma('synchronous'),
        await pragma('foreign_keys'),
      ]).toEqual(['wal', synchronous, 1]);
      await close();
    },
  );
});

describe('the lock of a data folder', () => {
  it('lets one server in at a time, commands beside it, and the next one after it', async () => {
    const dataDir = newFolder();
    const first = await open(dataDir);
    expect(await refusal(dataDir)).toMatch(/in use by another mochi-server.*--data-dir/);
    const command = await openStore({ dataDir, exclusive: false });
    await command.close();
    expect(await refusal(dataDir)).toMatch(/in use/);
    await first.close();
    await (await open(dataDir)).close();
  });

  it('is let go when the database cannot be opened', async () => {
    const dataDir = newFolder();
    mkdirSync(join(dataDir, 'mochi.db'));
    await refusal(dataDir);
    rmSync(join(dataDir, 'mochi.db'), { recursive: true });
    await (await open(dataDir)).close();
  });
});

describe('a database that cannot be used', () => {
  const pageSize = 4096;

  it.each<[string, (bytes: Buffer) => Buffer]>([
    ['a garbage header', (bytes) => Buffer.concat([Buffer.alloc(100, 'noise'), bytes.subarray(100)])],
    ['half of its pages', (bytes) => bytes.subarray(0, ((bytes.length / pageSize) >> 1) * pageSize)],
    [
      'noise in a middle page',
      (bytes) => Buffer.from(bytes).fill('noise', bytes.length >> 1, (bytes.length >> 1) + pageSize),
    ],
    ['text', () => Buffer.from('Dear diary,\n'.repeat(1000))],
    ['a few words', () => Buffer.from('Dear diary')],
  ])('is named and left as it is: %s', async (_, damage) => {
    const dataDir = newFolder();
    const { db, close } = await open(dataDir);
    await db
      .insertInto('meta')
      .values({ key: 'much', value: 'x'.repeat(200_000) })
      .execute();
    await close();
    const file = join(dataDir, 'mochi.db');
    const damaged = damage(readFileSync(file));
    writeFileSync(file, damaged);
    expect(await refusal(dataDir)).toMatch(/damaged or no SQLite database.*left as it is/);
    expect(readFileSync(file).equals(damaged)).toBe(true);
  });

  it('is named and left as it is: one of a newer version', async () => {
    const dataDir = newFolder();
    await (await open(dataDir)).close();
    inspect(dataDir, (driver) =>
      driver.prepare('insert into kysely_migration values (?, ?)').run('999_of_the_future', 'later'),
    );
    const bytes = readFileSync(join(dataDir, 'mochi.db'));
    expect(await refusal(dataDir)).toMatch(/newer mochi-server/);
    expect(readFileSync(join(dataDir, 'mochi.db')).equals(bytes)).toBe(true);
  });

  it('is named: a folder in its place, a file in place of the data folder', async () => {
    const dataDir = newFolder();
    mkdirSync(join(dataDir, 'mochi.db'));
    await refusal(dataDir);
    const file = join(newFolder(), 'file');
    writeFileSync(file, '');
    await refusal(file);
    await refusal(join(file, 'below'));
  });
});
