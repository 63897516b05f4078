// A transaction whose commit does not wait for the disk.
import { sql } from 'kysely';
import type { Db } from './database.ts';

/**
 * For what may be a moment late on the disk: a killed process keeps it, a power cut can undo it until the next
 * full commit (WAL, https://www.sqlite.org/pragma.html#pragma_synchronous). Spares the sync, which costs more
 * than everything else in a small transaction.
 */
export async function commitUnsynced<T>(db: Db, action: (db: Db) => Promise<T>): Promise<T> {
  return db.connection().execute(async (connection) => {
    await sql`pragma synchronous = normal`.execute(connection);
    try {
      return await connection.transaction().execute(action);
    } finally {
      await sql`pragma synchronous = full`.execute(connection);
    }
  });
}
