// Which database a query goes to.
import { PostgresAdapter } from 'kysely';
import type { Db } from '../database.ts';
import { POSTGRES } from './postgres/sql.ts';
import type { SqlDialect } from './sql-dialect.ts';
import { SQLITE } from './sqlite/sql.ts';

/** Of a database or a transaction on it. */
export function dialectOf(db: Db): SqlDialect {
  return db.getExecutor().adapter instanceof PostgresAdapter ? POSTGRES : SQLITE;
}
