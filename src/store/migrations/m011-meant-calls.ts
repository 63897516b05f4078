// Which tool a call was taken for, and what it ran with, where that is not what the model wrote; and whether it was
// written as text.
import type { Kysely } from 'kysely';

export async function m011MeantCalls(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('tool_calls').addColumn('tool', 'text').execute();
  await db.schema.alterTable('tool_calls').addColumn('ran_arguments', 'text').execute();
  await db.schema.alterTable('tool_calls').addColumn('origin', 'text').execute();
}
