// PostgreSQL: the system prompt files, which folders of several servers would not share.
import { type Kysely, sql } from 'kysely';
import { dialectOf } from '../dialect/dialect-of.ts';

export async function m018PromptFiles(db: Kysely<unknown>): Promise<void> {
  if (dialectOf(db).name !== 'postgres') return;
  await sql`create table prompt_files (
    filename text collate "C" primary key,
    content text not null
  )`.execute(db);
}
