// What was deleted leaves marks in the search index, which go when its parts are merged. Left to itself the index
// would merge many pages at once, in the middle of a commit; here it is done a few pages at a time.
import { sql } from 'kysely';
import type { Db } from './database.ts';
import { dialectOf } from './dialect/dialect-of.ts';

/** Pages of the index that are merged at once. */
const PAGES = 16;
/** A part with this percentage of deleted entries is merged; 0: never by itself (m009). */
const WORTH_MERGING = 1;

/** Inside the caller's transaction. @returns whether nothing is left to be merged */
export async function mergeSlice(db: Db): Promise<boolean> {
  if (dialectOf(db).name !== 'sqlite') return true;
  await configure(db, 'deletemerge', WORTH_MERGING);
  const before = await countChanges(db);
  await configure(db, 'merge', PAGES);
  const after = await countChanges(db);
  await configure(db, 'deletemerge', 0);
  // As https://www.sqlite.org/fts5.html#the_merge_command has it: the command alone counts as one.
  return after - before < 2;
}

async function configure(db: Db, option: string, value: number): Promise<void> {
  // The driver would bind a number as REAL, which is no option.
  await sql`insert into search_index (search_index, rank) values (${option}, ${sql.lit(value)})`.execute(db);
}

async function countChanges(db: Db): Promise<number> {
  const { rows } = await sql<{ changes: number }>`select total_changes() as changes`.execute(db);
  return rows[0]?.changes ?? 0;
}
