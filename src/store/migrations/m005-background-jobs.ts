// What is to be written about each session while nobody waits for the engine.
import { type Kysely, sql } from 'kysely';

export async function m005BackgroundJobs(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('background_jobs')
    .addColumn('session_id', 'text', (column) =>
      column.notNull().references('sessions.id').onDelete('cascade'),
    )
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('version', 'integer', (column) => column.notNull())
    .addColumn('wanted', 'integer', (column) => column.notNull())
    .addColumn('done', 'integer', (column) => column.notNull())
    .addColumn('attempts', 'integer', (column) => column.notNull())
    .addColumn('due_at', 'integer', (column) => column.notNull())
    .addPrimaryKeyConstraint('background_jobs_key', ['session_id', 'kind'])
    .execute();
  await sql`create index background_jobs_due on background_jobs (due_at, kind desc) where wanted > done`.execute(
    db,
  );
}
