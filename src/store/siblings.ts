// What hangs beside a message of the tree, and what hangs below it.
import { sql } from 'kysely';
import type { Sibling } from '../contract/message.ts';
import type { Db } from './database.ts';
import { dialectOf } from './dialect/dialect-of.ts';
import type { PathPlace } from './path-place.ts';
import { shorten } from './shorten.ts';

/** Longest preview, in code points. */
const PREVIEW_LENGTH = 200;

/** The messages with the same parent, itself included, in creation order. Their texts are read as far as shown. */
export async function listSiblings(db: Db, sessionId: string, messageId: string): Promise<Sibling[]> {
  const { rows } = await sql<Sibling>`
    select sibling.id as message_id, sibling.role, substr(sibling.content, 1, ${PREVIEW_LENGTH + 1}) as preview,
      sibling.timestamp, sibling.model, sibling.status
    from messages join messages as sibling
      on sibling.session_id = messages.session_id and sibling.active in (0, 1) and sibling.depth = messages.depth
      and ${dialectOf(db).isSame('sibling.parent_id', 'messages.parent_id')}
    where messages.session_id = ${sessionId} and messages.id = ${messageId}
    order by ${dialectOf(db).unindexed('sibling.seq')}
  `.execute(db);
  return rows.map((row) => ({ ...row, preview: shorten(row.preview, PREVIEW_LENGTH) }));
}

/**
 * The message that was created last of all that follow one, which nothing follows: the message itself where nothing
 * follows it.
 * @param messageId null: of the whole tree
 * @returns null for an empty tree
 */
export async function findNewestLeaf(
  db: Db,
  sessionId: string,
  messageId: string | null,
): Promise<PathPlace | null> {
  const top =
    messageId === null ? sql`active in (0, 1) and depth = 0 and parent_id is null` : sql`id = ${messageId}`;
  const { rows } = await sql<PathPlace>`
    with recursive below (seq, id, depth) as (
      select seq, id, depth from messages where session_id = ${sessionId} and ${top}
      union all
      select child.seq, child.id, child.depth
      from below cross join messages as child
      where child.session_id = ${sessionId}
        and child.active in (0, 1) and child.depth = below.depth + 1 and child.parent_id = below.id
    )
    select id, depth from messages where seq = (select max(seq) from below)
  `.execute(db);
  return rows[0] ?? null;
}
