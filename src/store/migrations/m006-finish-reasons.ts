// How each answer ended: by itself, at a limit of its length, or with calls of tools.
import type { Kysely } from 'kysely';

export async function m006FinishReasons(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('messages').addColumn('finish_reason', 'text').execute();
}
