// Looks from outside at what a server has stored, in whichever database it keeps that.
import { join } from 'node:path';
import { Kysely, SqliteDialect } from 'kysely';
import type { Database, Db } from '../../src/store/database.ts';
import { openReadable } from '../../src/store/open-readable.ts';
import { snapshotOf } from '../../src/store/sqlite.ts';
import { databaseFor, readerOf } from './test-database.ts';

/** The rows of one moment; changes nothing. */
export async function lookInto<T>(dataDir: string, look: (db: Db) => Promise<T>): Promise<T> {
  if ((await databaseFor(dataDir)) !== undefined) {
    const db = await readerOf(dataDir);
    return db.transaction().setIsolationLevel('repeatable read').execute(look);
  }
  const database = snapshotOf(openReadable(join(dataDir, 'mochi.db')));
  const db = new Kysely<Database>({ dialect: new SqliteDialect({ database }) });
  try {
    return await look(db);
  } finally {
    await db.destroy();
  }
}
