// What the engine was last sent for each session, and what was learned of each model's tokens.
import type { Kysely } from 'kysely';

export async function m003PromptMarks(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('sessions').addColumn('prompt_mark', 'text').execute();
  await db.schema
    .createTable('token_ratios')
    .addColumn('model', 'text', (column) => column.primaryKey())
    .addColumn('bytes_per_token', 'real', (column) => column.notNull())
    .execute();
}
