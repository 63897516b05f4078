// The files of one database. Nothing here opens one: to close a file that SQLite has open in the same process
// takes its locks away.
import { realpathSync, renameSync, rmSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';

export interface DatabaseFiles {
  /** Where it really lies: SQLite follows links, and keeps the others beside it. */
  readonly main: string;
  /** The write-ahead log: what was committed and is not in the file yet. */
  readonly log: string;
  /** SQLite's index of the log; it holds no data. */
  readonly index: string;
  /** A transaction of a database without such a log that was cut off. */
  readonly journal: string;
}

/** Where the database of a data folder is. */
export function databaseFile(dataDir: string): string {
  return join(dataDir, 'mochi.db');
}

export function filesOf(database: string): DatabaseFiles {
  const main = realPath(database);
  return { main, log: `${main}-wal`, index: `${main}-shm`, journal: `${main}-journal` };
}

/** @returns the path itself when nothing is there */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

/** Null for what is not there. */
export function lookAt(path: string): Stats | null {
  return statSync(path, { throwIfNoEntry: false }) ?? null;
}

/** 0 for what is not there. */
export function sizeOf(path: string): number {
  return lookAt(path)?.size ?? 0;
}

/** Gives what is there, and holds anything, another name. @returns the new names */
export function setAside(files: readonly string[], ending: string): string[] {
  const kept: string[] = [];
  for (const file of files) {
    if (sizeOf(file) > 0) {
      renameSync(file, `${file}.${ending}`);
      kept.push(`${file}.${ending}`);
    } else {
      rmSync(file, { force: true });
    }
  }
  return kept;
}
