// How long the last answers were, by their models.
import { sql } from 'kysely';
import type { Db } from './database.ts';

/** Messages that are looked through, the newest: what a start costs does not grow with the history. */
const LOOKED_THROUGH = 2000;

/** The oldest first. */
export async function listRecentAnswers(
  db: Db,
): Promise<readonly { readonly model: string; readonly tokens: number }[]> {
  const { rows } = await sql<{ readonly model: string; readonly tokens: number }>`
    select model, eval_count as tokens from messages
    where seq > (select coalesce(max(seq), 0) from messages) - ${LOOKED_THROUGH}
      and role = 'assistant' and model is not null and eval_count is not null
    order by seq
  `.execute(db);
  return rows;
}
