// Rows of the database, read beside whoever writes to it: for commands that only look.
import { existsSync } from 'node:fs';
import type { StorePlace } from './command-store.ts';
import { databaseFile } from './database-files.ts';
import { openLookingPool } from './dialect/postgres/pool.ts';
import { openReadable } from './open-readable.ts';

/**
 * What a query finds that both databases understand.
 * @returns nothing where there is no database, or none that can be read like this: its examination says why
 */
export async function readRows<Row extends object>(place: StorePlace, query: string): Promise<Row[]> {
  const { dataDir, databaseUrl } = place;
  try {
    return databaseUrl === null
      ? readSqlite<Row>(dataDir, query)
      : await readPostgres<Row>(databaseUrl, query);
  } catch {
    return [];
  }
}

function readSqlite<Row>(dataDir: string, query: string): Row[] {
  const file = databaseFile(dataDir);
  if (!existsSync(file)) return [];
  const { driver, close } = openReadable(file);
  try {
    return driver.prepare<[], Row>(query).all();
  } finally {
    close();
  }
}

async function readPostgres<Row extends object>(url: string, query: string): Promise<Row[]> {
  const { pool } = openLookingPool(url);
  try {
    return (await pool.query<Row>(query)).rows;
  } finally {
    await pool.end();
  }
}
