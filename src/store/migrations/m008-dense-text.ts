// Digits and letters beyond ASCII cost more tokens than words of English: learned apart.
import type { Kysely } from 'kysely';

export async function m008DenseText(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('token_ratios').addColumn('dense_bytes_per_token', 'real').execute();
}
