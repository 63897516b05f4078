// The whole tree of a session, page by page.
import { sql } from 'kysely';
import type { TreeMessage } from '../contract/message.ts';
import { withClientCalls } from './client-calls.ts';
import type { Db } from './database.ts';
import { dialectOf } from './dialect/dialect-of.ts';
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
  const siblingsOf = await countSiblings(db, sessionId, rows, page.afterSeq);
  const messages = await withClientCalls(
    db,
    sessionId,
    rows.map((row) => toMessage({ ...row, ...siblingsOf(row) })),
  );
  return messages.map(({ depth: _depth, toolCallId: _toolCallId, ...message }, index) => ({
    message,
    seq: rows[index]?.seq ?? 0,
  }));
}

/**
 * Each parent's children are counted once, however many of them are on the page.
 * @returns of the rows of the page, asked one after the other, the siblings
 */
async function countSiblings(
  db: Db,
  sessionId: string,
  rows: readonly Pick<MessageRow, 'parent_id' | 'system_id'>[],
  afterSeq: number,
): Promise<
  (row: Pick<MessageRow, 'parent_id' | 'depth'>) => Pick<MessageRow, 'sibling_count' | 'sibling_index'>
> {
  const parents = [...new Set(rows.map((row) => row.parent_id))];
  const dialect = dialectOf(db);
  // As `messages_path` has them. The system message has no parent either, and stands at a depth of its own.
  const isChild = sql`session_id = ${sessionId} and active in (0, 1)
    and depth = coalesce((select depth + 1 from messages where session_id = ${sessionId} and id = parent.value), 0)
    and ${dialect.isSame('parent_id', 'parent.value')}`;
  const { rows: found } = await sql<{ parent: string | null; children: number; before: number }>`
    select parent.value as parent,
      (select count(*) from messages where ${isChild}) as children,
      (select count(*) from messages where ${isChild} and seq <= ${afterSeq}) as before
    from ${dialect.table(parents, 'parent')}
  `.execute(db);
  const counts = new Map(found.map(({ parent, children, before }) => [parent, { children, before }]));
  return ({ parent_id: parent, depth }) => {
    const count = counts.get(parent);
    if (depth === SYSTEM_DEPTH || count === undefined) return { sibling_count: 1, sibling_index: 0 };
    const index = count.before;
    count.before += 1;
    return { sibling_count: count.children, sibling_index: index };
  };
}
