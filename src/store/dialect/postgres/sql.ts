// PostgreSQL's words.
import { type RawBuilder, sql } from 'kysely';
import { jsonArrayFrom } from 'kysely/helpers/postgres';
import type { SqlDialect } from '../sql-dialect.ts';

/**
 * A column of JSON without U+0000, which it could not be read with, wherever in it that stands: what is read is then as
 * texts have it that are stored.
 */
function readable(column: string): RawBuilder<string> {
  const text = sql.ref(column);
  return sql`case when strpos(${text}, '\\u00') = 0 then ${text} else
    ${replaceEscape(replaceEscape(sql`${text}`, '001a', '001a1'), '0000', '001a0')} end`;
}

/** One that is not itself a part of an escaped backslash. */
function replaceEscape(text: RawBuilder<unknown>, from: string, to: string): RawBuilder<unknown> {
  const escape = `(?<!\\\\)((?:\\\\\\\\)*)\\\\u${from}`;
  return sql`regexp_replace(${text}, ${sql.lit(escape)}, ${sql.lit(`\\1\\\\u${to}`)}, 'g')`;
}

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
  jsonText: (column, key) => sql`(cast(${readable(column)} as json) ->> ${sql.lit(key)})`,
  jsonLength: (column) => sql`json_array_length(cast(${sql.ref(column)} as json))`,
  jsonRows: (query) => jsonArrayFrom(query),
} satisfies SqlDialect);
