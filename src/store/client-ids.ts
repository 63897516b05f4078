// Messages under the names that clients have given them, and what answers them.
import type { Db } from './database.ts';
import type { PathPlace } from './path-place.ts';

export interface NamedMessage extends PathPlace {
  readonly role: 'system' | 'user' | 'assistant' | 'tool';
  readonly parentId: string | null;
}

/** By its own id or by that of a client; of several the one on the active path, else the newest. */
export async function findNamedMessage(db: Db, sessionId: string, id: string): Promise<NamedMessage | null> {
  const row = await db
    .selectFrom('messages')
    .select(['id', 'depth', 'role', 'parent_id as parentId'])
    .where('session_id', '=', sessionId)
    .where(({ or, eb }) => or([eb('id', '=', id), eb('client_id', '=', id)]))
    .orderBy('active', 'desc')
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row ?? null;
}

/** Where an answer ends: the last of the assistant and tool messages that follow each other from this one on. */
export async function findEndOfAnswer(db: Db, sessionId: string, message: PathPlace): Promise<PathPlace> {
  let end = message;
  for (;;) {
    const next = await db
      .selectFrom('messages')
      .select(['id', 'depth'])
      .where('session_id', '=', sessionId)
      .where('active', 'in', [0, 1])
      .where('depth', '=', end.depth + 1)
      .where('parent_id', '=', end.id)
      .where('role', 'in', ['assistant', 'tool'])
      .orderBy('active', 'desc')
      .orderBy('seq', 'desc')
      .limit(1)
      .executeTakeFirst();
    if (next === undefined) return end;
    end = next;
  }
}

/** What clients call messages, by id: of those that they have named. */
export async function listClientIds(db: Db, sessionId: string): Promise<Map<string, string>> {
  const rows = await db
    .selectFrom('messages')
    .select(['id', 'client_id'])
    .where('session_id', '=', sessionId)
    .where('active', '=', 1)
    .where('client_id', 'is not', null)
    .execute();
  return new Map(rows.map(({ id, client_id: name }) => [id, name ?? id]));
}
