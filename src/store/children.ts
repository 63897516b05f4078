// What follows a message of the tree.
import type { Db } from './database.ts';
import { dialectOf } from './dialect/dialect-of.ts';
import { type PromptMessage, toMessage } from './messages.ts';
import type { PathPlace } from './path-place.ts';

/** Those that follow it at once, the newest first. @param parent null: the first ones of the tree */
export async function listChildren(
  db: Db,
  sessionId: string,
  parent: PathPlace | null,
): Promise<PromptMessage[]> {
  const rows = await db
    .selectFrom('messages')
    .selectAll()
    .where('session_id', '=', sessionId)
    .where('active', 'in', [0, 1])
    .where('depth', '=', parent === null ? 0 : parent.depth + 1)
    .where((is) => (parent === null ? is('parent_id', 'is', null) : is('parent_id', '=', parent.id)))
    .orderBy(dialectOf(db).unindexed('seq'), 'desc')
    .execute();
  return rows.map((row) => toMessage({ ...row, system_id: null, sibling_count: 1, sibling_index: 0 }));
}

/** Of those with text and calls that a turn has said, in order: what its client was told. */
export async function listAnswersOfTurn(
  db: Db,
  sessionId: string,
  turnId: string,
): Promise<{ readonly id: string; readonly content: string }[]> {
  return db
    .selectFrom('messages')
    .select(['id', 'content'])
    .where('session_id', '=', sessionId)
    .where('turn_id', '=', turnId)
    .where('role', '=', 'assistant')
    .orderBy('seq')
    .execute();
}
