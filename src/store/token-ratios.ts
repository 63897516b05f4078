// Bytes per token of each model, as they were learned.
import type { Db } from './database.ts';

/** UTF-8 bytes per token. */
export interface StoredRatio {
  readonly plain: number;
  /** Null: learned by a version that did not tell kinds of text apart. */
  readonly dense: number | null;
}

export async function listTokenRatios(db: Db): Promise<[string, StoredRatio][]> {
  const rows = await db.selectFrom('token_ratios').selectAll().execute();
  return rows.map((row) => [row.model, { plain: row.bytes_per_token, dense: row.dense_bytes_per_token }]);
}

export async function saveTokenRatio(db: Db, model: string, { plain, dense }: StoredRatio): Promise<void> {
  const learned = { bytes_per_token: plain, dense_bytes_per_token: dense };
  await db
    .insertInto('token_ratios')
    .values({ model, ...learned })
    .onConflict((conflict) => conflict.column('model').doUpdateSet(learned))
    .execute();
}
