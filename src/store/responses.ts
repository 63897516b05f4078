// What was asked for where a turn was begun as a response: said back whenever the response is read.
import type { Db } from './database.ts';
import { SYSTEM_DEPTH } from './messages.ts';
import { parseStored } from './parse-stored.ts';

export interface StoredResponse {
  /** As it was kept. */
  readonly request: Readonly<Record<string, unknown>>;
  /** Nobody reads it any more, though its turn is there. */
  readonly isDeleted: boolean;
}

export async function insertResponse(db: Db, turnId: string, request: object): Promise<void> {
  await db
    .insertInto('responses')
    .values({ turn_id: turnId, request: JSON.stringify(request), deleted: 0 })
    // A repeated request has joined the turn of the first.
    .onConflict((conflict) => conflict.column('turn_id').doNothing())
    .execute();
}

/** Null: the turn was begun otherwise. */
export async function findResponse(db: Db, turnId: string): Promise<StoredResponse | null> {
  const row = await db
    .selectFrom('responses')
    .select(['request', 'deleted'])
    .where('turn_id', '=', turnId)
    .executeTakeFirst();
  return row === undefined ? null : { request: parseStored(row.request), isDeleted: row.deleted === 1 };
}

export async function markResponseDeleted(db: Db, turnId: string): Promise<void> {
  await db
    .insertInto('responses')
    .values({ turn_id: turnId, request: '{}', deleted: 1 })
    .onConflict((conflict) => conflict.column('turn_id').doUpdateSet({ deleted: 1 }))
    .execute();
}

/** Whether a session holds messages of the tree, on whichever branch, that are not of this turn. */
export async function hasOtherMessages(db: Db, sessionId: string, turnId: string): Promise<boolean> {
  const other = await db
    .selectFrom('messages')
    .select('id')
    .where('session_id', '=', sessionId)
    .where('depth', '>', SYSTEM_DEPTH)
    .where(({ or, eb }) => or([eb('turn_id', 'is', null), eb('turn_id', '!=', turnId)]))
    .limit(1)
    .executeTakeFirst();
  return other !== undefined;
}
