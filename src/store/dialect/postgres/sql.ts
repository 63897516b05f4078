// PostgreSQL's words.
import { sql } from 'kysely';
import { jsonArrayFrom } from 'kysely/helpers/postgres';
import type { SqlDialect } from '../sql-dialect.ts';

export const POSTGRES: SqlDialect = Object.freeze({
  name: 'postgres',
  place: sql`ctid`,
  isAt: (places) => sql`ctid = any(${places}::tid[])`,
  order: (table, name = table) => sql`${sql.ref(`${name}.seq`)}`,
  unfinishedTurns: sql`turns`,
  unindexed: (column) => sql`${sql.ref(column)}`,
  isAmong: (column, values) => sql`${sql.ref(column)} = any(${values})`,
  // `is not distinct from` would look through every row.
  isSame: (one, other) =>
    sql`(${sql.ref(one)} = ${sql.ref(other)} or (${sql.ref(one)} is null and ${sql.ref(other)} is null))`,
  table: (values, name) => sql`(
    select place - 1 as key, value from unnest(${values}::text[]) with ordinality as given (value, place)
  ) as ${sql.ref(name)}`,
  jsonText: (column, key) => sql`(cast(${sql.ref(column)} as json) ->> ${sql.lit(key)})`,
  jsonLength: (column) => sql`json_array_length(cast(${sql.ref(column)} as json))`,
  jsonRows: (query) => jsonArrayFrom(query),
} satisfies SqlDialect);
