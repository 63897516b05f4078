// Idempotency keys on turns, and whether a tool call succeeded: a repeated request and a late watcher are
// answered from the rows.
import { type Kysely, sql } from 'kysely';

export async function m002IdempotentTurns(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('turns').addColumn('idempotency_key', 'text').execute();
  await db.schema.alterTable('turns').addColumn('idempotency_hash', 'text').execute();
  await db.schema
    .alterTable('turns')
    .addColumn('is_structured', 'integer', (column) => column.notNull().defaultTo(0))
    .execute();
  await sql`create index turns_idempotency on turns (session_id, idempotency_key) where idempotency_key is not null`.execute(
    db,
  );
  await db.schema.alterTable('tool_calls').addColumn('success', 'integer').execute();
}
