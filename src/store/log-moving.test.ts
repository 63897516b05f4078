import { rmSync, statSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { sql } from 'kysely';
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import type { Log } from '../kit/log.ts';
import { LogMoving } from './log-moving.ts';
import { openSnapshot } from './open-snapshot.ts';
import { openStore, type Store } from './open-store.ts';
import type { WriteLog } from './write-log.ts';

const MIB = 1024 * 1024;

let dataDir: string;
let store: Store;
let writeLog: WriteLog;
let moving: LogMoving;
let warnings: number;

const log = { warn: () => void (warnings += 1) } as unknown as Log;
const logBytes = () => statSync(join(dataDir, 'mochi.db-wal')).size;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'mochi-moving-'));
  warnings = 0;
  store = await openStore({ dataDir, exclusive: true, sync: 'shared' });
  if (store.writeLog === null) throw new Error('no log');
  writeLog = store.writeLog;
});
afterEach(async () => {
  await moving.close();
  await store.close();
  rmSync(dataDir, { recursive: true });
});

/** Each commit adds half a MiB to the log, and no more than that to the database. */
async function write(mebibytes: number): Promise<void> {
  for (let half = 0; half < 2 * mebibytes; half += 1) {
    await sql`insert or replace into meta (key, value) values ('filler', hex(randomblob(${MIB / 4})))`.execute(
      store.db,
    );
  }
}

async function until(is: () => boolean): Promise<void> {
  while (!is()) await setTimeout(5);
}

it('moves a log that has grown, and SQLite does nothing in a commit; others have not written then', async () => {
  // It looks when this test lets it.
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  moving = new LogMoving({ ...store, writeLog }, log);
  let othersWrote = 0;
  store.onChange({ changed: () => undefined, othersWrote: () => void (othersWrote += 1) });
  await write(6);
  expect(writeLog.look()).toMatchObject({ moved: 0 });
  await until(() => {
    vi.advanceTimersByTime(200);
    const { pages, moved } = writeLog.look();
    return pages > 1000 && moved === pages;
  });
  await moving.close();
  writeLog.setAuto(false);
  const before = logBytes();
  await write(1);
  expect(logBytes()).toBe(before);
  store.lookForOthers();
  expect([othersWrote, warnings]).toEqual([0, 0]);
});

it('begins a log anew while somebody writes all the time, and others read', async () => {
  moving = new LogMoving({ ...store, writeLog }, log);
  const ended = new AbortController();
  const readers = [0, 1].map(async () => {
    while (!ended.signal.aborted) {
      const snapshot = await openSnapshot(dataDir);
      await setTimeout(20);
      await snapshot.close();
    }
  });
  const pages: number[] = [];
  const startedAt = performance.now();
  // Until it has begun anew twice.
  while (pages.filter((count, index) => count < (pages[index - 1] ?? 0)).length < 2) {
    await write(1);
    pages.push(writeLog.look().pages);
    if (performance.now() - startedAt > 50_000) throw new Error(`It grows: ${pages.join()}`);
  }
  ended.abort();
  await Promise.all(readers);
  expect(warnings).toBe(0);
});

it('waits for a reader that takes its time without holding up those who write', async () => {
  const snapshot = await openSnapshot(dataDir);
  moving = new LogMoving({ ...store, writeLog }, log);
  await write(20);
  await until(() => writeLog.look().pages > 4000);
  await write(4);
  await snapshot.close();
  await moving.close();
  await write(1);
  // SQLite again, and nobody reads: all of it was moved, and the next commit begins it anew.
  await write(1);
  expect(writeLog.look().pages).toBeLessThan(1000);
  expect(warnings).toBe(0);
});

it.each(['look', 'move'] as const)('leaves it to SQLite where its %s fails, and says so', async (step) => {
  const { look } = writeLog;
  const fails = () => {
    throw new Error('disk I/O error');
  };
  moving = new LogMoving({ ...store, writeLog: Object.assign(writeLog, { [step]: fails }) }, log);
  await write(6);
  await until(() => warnings > 0);
  await write(6);
  // Begun anew: without that it would hold twelve MiB.
  expect(look.call(writeLog).pages).toBeLessThan(2000);
});

it('is closed in the middle of it: the store moves the rest, and no log is left', async () => {
  moving = new LogMoving({ ...store, writeLog }, log);
  await write(6);
  await setTimeout(200);
  await moving.close();
  await store.close();
  expect(statSync(join(dataDir, 'mochi.db-wal'), { throwIfNoEntry: false })).toBeUndefined();
  store = await openStore({ dataDir, exclusive: true, sync: 'shared' });
  if (store.writeLog !== null) moving = new LogMoving({ ...store, writeLog: store.writeLog }, log);
  const { rows } = await sql<{ length: number }>`select length(value) as length from meta
    where key = 'filler'`.execute(store.db);
  expect(rows).toEqual([{ length: MIB / 2 }]);
});
