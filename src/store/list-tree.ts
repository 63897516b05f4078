// The whole tree of a session, page by page.
import { sql } from 'kysely';
import type { TreeMessage } from '../contract/message.ts';
import type { Db } from './database.ts';
import { type MessageRow, SYSTEM_DEPTH, systemIdOf, toMessage } from './messages.ts';

/** Every message of the session in creation order, the branches included. */
export async function listTree(
  db: Db,
  sessionId: string,
  page: { readonly afterSeq: number; readonly limit: number },
): Promise<{ readonly message: TreeMessage; readonly seq: number }[]> {
  const rows = await db
    .selectFrom('messages')
    .selectAll()
    .select(systemIdOf)
    .where('session_id', '=', sessionId)
    .where('seq', '>', page.afterSeq)
    .orderBy('seq')
    .limit(page.limit)
    .execute();
  const countOf = await countSiblings(db, sessionId, rows);
  return rows.map((row) => {
    const shown = toMessage({ ...row, sibling_count: countOf(row) });
    const { depth: _depth, toolCallId: _toolCallId, ...message } = shown;
    return { message, seq: row.seq };
  });
}

/** Each parent's children are counted once, however many of them are on the page. */
async function countSiblings(
  db: Db,
  sessionId: string,
  rows: readonly Pick<MessageRow, 'parent_id' | 'system_id'>[],
): Promise<(row: Pick<MessageRow, 'parent_id' | 'depth' | 'system_id'>) => number> {
  const parents = [...new Set(rows.map((row) => row.parent_id))];
  const { rows: found } = await sql<{ parent: string | null; children: number }>`
    select parent.value as parent,
      (select count(*) from messages where session_id = ${sessionId} and parent_id is parent.value) as children
    from json_each(${JSON.stringify(parents)}) as parent
  `.execute(db);
  const counts = new Map(found.map(({ parent, children }) => [parent, children]));
  return ({ parent_id: parent, depth, system_id: systemId }) => {
    if (depth === SYSTEM_DEPTH) return 1;
    // The system message has no parent either, and stands apart.
    return (counts.get(parent) ?? 1) - (parent === null && systemId !== null ? 1 : 0);
  };
}
