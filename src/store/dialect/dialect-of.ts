// Which database a query goes to.
import { type Kysely, PostgresAdapter } from 'kysely';
import { POSTGRES } from './postgres/sql.ts';
import type { SqlDialect } from './sql-dialect.ts';
import { SQLITE } from './sqlite/sql.ts';

/** Of a database or a transaction on it. */
export function dialectOf<Tables>(db: Kysely<Tables>): SqlDialect {
  return db.getExecutor().adapter instanceof PostgresAdapter ? POSTGRES : SQLITE;
}
