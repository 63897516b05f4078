// The stored data as it is at one moment, for readers that take their time, beside whoever writes.
import { existsSync } from 'node:fs';
import { Kysely, SqliteDialect, sql } from 'kysely';
import type { Database, Db } from './database.ts';
import { databaseFile } from './database-files.ts';
import { MIGRATIONS } from './migrations/migrations.ts';
import { openReadable } from './open-readable.ts';
import { snapshotOf } from './sqlite.ts';
import { explain, StoreOpenError } from './store-open-error.ts';

export interface Snapshot {
  /** For reading only. */
  readonly db: Db;
  /** Soon: the write-ahead log cannot shrink while a snapshot is open. */
  close(): Promise<void>;
}

/** @throws StoreOpenError when there is no database, or not one of this version */
export async function openSnapshot(dataDir: string): Promise<Snapshot> {
  const file = databaseFile(dataDir);
  if (!existsSync(file)) throw new StoreOpenError(`There is no database in ${dataDir} (--data-dir).`);
  let db: Db | undefined;
  try {
    db = new Kysely<Database>({ dialect: new SqliteDialect({ database: snapshotOf(openReadable(file)) }) });
    await requireSchema(db, file);
  } catch (error) {
    await db?.destroy();
    throw error instanceof StoreOpenError ? error : explain(error, dataDir, file);
  }
  const opened = db;
  return { db: opened, close: () => opened.destroy() };
}

/** A snapshot cannot be migrated. @throws StoreOpenError */
async function requireSchema(db: Db, file: string): Promise<void> {
  const { rows } = await sql<{ name: string }>`select name from kysely_migration`.execute(db);
  const done = new Set(rows.map(({ name }) => name));
  const known = Object.keys(MIGRATIONS);
  if (known.every((name) => done.has(name)) && done.size === known.length) return;
  const isNewer = done.size > known.length;
  throw new StoreOpenError(
    `${file} was written by ${isNewer ? 'a newer' : 'an older'} mochi-server. ` +
      (isNewer ? 'Use that version.' : 'Start this version once: it brings the file up to date.'),
  );
}
