// Why a data folder cannot be used, in plain words.
import { accessSync, constants } from 'node:fs';
import { VERSION } from '../version.ts';
import { DataFolderInUseError } from './data-folder-lock.ts';
import { lookAt } from './database-files.ts';
import { DamagedDatabaseError } from './sqlite.ts';

/** The data folder cannot be used; `message` says why and what to do. */
export class StoreOpenError extends Error {
  override readonly name = 'StoreOpenError';
}

/** The reason in plain words, with what to do. */
export function explain(error: unknown, dataDir: string, file: string): StoreOpenError {
  if (error instanceof StoreOpenError) return error;
  const reason = (error instanceof Error ? error.message : String(error)).replace(/\s+/g, ' ');
  if (error instanceof DataFolderInUseError) {
    return new StoreOpenError(
      `The data folder ${dataDir} is in use by another mochi-server. Stop that one, or choose another folder with --data-dir.`,
    );
  }
  if (/previously executed migration|corrupted migrations/i.test(reason)) return writtenByNewer(file, null);
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const wireReason = isDetailed(error) ? String(error.details.reason) : '';
  if (/NOTADB|CORRUPT/i.test(`${code} ${wireReason}`) || error instanceof DamagedDatabaseError) {
    return new StoreOpenError(
      `${file} is damaged or no SQLite database (${reason}). It was left as it is: put a backup in its place (mochi-server restore FILE), or move it away and start with --new-database.`,
    );
  }
  // A read-only file system is told by SQLite as a fault of the disk.
  const rights = /CANTOPEN|READONLY|IOERR|EACCES|EPERM|EROFS/i.test(`${code} ${wireReason}`)
    ? missingRights(dataDir, file)
    : null;
  return new StoreOpenError(
    `The data folder ${dataDir} cannot be used: ${[rights ?? reason, wireReason].filter(Boolean).join(' ')}.`,
  );
}

/** Before anything is opened that reads well and fails at the first write. @throws StoreOpenError */
export function requireRights(dataDir: string, file: string): void {
  const missing = missingRights(dataDir, file);
  if (missing !== null) throw new StoreOpenError(`The data folder ${dataDir} cannot be used: ${missing}.`);
}

/** @param needs the version from which on it may be used; null: that is not known */
export function writtenByNewer(file: string, needs: string | null): StoreOpenError {
  return new StoreOpenError(
    `${file} was written by a newer mochi-server${tooOld(needs)}. Start that version, or choose another folder with --data-dir.`,
  );
}

/** Nothing where it is not known. */
export function tooOld(needs: string | null): string {
  return needs === null ? '' : `, and needs ${needs} or newer: this is ${VERSION}`;
}

/** SQLite only says that it could not open something. */
function missingRights(dataDir: string, file: string): string | null {
  const may = (path: string, mode: number) => {
    try {
      accessSync(path, mode);
      return true;
    } catch {
      return false;
    }
  };
  if (!may(dataDir, constants.R_OK | constants.X_OK)) return 'this user may not read it';
  if (lookAt(file) !== null && !may(file, constants.R_OK)) return `this user may not read ${file}`;
  if (!may(dataDir, constants.W_OK)) return 'it may not be written to (read-only, or of another user)';
  if (lookAt(file) !== null && !may(file, constants.W_OK)) return `this user may not write ${file}`;
  return null;
}

function isDetailed(error: unknown): error is { details: { reason: unknown } } {
  return (
    typeof error === 'object' &&
    error !== null &&
    'details' in error &&
    typeof error.details === 'object' &&
    error.details !== null &&
    'reason' in error.details
  );
}
