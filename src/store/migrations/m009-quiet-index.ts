// The search index no longer merges many pages inside of a commit that deletes: `merge-index` does it in slices.
import { type Kysely, sql } from 'kysely';

export async function m009QuietIndex(db: Kysely<unknown>): Promise<void> {
  await sql`insert into search_index (search_index, rank) values ('deletemerge', 0)`.execute(db);
}
