// SQLite alone: the search index no longer merges many pages inside of a commit that deletes: `merge-index` does it in slices.
import { type Kysely, sql } from 'kysely';
import { dialectOf } from '../dialect/dialect-of.ts';

export async function m009QuietIndex(db: Kysely<unknown>): Promise<void> {
  if (dialectOf(db).name === 'postgres') return;
  await sql`insert into search_index (search_index, rank) values ('deletemerge', 0)`.execute(db);
}
