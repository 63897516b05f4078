// SQLite's words.
import { sql } from 'kysely';
import { jsonArrayFrom } from 'kysely/helpers/sqlite';
import type { SqlDialect } from '../sql-dialect.ts';

const place = sql`rowid`;

export const SQLITE: SqlDialect = Object.freeze({
  name: 'sqlite',
  place,
  isAt: (places) => sql`rowid in (select value from json_each(${JSON.stringify(places)}))`,
  order: (table, name = table) => sql`${sql.ref(name)}.rowid`,
  unfinishedTurns: sql`turns indexed by turns_unfinished`,
  unindexed: (column) => sql`+${sql.ref(column)}`,
  isAmong: (column, values) =>
    sql`${sql.ref(column)} in (select value from json_each(${JSON.stringify(values)}))`,
  isSame: (one, other) => sql`${sql.ref(one)} is ${sql.ref(other)}`,
  table: (values, name) => sql`json_each(${JSON.stringify(values)}) as ${sql.ref(name)}`,
  jsonText: (column, key) =>
    sql`json_extract(${sql.ref(column)}, ${sql.lit(typeof key === 'number' ? `$[${key}]` : `$.${key}`)})`,
  jsonLength: (column) => sql`json_array_length(${sql.ref(column)})`,
  jsonRows: (query) => jsonArrayFrom(query),
} satisfies SqlDialect);
