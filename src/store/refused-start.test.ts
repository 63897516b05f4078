// What a refused start leaves behind: every file as it was, byte for byte, also those of a killed server.
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  linkSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import SqliteDriver from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { copyDatabase } from './backup.ts';
import { openStore } from './open-store.ts';
import { StoreOpenError } from './store-open-error.ts';

const root = mkdtempSync(join(tmpdir(), 'mochi-refused-'));
afterAll(() => rmSync(root, { recursive: true }));

const newFolder = () => mkdtempSync(join(root, 'data-'));
const open = (dataDir: string) => openStore({ dataDir, exclusive: true });

/** All files and what they hold; the lock file tells nothing of the data. */
function filesOf(dataDir: string): Record<string, string> {
  const names = readdirSync(dataDir).filter((name) => name !== 'mochi.lock');
  const hash = (name: string) =>
    createHash('sha256')
      .update(readFileSync(join(dataDir, name)))
      .digest('hex');
  return Object.fromEntries(names.sort().map((name) => [name, hash(name)]));
}

async function refused(dataDir: string): Promise<string> {
  const before = filesOf(dataDir);
  const error: unknown = await open(dataDir).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(StoreOpenError);
  expect(filesOf(dataDir)).toEqual(before);
  return (error as StoreOpenError).message;
}

describe('a refused start leaves every file as it was', () => {
  /** As a server leaves its folder when it ends in order, and when it is killed. */
  let closed: string;
  let killed: string;
  let backup: string;
  beforeAll(async () => {
    closed = newFolder();
    killed = newFolder();
    backup = join(newFolder(), 'backup.db');
    const { db, close } = await open(closed);
    const note = (key: string) =>
      db
        .insertInto('meta')
        .values({ key, value: 'x'.repeat(50_000) })
        .execute();
    await note('first');
    await copyDatabase(closed, backup);
    await note('second');
    for (const name of ['mochi.db', 'mochi.db-wal', 'mochi.db-shm'])
      copyFileSync(join(closed, name), join(killed, name));
    await close();
  });

  function copyOf(folder: string, without: readonly string[] = []): string {
    const copy = newFolder();
    for (const name of readdirSync(folder))
      if (!without.includes(name)) copyFileSync(join(folder, name), join(copy, name));
    return copy;
  }

  const change = (dataDir: string, script: string) => {
    const driver = new SqliteDriver(join(dataDir, 'mochi.db'));
    driver.exec(script);
    // A second reader keeps the log where it is.
    const reader = new SqliteDriver(join(dataDir, 'mochi.db'), { readonly: true });
    reader.prepare('select count(*) from sqlite_schema').get();
    driver.close();
    reader.close();
  };

  function garble(dataDir: string, name: string, from: number): void {
    const bytes = readFileSync(join(dataDir, name));
    writeFileSync(join(dataDir, name), bytes.fill('noise', from, from + 4096));
  }

  it('that starts, with and without a log', async () => {
    for (const folder of [closed, killed, copyOf(killed), copyOf(killed, ['mochi.db-shm'])]) {
      const { db, close } = await open(copyOf(folder));
      expect((await db.selectFrom('meta').select('key').execute()).map(({ key }) => key)).toEqual(
        expect.arrayContaining(['first', 'second']),
      );
      await close();
    }
  });

  it('damaged pages, with the log of a kill beside them', async () => {
    for (const without of [[], ['mochi.db-shm']]) {
      const dataDir = copyOf(closed);
      change(dataDir, "insert into meta values ('third', 'in the log')");
      for (const name of without) rmSync(join(dataDir, name), { force: true });
      garble(dataDir, 'mochi.db', 8 * 4096);
      expect(await refused(dataDir)).toMatch(/damaged or no SQLite database.*left as it is/);
    }
  });

  it('a file that is no database, with the log of a kill beside it', async () => {
    const dataDir = copyOf(killed);
    writeFileSync(join(dataDir, 'mochi.db'), 'Dear diary,\n'.repeat(1000));
    expect(await refused(dataDir)).toMatch(/damaged or no SQLite database/);
  });

  it('one of a newer version, with the log of a kill beside it', async () => {
    const dataDir = copyOf(closed);
    change(dataDir, "insert into kysely_migration values ('999_of_the_future', 'later')");
    expect(Object.keys(filesOf(dataDir))).toContain('mochi.db-wal');
    expect(await refused(dataDir)).toMatch(/newer mochi-server/);
  });

  it.each(['delete', 'wal'])('a database of another program that has a table of ours (%s)', async (mode) => {
    const dataDir = newFolder();
    change(
      dataDir,
      `pragma journal_mode = ${mode}; create table messages (id, text); insert into messages values (1, 'hers')`,
    );
    expect(await refused(dataDir)).toMatch(/another program/);
  });

  it('a backup that was put over what a kill left', async () => {
    const dataDir = copyOf(killed);
    copyFileSync(backup, join(dataDir, 'mochi.db'));
    expect(await refused(dataDir)).toMatch(/backup.*mochi\.db-wal.*mochi-server restore/);
  });

  it.each(['empty', 'gone'])('a database that is %s, while its log is there', async (state) => {
    const dataDir = copyOf(killed);
    if (state === 'empty') truncateSync(join(dataDir, 'mochi.db'));
    else rmSync(join(dataDir, 'mochi.db'));
    expect(await refused(dataDir)).toMatch(new RegExp(`is ${state}.*--new-database`));
  });

  it.each(['empty', 'gone'])('a database that is %s in a folder whose lock knows of one', async (state) => {
    const dataDir = newFolder();
    await (await open(dataDir)).close();
    if (state === 'empty') truncateSync(join(dataDir, 'mochi.db'));
    else rmSync(join(dataDir, 'mochi.db'));
    expect(await refused(dataDir)).toMatch(new RegExp(`is ${state}.*mochi-server restore.*--new-database`));
  });

  it('a database with a second name, which could be opened under both', async () => {
    const dataDir = copyOf(killed);
    linkSync(join(dataDir, 'mochi.db'), join(newFolder(), 'mochi.db'));
    expect(await refused(dataDir)).toMatch(/second name.*hard link/);
  });
});

describe('a new database in place of one that is gone', () => {
  it('is made only when told so; what was left is kept under other names', async () => {
    const dataDir = newFolder();
    const { db, close } = await open(dataDir);
    await db.insertInto('meta').values({ key: 'kept', value: 'yes' }).execute();
    const killed = newFolder();
    for (const name of ['mochi.db-wal', 'mochi.db-shm'])
      copyFileSync(join(dataDir, name), join(killed, name));
    const log = readFileSync(join(killed, 'mochi.db-wal'));
    await close();
    await refused(killed);
    const store = await openStore({ dataDir: killed, exclusive: true, newDatabase: true });
    expect(await store.db.selectFrom('meta').select('key').execute()).toEqual([]);
    await store.close();
    const kept = readdirSync(killed).filter((name) => name.startsWith('mochi.db-wal.'));
    expect(kept).toHaveLength(1);
    expect(readFileSync(join(killed, kept[0] ?? '')).equals(log)).toBe(true);
  });
});

describe('the database itself is locked', () => {
  it('against a server whose lock file was deleted', async () => {
    const dataDir = newFolder();
    const first = await open(dataDir);
    rmSync(join(dataDir, 'mochi.lock'));
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const error: unknown = await open(dataDir).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(StoreOpenError);
      expect((error as StoreOpenError).message).toMatch(/another process/);
    }
    await (await openStore({ dataDir, exclusive: false })).close();
    await first.close();
    await (await open(dataDir)).close();
  });

  it('against a server of another folder that links to it', async () => {
    const dataDir = newFolder();
    const other = newFolder();
    const first = await open(dataDir);
    symlinkSync(join(dataDir, 'mochi.db'), join(other, 'mochi.db'));
    const error: unknown = await open(other).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(StoreOpenError);
    expect((error as StoreOpenError).message).toMatch(/in use by another mochi-server/);
    await first.close();
    await (await open(other)).close();
  });
});
