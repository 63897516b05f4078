// A backup put in the place of the database, whatever a kill has left there.
import { linkSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import SqliteDriver from 'better-sqlite3';
import { removeUnfinished, syncFolder, unfinishedName } from '../kit/atomic-file.ts';
import { nameStamp } from '../kit/clock.ts';
import { makePrivateFolder, PRIVATE_FOLDER } from '../kit/private-files.ts';
import { type BackupCounts, BackupError, copyTo } from './backup.ts';
import { lockDataFolder } from './data-folder-lock.ts';
import { type DatabaseFiles, databaseFile, filesOf, lookAt } from './database-files.ts';
import { contentFault } from './examine-database.ts';
import { openUntouched } from './open-untouched.ts';
import { DamagedDatabaseError } from './sqlite.ts';
import { explain, StoreOpenError, writtenByNewer } from './store-open-error.ts';

export interface Restored extends BackupCounts {
  /** The folder that has the former database; null when there was none. */
  readonly kept: string | null;
}

/**
 * The backup stays as it is. A kill at any moment leaves the former database, a folder that a start refuses, or the
 * restored one, and never loses a file: then it is done again.
 * @throws StoreOpenError, BackupError, Error of the file system
 */
export async function restoreDatabase(dataDir: string, backup: string): Promise<Restored> {
  const file = databaseFile(dataDir);
  try {
    makePrivateFolder(dataDir);
    const lock = lockDataFolder(dataDir);
    try {
      const files = filesOf(file);
      refuseOwnFile(backup, files);
      const copy = unfinishedName(files.main);
      try {
        const counts = await copyBackup(backup, copy);
        // Before the first step: a start between two steps must not make a new database.
        lock.noteDatabase();
        const kept = join(dirname(files.main), `${basename(files.main, '.db')}-before-${nameStamp()}`);
        const hasFormer = swap(files, copy, kept);
        await syncFolder(dirname(files.main));
        return { ...counts, kept: hasFormer ? kept : null };
      } finally {
        await removeUnfinished(copy);
      }
    } finally {
      lock.release();
    }
  } catch (error) {
    const isOfFiles = error instanceof Error && 'syscall' in error;
    throw isOfFiles || error instanceof BackupError ? error : explain(error, dataDir, file);
  }
}

function refuseOwnFile(backup: string, { main }: DatabaseFiles): void {
  const found = lookAt(backup);
  const own = lookAt(main);
  if (found === null) throw new StoreOpenError(`There is no file ${backup}.`);
  if (!found.isFile()) throw new StoreOpenError(`${backup} is no file.`);
  if (own !== null && found.ino === own.ino && found.dev === own.dev)
    throw new StoreOpenError(`${backup} is the database itself. Name the backup.`);
}

/** With what is in its log, if it has one. @throws StoreOpenError for what is no sound database of ours */
async function copyBackup(backup: string, copy: string): Promise<BackupCounts> {
  try {
    const fault = contentFault(backup);
    if (fault === 'foreign')
      throw new StoreOpenError(`${backup} is a database of another program. Nothing was changed.`);
    if (fault !== null) throw writtenByNewer(backup, fault.needs);
    return await copyTo(copy, openUntouched(backup));
  } catch (error) {
    throw explainBackup(error, backup);
  }
}

function swap(files: DatabaseFiles, copy: string, kept: string): boolean {
  const { main, log, index, journal } = files;
  const places = [log, journal].filter((path) => lookAt(path) !== null);
  const hasFormer = lookAt(main) !== null || places.length > 0;
  if (hasFormer) {
    mkdirSync(kept, { mode: PRIVATE_FOLDER });
    const inKept = (path: string) => join(kept, basename(path));
    // A log never stands beside a database that is not its own, nor a database without its log: until the former
    // one has its new name, the log has both names.
    const finish = places.map((path) => giveName(path, inKept(path)));
    if (lookAt(main) !== null) renameSync(main, inKept(main));
    for (const loseName of finish) loseName();
    rmSync(index, { force: true });
  }
  renameSync(copy, main);
  return hasFormer;
}

/** A second name. @returns what takes the first one away */
function giveName(path: string, second: string): () => void {
  try {
    linkSync(path, second);
    return () => rmSync(path);
  } catch {
    // A file system without second names.
    return () => renameSync(path, second);
  }
}

function explainBackup(error: unknown, backup: string): unknown {
  const isDamaged = error instanceof DamagedDatabaseError;
  if (!isDamaged && !(error instanceof SqliteDriver.SqliteError)) return error;
  const reason = error.message.replace(/\s+/g, ' ');
  if (isDamaged || /CORRUPT|NOTADB|^SQLITE_ERROR/.test(error.code)) {
    return new StoreOpenError(
      `${backup} is damaged or no backup of mochi-server (${reason}). Nothing was changed.`,
    );
  }
  return new BackupError(`${backup} could not be copied (${error.code.toLowerCase()}). Nothing was changed.`);
}
