// `mochi-server backup`: the database as one file that opens as it is, also beside a running server.
import { access, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Config } from '../config.ts';
import { placeFile, removeUnfinished, unfinishedName } from '../kit/atomic-file.ts';
import { BackupError, copyDatabase } from '../store/backup.ts';
import { databaseFile } from '../store/database-files.ts';
import { complain, EXIT_FAILURE, ignoreFileSizeSignal } from './command.ts';
import { asFileFailure } from './explain-error.ts';
import { refuseOnPostgres } from './of-sqlite.ts';
import { say } from './terminal.ts';

export async function runBackup(
  config: Config,
  file: string,
  { force }: { readonly force: boolean },
): Promise<void> {
  refuseOnPostgres(config, 'backup', file);
  ignoreFileSizeSignal();
  const target = resolve(file);
  await checkTarget(config, target, force);
  const unfinished = unfinishedName(target);
  try {
    const counts = await copyDatabase(config.dataDir, unfinished);
    await placeFile(unfinished, target, force ? 'replace' : 'create');
    const counted = `${amount(counts.sessions, 'session')} and ${amount(counts.messages, 'message')}`;
    say(`backed up ${counted} to ${file}, checked\n`);
  } catch (error) {
    if (error instanceof BackupError) throw complain([error.message], EXIT_FAILURE);
    throw asFileFailure(error, config);
  } finally {
    await removeUnfinished(unfinished);
  }
}

function amount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** @throws ExitError for a place where no backup may go */
async function checkTarget({ dataDir }: Config, target: string, force: boolean): Promise<void> {
  const live = databaseFile(dataDir);
  for (const own of [live, `${live}-wal`, `${live}-shm`, `${live.replace(/[^/\\]*$/, '')}mochi.lock`]) {
    if (target === own || (await isSameFile(target, own))) {
      throw complain([`${target} belongs to the database itself. Choose another file.`]);
    }
  }
  if (!(await exists(dirname(target))))
    throw complain([`There is no folder ${dirname(target)}. Make it first.`]);
  const found = await stat(target).catch(() => null);
  if (found?.isDirectory()) throw complain([`${target} is a folder. Name a file.`]);
  if (found !== null && !force) throw complain([`${target} is there already. Replace it with --force.`]);
  for (const side of [`${target}-wal`, `${target}-journal`]) {
    // SQLite would play them into the new file.
    if (await exists(side)) {
      throw complain([`${side} is there: ${target} is in use, or was not closed. Choose another file.`]);
    }
  }
}

async function isSameFile(one: string, other: string): Promise<boolean> {
  const [left, right] = await Promise.all([one, other].map((path) => stat(path).catch(() => null)));
  return left != null && right != null && left.dev === right.dev && left.ino === right.ino;
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
