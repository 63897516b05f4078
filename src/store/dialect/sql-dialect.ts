// What the databases say differently, so that every query is written once. A query that uses none of it is the same text
// in all of them.
import type { RawBuilder } from 'kysely';
import type { jsonArrayFrom } from 'kysely/helpers/sqlite';

/** Those whose rows are read in the order in which they were made, though nothing that is shown counts them. */
type OrderedTable = 'messages' | 'turns' | 'tool_executions' | 'history_marks';

export interface SqlDialect {
  readonly name: 'sqlite' | 'postgres';
  /** Where a row lies, for the length of a transaction: found and then deleted by it. */
  readonly place: RawBuilder<unknown>;
  /** The rows at these places. */
  isAt(places: readonly unknown[]): RawBuilder<boolean>;
  /** The place of a row in the order of creation. @param name under which the table is in the query; missing: its own */
  order(table: OrderedTable, name?: string): RawBuilder<number>;
  /** The turns of sessions that have no end, few as they are. */
  readonly unfinishedTurns: RawBuilder<unknown>;
  /** A column in which the planner sees no order of an index: what another index finds is sorted or looked through. */
  unindexed<T>(column: string): RawBuilder<T>;
  isAmong(column: string, values: readonly (string | number)[]): RawBuilder<boolean>;
  /** Two columns that are equal or both null, in a way that an index serves. */
  isSame(one: string, other: string): RawBuilder<boolean>;
  /** Values as a table: `key` counts them from 0, `value` is what they are. */
  table(values: readonly (string | null)[], name: string): RawBuilder<unknown>;
  /** What stands in a column of JSON, one step down, as text. */
  jsonText(column: string, key: string | number): RawBuilder<string | null>;
  /** How many entries the list in a column of JSON has; null where there is no list. */
  jsonLength(column: string): RawBuilder<number | null>;
  /** The rows of a query inside of another one's row; the driver gives them as text, or read. */
  jsonRows(query: Parameters<typeof jsonArrayFrom<object>>[0]): RawBuilder<unknown>;
}
