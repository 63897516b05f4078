// What a lost database holds goes with the process that has it open: it is saved while that runs.
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type SqliteDriver from 'better-sqlite3';
import { placeFile, removeUnfinished, unfinishedName } from '../kit/atomic-file.ts';
import { nameStamp } from '../kit/clock.ts';
import type { Log } from '../kit/log.ts';
import { makePrivateFolder } from '../kit/private-files.ts';
import { copyUnchanged } from './backup.ts';
import type { DatabaseGuard } from './database-guard.ts';
import type { DiskState } from './log-sync.ts';

/** No transaction begins while a database is lost; one that has begun ends. @returns the path of the copy */
export async function rescueDatabase(dataDir: string, driver: SqliteDriver.Database): Promise<string> {
  makePrivateFolder(dataDir);
  const target = join(dataDir, `mochi-rescued-${nameStamp()}.db`);
  const unfinished = unfinishedName(target);
  try {
    while (driver.inTransaction) await setTimeout(10);
    await copyUnchanged(unfinished, driver);
    await placeFile(unfinished, target, 'create');
    return target;
  } finally {
    await removeUnfinished(unfinished);
  }
}

interface Watched {
  readonly guard: DatabaseGuard;
  rescue(): Promise<string>;
  lookForOthers(): void;
  diskState(): DiskState;
}

const LOOK_MS = 1000;

function sayDisk(state: DiskState, log: Log): void {
  if (state === 'fine') log.warn('the disk answers again: what waited for it is stored');
  else if (state === 'hangs')
    log.warn('the disk does not keep what was written: whoever stores something waits');
  else log.fatal('the disk did not keep what was written: nothing more is stored until a new start');
}

/**
 * Looks every second: says when the database is lost, and saves what it held; says when the disk fails, and when others
 * have written.
 */
export function watchDatabase(
  { guard, rescue, lookForOthers, diskState }: Watched,
  log: Log,
): { close(): Promise<void> } {
  let saved: Promise<void> | null = null;
  let disk: DiskState = 'fine';
  const look = () => {
    const before = disk;
    disk = diskState();
    if (disk !== before) sayDisk(disk, log);
    const loss = guard.look();
    if (loss === null) lookForOthers();
    if (loss === null || saved !== null) return;
    log.fatal({ loss }, 'the database is not where it was: nothing more is stored');
    saved = loss === 'truncated' ? Promise.resolve() : save();
  };
  const save = async () => {
    try {
      log.fatal(
        { file: await rescue() },
        'what the database held was saved: stop, then mochi-server restore FILE',
      );
    } catch (error) {
      log.fatal(
        { err: error },
        'what the database held could not be saved: export it before this process ends',
      );
    }
  };
  const timer = setInterval(look, LOOK_MS).unref();
  return {
    async close() {
      clearInterval(timer);
      look();
      await saved;
    },
  };
}
