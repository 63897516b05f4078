import { spawnSync } from 'node:child_process';
import { rmSync, statSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { HeldDisk } from '../../test/support/held-disk.ts';
import { commitUnsynced } from './durable.ts';
import { openSnapshot } from './open-snapshot.ts';
import { openStore, type Store } from './open-store.ts';
import type { WriteLog } from './write-log.ts';

let dataDir: string;
let disk: HeldDisk;
let store: Store;
let writeLog: WriteLog;

async function open(): Promise<void> {
  disk = new HeldDisk();
  store = await openStore({ dataDir, exclusive: true, sync: 'shared', disk });
  if (store.writeLog === null) throw new Error('no log');
  writeLog = store.writeLog;
  writeLog.setAuto(false);
}

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'mochi-log-'));
  await open();
  for (const name of ['first', 'second', 'third', 'fourth'])
    await sql`create table ${sql.table(name)} (word)`.execute(store.db);
  await writeLog.moveWhole();
});
afterEach(async () => {
  disk.release();
  await store.close();
  rmSync(dataDir, { recursive: true });
});

/** In a process of its own: to close the file in this one would take SQLite's locks away. */
const holds = (word: string) =>
  spawnSync('grep', ['-qF', `${word} is written`, join(dataDir, 'mochi.db')]).status === 0;
/** Each in a table, and so on pages, of its own. */
const write = (value: string) =>
  commitUnsynced(store.db, (db) =>
    sql`insert into ${sql.table(value)} (word) values (${`${value} is written`})`.execute(db),
  );
const words = async () => (await sql<{ word: string }>`select word from first`.execute(store.db)).rows;

it('syncs the log, then copies what was synced, then syncs the database; only then the log begins anew', async () => {
  await write('first');
  disk.hold();
  const before = disk.syncs;
  const moving = writeLog.move();
  await disk.began(before + 1);
  await write('second');
  expect([writeLog.look().moved, holds('first')]).toEqual([0, false]);
  disk.release();
  disk.hold();
  await disk.began(before + 2);
  const { pages, moved } = writeLog.look();
  expect([moved > 0, moved < pages, holds('first'), holds('second')]).toEqual([true, true, true, false]);
  disk.release();
  expect(await moving).toEqual({ pages, moved });

  disk.hold();
  const rest = writeLog.move();
  await disk.began(before + 3);
  disk.release();
  disk.hold();
  await disk.began(before + 4);
  // All of it was copied, and may not be on the disk yet.
  expect(writeLog.look()).toEqual({ pages, moved: pages });
  await write('third');
  expect(writeLog.look().pages).toBeGreaterThan(pages);
  disk.release();
  await rest;
  expect(await writeLog.moveWhole()).toBe(true);
  await write('fourth');
  expect(writeLog.look().pages).toBeLessThan(pages);
});

it('keeps the whole log where the disk did not keep the database, and the next start reads it', async () => {
  await write('first');
  disk.hold();
  const before = disk.syncs;
  const moving = writeLog.move();
  await disk.began(before + 1);
  disk.release();
  disk.hold();
  await disk.began(before + 2);
  disk.fail();
  await expect(moving).rejects.toMatchObject({ code: 'session_save_error' });
  expect(store.diskState()).toBe('failed');
  await expect(write('second')).rejects.toMatchObject({ code: 'storage_lost' });
  const log = statSync(join(dataDir, 'mochi.db-wal')).size;
  await store.close();
  expect(statSync(join(dataDir, 'mochi.db-wal')).size).toBe(log);
  await open();
  expect(await words()).toEqual([{ word: 'first is written' }]);
});

it('waits for those who read what is only in the log, but not for long', async () => {
  await write('first');
  const snapshot = await openSnapshot(dataDir);
  await write('second');
  expect(await writeLog.moveWhole()).toBe(false);
  const whole = writeLog.moveWhole();
  await snapshot.close();
  expect(await whole).toBe(true);
});
