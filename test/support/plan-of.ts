// How SQLite goes about what a query function asks, with the statements of the store.
import { join } from 'node:path';
import { Kysely, type LogEvent, SqliteDialect } from 'kysely';
import type { Database } from '../../src/store/database.ts';
import { PreparedOnceCompiler } from '../../src/store/dialect/sqlite/compiler.ts';
import { openSqlite } from '../../src/store/sqlite.ts';

class PlannedDialect extends SqliteDialect {
  override createQueryCompiler(): PreparedOnceCompiler {
    return new PreparedOnceCompiler();
  }
}

/** @returns a line for each step of all that it asks */
export async function planOf(
  dataDir: string,
  ask: (db: Kysely<Database>) => Promise<unknown>,
): Promise<string> {
  const queries: LogEvent['query'][] = [];
  const database = openSqlite(join(dataDir, 'mochi.db'));
  const db = new Kysely<Database>({
    dialect: new PlannedDialect({ database }),
    log: ({ query }) => void queries.push(query),
  });
  await ask(db);
  const plans = queries.flatMap((query) =>
    database.driver.prepare(`explain query plan ${query.sql}`).all(query.parameters),
  ) as { detail: string }[];
  await db.destroy();
  return plans.map(({ detail }) => detail).join('\n');
}
