// A session with the message at which its path ends: what a turn begins from, in one statement.
import { sql } from 'kysely';
import type { Db } from './database.ts';
import { parseStored } from './parse-stored.ts';
import type { PathPlace } from './path-place.ts';
import { prepared } from './prepared.ts';
import { type StoredSession, sessionExtras, toSession } from './sessions.ts';

export interface SessionHead {
  readonly place: PathPlace;
  readonly parentId: string | null;
  /** Of a user message. */
  readonly asked: { readonly content: string; readonly images: readonly string[] } | null;
  /** Whether calls of tools may be open there: it has some, or is what came of one. */
  readonly mayHaveCalls: boolean;
}

export interface HeadedSession {
  readonly session: StoredSession;
  /** Null: the path is empty. */
  readonly head: SessionHead | null;
}

const selectHeaded = prepared((db, { sessionId }: { readonly sessionId: string }) =>
  db
    .selectFrom('sessions')
    .leftJoin('messages as head', (join) =>
      join.onRef('head.session_id', '=', 'sessions.id').onRef('head.id', '=', 'sessions.head_id'),
    )
    .selectAll('sessions')
    .select(sessionExtras(db))
    .select([
      'head.timestamp as head_at',
      'head.parent_id as head_parent',
      'head.role as head_role',
      // An answer may be long, and nobody compares it.
      sql<string | null>`case when head.role = 'user' then head.content end`.as('head_content'),
      sql<string | null>`case when head.role = 'user' then head.images end`.as('head_images'),
      sql<number>`case when head.role = 'tool' or head.tool_calls is not null then 1 else 0 end`.as(
        'head_calls',
      ),
    ])
    .where('sessions.id', '=', sessionId),
);

export async function findHeadedSession(db: Db, sessionId: string): Promise<HeadedSession | null> {
  const { rows } = await selectHeaded(db, { sessionId });
  const [row] = rows;
  if (row === undefined) return null;
  const session = toSession(row);
  const { headId: id, headDepth: depth } = session;
  if (id === null || row.head_at === null) return { session, head: null };
  return {
    session,
    head: {
      place: { id, depth, at: row.head_at },
      parentId: row.head_parent,
      asked:
        row.head_content === null
          ? null
          : {
              content: row.head_content,
              images: row.head_images === null ? [] : parseStored(row.head_images),
            },
      mayHaveCalls: row.head_calls === 1,
    },
  };
}
