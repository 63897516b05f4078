// Bytes per token of each model, as they were learned.
import type { Db } from './database.ts';

export async function listTokenRatios(db: Db): Promise<[string, number][]> {
  const rows = await db.selectFrom('token_ratios').selectAll().execute();
  return rows.map((row) => [row.model, row.bytes_per_token]);
}

export async function saveTokenRatio(db: Db, model: string, ratio: number): Promise<void> {
  await db
    .insertInto('token_ratios')
    .values({ model, bytes_per_token: ratio })
    .onConflict((conflict) => conflict.column('model').doUpdateSet({ bytes_per_token: ratio }))
    .execute();
}
