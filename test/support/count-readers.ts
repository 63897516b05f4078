// Who holds on to what is stored, at one moment.
import { readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import { databaseFor, readerOf } from './test-database.ts';

/** In this process: files that are open, or transactions. */
export async function countReaders(dataDir: string): Promise<number> {
  return (await databaseFor(dataDir)) === undefined ? countLogs(dataDir) : countTransactions(dataDir);
}

/** Of the log: files of the database itself are kept and used again, because of the locks on them. */
function countLogs(dataDir: string): number {
  return readdirSync('/proc/self/fd').filter((file) => {
    try {
      return readlinkSync(`/proc/self/fd/${file}`) === join(dataDir, 'mochi.db-wal');
    } catch {
      return false;
    }
  }).length;
}

async function countTransactions(dataDir: string): Promise<number> {
  const { rows } = await sql<{ count: number }>`select count(*) as count from pg_stat_activity
    where datname = current_database() and state = 'idle in transaction'`.execute(await readerOf(dataDir));
  return rows[0]?.count ?? 0;
}
