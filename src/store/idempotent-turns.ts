// Turns by the keys of the requests that asked for them.
import { sql } from 'kysely';
import type { Db } from './database.ts';
import { dialectOf } from './dialect/dialect-of.ts';

export interface IdempotentTurn {
  readonly turnId: string;
  readonly sessionId: string;
  readonly hash: string | null;
}

/**
 * The newest turn that came with this key since an instant.
 * @param sessionId null: a run of an agent in whichever chat it was given
 */
export async function findIdempotentTurn(
  db: Db,
  sessionId: string | null,
  mark: { readonly key: string; readonly since: string },
): Promise<IdempotentTurn | null> {
  const createdAt = dialectOf(db).unindexed<string>('created_at');
  let query = db
    .selectFrom('turns')
    .select(['id', 'session_id', 'idempotency_hash'])
    .where('idempotency_key', '=', mark.key)
    .where(sql<boolean>`exists (select 1 from sessions where sessions.id = turns.session_id)`)
    // With the sign those with the key are looked through, instead of the turns of the session in their order.
    .where(sql<boolean>`${createdAt} > ${mark.since}`)
    .orderBy(createdAt, 'desc')
    .limit(1);
  query =
    sessionId === null
      ? query.where('agent_name', 'is not', null)
      : query.where('session_id', '=', sessionId);
  const row = await query.executeTakeFirst();
  return row === undefined ? null : { turnId: row.id, sessionId: row.session_id, hash: row.idempotency_hash };
}

/** In a transaction: whoever comes with the same key waits for its end. PostgreSQL alone. */
export async function lockKey(db: Db, key: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${key}, 0))`.execute(db);
}
