// Opens the data folder: one lock, one database, its schema brought up to date.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Kysely, SqliteAdapter, SqliteDialect } from 'kysely';
import { Migrator } from 'kysely/migration';
import { DataFolderInUseError, lockDataFolder } from './data-folder-lock.ts';
import type { Database, Db } from './database.ts';
import { MIGRATIONS } from './migrations/migrations.ts';
import { DamagedDatabaseError, openSqlite } from './sqlite.ts';

export interface Store {
  readonly db: Db;
  /** What it took to bring the schema up to date. */
  readonly migrationMs: number;
  close(): Promise<void>;
}

/** The data folder cannot be used; `message` says why and what to do. */
export class StoreOpenError extends Error {
  override readonly name = 'StoreOpenError';
}

export interface OpenStoreOptions {
  /** Made when it is missing. */
  readonly dataDir: string;
  /** false: another process may be the server of this folder (commands that only add). */
  readonly exclusive: boolean;
}

/** Where the database of a data folder is. */
export function databaseFile(dataDir: string): string {
  return join(dataDir, 'mochi.db');
}

/** @throws StoreOpenError */
export async function openStore({ dataDir, exclusive }: OpenStoreOptions): Promise<Store> {
  const file = databaseFile(dataDir);
  let unlock: (() => void) | undefined;
  let db: Db | undefined;
  let migrationMs: number;
  try {
    mkdirSync(dataDir, { recursive: true });
    unlock = exclusive ? lockDataFolder(dataDir) : undefined;
    db = new Kysely<Database>({ dialect: new AtomicSqliteDialect({ database: openSqlite(file) }) });
    const startedAt = performance.now();
    await migrate(db);
    migrationMs = performance.now() - startedAt;
  } catch (error) {
    await db?.destroy();
    unlock?.();
    throw explain(error, dataDir, file);
  }
  const opened = db;
  return {
    db: opened,
    migrationMs,
    close: async () => {
      await opened.destroy();
      unlock?.();
    },
  };
}

/** SQLite can roll a change of the schema back; kysely does not count on it. A kill then leaves no half of one. */
class AtomicSqliteDialect extends SqliteDialect {
  override createAdapter(): SqliteAdapter {
    return new AtomicSqliteAdapter();
  }
}

class AtomicSqliteAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

async function migrate(db: Db): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => ({ ...MIGRATIONS }) } });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw error;
}

/** The reason in plain words, with what to do. */
export function explain(error: unknown, dataDir: string, file: string): StoreOpenError {
  const reason = (error instanceof Error ? error.message : String(error)).replace(/\s+/g, ' ');
  if (error instanceof DataFolderInUseError) {
    return new StoreOpenError(
      `The data folder ${dataDir} is in use by another mochi-server. Stop that one, or choose another folder with --data-dir.`,
    );
  }
  if (/previously executed migration|corrupted migrations/i.test(reason)) {
    return new StoreOpenError(
      `${file} was written by a newer mochi-server. Start that version, or choose another folder with --data-dir.`,
    );
  }
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const wireReason = isDetailed(error) ? String(error.details.reason) : '';
  if (/NOTADB|CORRUPT/i.test(`${code} ${wireReason}`) || error instanceof DamagedDatabaseError) {
    return new StoreOpenError(
      `${file} is damaged or no SQLite database (${reason}). It was left as it is: put a backup in its place, or move it away to start anew.`,
    );
  }
  return new StoreOpenError(
    `The data folder ${dataDir} cannot be used: ${[reason, wireReason].filter(Boolean).join(' ')}.`,
  );
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
