// How a conversation is recognised by the history that its client sends: a mark for each answer that a client was told.
import { sql } from 'kysely';
import type { Db } from './database.ts';
import { dialectOf } from './dialect/dialect-of.ts';
import { prepared } from './prepared.ts';

export interface HistoryMark {
  /** Of everything that was said up to the message, as its client has it. */
  readonly hash: string;
  readonly sessionId: string;
  /** The answer with which the history ends. */
  readonly messageId: string;
}

const addMark = prepared((db, { hash, sessionId, messageId }: HistoryMark) =>
  db
    .insertInto('history_marks')
    .values({ hash, session_id: sessionId, message_id: messageId })
    .onConflict((conflict) => conflict.doNothing()),
);

export async function insertMark(db: Db, mark: HistoryMark): Promise<void> {
  await addMark(db, mark);
}

/**
 * The mark of the longest history; of several that of a head of a session, then the newest. One query, whatever the
 * number of hashes.
 * @param hashes of one history, the shortest first
 * @param sessionId looked for in this session alone; null: in all chats
 * @returns `place`: which of the hashes it is
 */
export async function findLongestMark(
  db: Db,
  hashes: readonly string[],
  sessionId: string | null = null,
): Promise<(HistoryMark & { readonly place: number }) | null> {
  if (hashes.length === 0) return null;
  const dialect = dialectOf(db);
  const { rows } = await sql<{ place: number; hash: string; sessionId: string; messageId: string }>`
    select asked.key as place, mark.hash, mark.session_id as "sessionId", mark.message_id as "messageId"
    from ${dialect.table(hashes, 'asked')}
    join history_marks as mark on mark.hash = asked.value
    join sessions on sessions.id = mark.session_id and sessions.kind = 'chat'
    where ${sessionId === null ? sql`true` : sql`mark.session_id = ${sessionId}`}
    order by asked.key desc, case when sessions.head_id = mark.message_id then 1 else 0 end desc,
      ${dialect.order('history_marks', 'mark')} desc
    limit 1
  `.execute(db);
  return rows[0] ?? null;
}
