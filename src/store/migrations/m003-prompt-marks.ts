// What the engine was last sent for each session, what was learned of each model's tokens, and which turns still
// hold a message that is not on the path.
import { type Kysely, sql } from 'kysely';

export async function m003PromptMarks(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('sessions').addColumn('prompt_mark', 'text').execute();
  await db.schema
    .createTable('token_ratios')
    .addColumn('model', 'text', (column) => column.primaryKey())
    .addColumn('bytes_per_token', 'real', (column) => column.notNull())
    .execute();
  await sql`create index turns_open_message on turns (session_id) where request is not null`.execute(db);
}
