// The path that a session shows through its tree: append to it, move it to another branch.
import { sql } from 'kysely';
import type { Db } from './database.ts';
import { dialectOf } from './dialect/dialect-of.ts';
import { insertMessage, insertMessages, type NewMessage } from './insert-messages.ts';
import { findMessage, SYSTEM_DEPTH } from './messages.ts';
import type { PathPlace } from './path-place.ts';
import { prepared } from './prepared.ts';
import { moveHeadFrom, type SessionChange, updateSession } from './sessions.ts';
import { shorten } from './shorten.ts';

/** What changes in the session's row with its path; `isQuiet`: when it was changed last stays as it is. */
export type SessionAlso = SessionChange & { readonly isQuiet?: boolean };

export type AppendedMessage = Omit<NewMessage, 'parentId' | 'depth' | 'active'>;

const selectTimestamp = prepared((db, message: { readonly sessionId: string; readonly id: string }) =>
  db
    .selectFrom('messages')
    .select('timestamp')
    .where('session_id', '=', message.sessionId)
    .where('id', '=', message.id),
);

async function findTimestamp(db: Db, message: { readonly sessionId: string; readonly id: string }) {
  const { rows } = await selectTimestamp(db, message);
  return rows[0]?.timestamp ?? '';
}

/**
 * When a message was said: never before the one that it follows, although the clock may have been set back, or the
 * message may have waited in line.
 */
export async function instantAfter(
  db: Db,
  sessionId: string,
  parent: PathPlace | null,
  instant: string,
): Promise<string> {
  if (parent === null) return instant;
  const before = parent.at ?? (await findTimestamp(db, { sessionId, id: parent.id }));
  return before > instant ? before : instant;
}

/**
 * Adds a message after `parent`, which lies on the active path, and makes it the head. What came after
 * the parent stays in the tree as another branch. Costs the same whatever the length of the path.
 * @param also what changes in the session's row besides; `updated_at` is when the message was said, unless this says else
 * @returns where the message lies now
 */
export async function appendToPath(
  db: Db,
  parent: PathPlace | null,
  message: AppendedMessage,
  { isQuiet = false, ...also }: SessionAlso = {},
): Promise<PathPlace> {
  const { sessionId, id, role, content } = message;
  const depth = parent === null ? 0 : parent.depth + 1;
  const timestamp = await instantAfter(db, sessionId, parent, message.timestamp);
  const isQuestion = role === 'user' && depth < PREVIEW_DEPTH;
  const change = {
    head_id: id,
    head_depth: depth,
    ...(!isQuiet && { updated_at: timestamp }),
    ...also,
  };
  const preview = isQuestion ? { firstPreview: previewOf(content) } : {};
  const hasMoved = await moveHeadFrom(db, sessionId, parent?.id ?? null, { ...change, ...preview });
  // Something lies behind the parent.
  if (!hasMoved) {
    await leavePath(db, sessionId, depth);
    await updateSession(db, sessionId, change);
  }
  await insertMessage(db, { ...message, timestamp, parentId: parent?.id ?? null, depth, active: true });
  if (!hasMoved) await refreshPreview(db, sessionId);
  return { id, depth, at: timestamp };
}

/** The same for messages that follow each other, at few statements whatever their number. @returns where the last lies */
export async function appendMany(
  db: Db,
  parent: PathPlace | null,
  messages: readonly AppendedMessage[],
): Promise<PathPlace | null> {
  const [first] = messages;
  const last = messages.at(-1);
  if (first === undefined || last === undefined) return parent;
  const { sessionId } = first;
  const depth = parent === null ? 0 : parent.depth + 1;
  await leavePath(db, sessionId, depth);
  let timestamp = await instantAfter(db, sessionId, parent, first.timestamp);
  const rows = messages.map((message, index) => {
    if (message.timestamp > timestamp) timestamp = message.timestamp;
    const parentId = messages[index - 1]?.id ?? parent?.id ?? null;
    return { ...message, timestamp, parentId, depth: depth + index, active: true };
  });
  await insertMessages(db, rows);
  const place = { id: last.id, depth: depth + messages.length - 1 };
  await updateSession(db, sessionId, { head_id: place.id, head_depth: place.depth, updated_at: timestamp });
  await refreshPreview(db, sessionId);
  return place;
}

/** Makes the path to `target` the active one; null: the empty path. The target must be of this session. */
export async function moveHead(
  db: Db,
  sessionId: string,
  target: PathPlace | null,
  updatedAt: string,
): Promise<void> {
  const branch = target === null ? [] : await listUntilActive(db, sessionId, target.id);
  const shared =
    branch.length === 0
      ? (target?.depth ?? SYSTEM_DEPTH)
      : Math.min(...branch.map((place) => place.depth)) - 1;
  await leavePath(db, sessionId, shared + 1);
  if (branch.length > 0) {
    await db
      .updateTable('messages')
      .set({ active: 1 })
      .where('session_id', '=', sessionId)
      .where(
        dialectOf(db).isAmong(
          'id',
          branch.map(({ id }) => id),
        ),
      )
      .execute();
  }
  await updateSession(db, sessionId, {
    head_id: target?.id ?? null,
    head_depth: target?.depth ?? SYSTEM_DEPTH,
    updated_at: updatedAt,
  });
  await refreshPreview(db, sessionId);
}

const deactivate = prepared((db, { sessionId, fromDepth }: { sessionId: string; fromDepth: number }) =>
  db
    .updateTable('messages')
    .set({ active: 0 })
    .where('session_id', '=', sessionId)
    .where('active', '=', 1)
    .where('depth', '>=', fromDepth),
);

/** Nothing at that depth or below is on the path then. */
async function leavePath(db: Db, sessionId: string, fromDepth: number): Promise<void> {
  await deactivate(db, { sessionId, fromDepth });
}

/** From a message up to the first that is on the active path, that one left out. */
async function listUntilActive(db: Db, sessionId: string, messageId: string): Promise<PathPlace[]> {
  const { rows } = await sql<PathPlace>`
    with recursive branch (id, parent_id, depth, active) as (
      select id, parent_id, depth, active from messages where session_id = ${sessionId} and id = ${messageId}
      union all
      select parent.id, parent.parent_id, parent.depth, parent.active
      from messages as parent join branch on parent.id = branch.parent_id
      where parent.session_id = ${sessionId} and branch.active = 0
    )
    select id, depth from branch where active = 0
  `.execute(db);
  return rows;
}

/** The depth of the nearest message on the active path, from a message up; SYSTEM_DEPTH: there is none. */
export async function findActiveAncestorDepth(db: Db, sessionId: string, messageId: string): Promise<number> {
  const branch = await listUntilActive(db, sessionId, messageId);
  if (branch.length > 0) return Math.min(...branch.map((place) => place.depth)) - 1;
  return (await findMessage(db, sessionId, messageId))?.depth ?? SYSTEM_DEPTH;
}

/** A path without a user message down to this depth stays without a preview; below it nobody looks. */
export const PREVIEW_DEPTH = 64;

/** Longest preview in code points (ORIGINAL.md §5). */
const PREVIEW_LENGTH = 100;

const selectFirstQuestion = prepared((db, { sessionId }: { readonly sessionId: string }) =>
  db
    .selectFrom('messages')
    .select('content')
    .where('session_id', '=', sessionId)
    .where('active', '=', 1)
    .where('role', '=', 'user')
    .orderBy('depth')
    .limit(1),
);

export function previewOf(question: string): string {
  return shorten(question, PREVIEW_LENGTH);
}

/** The first user message of the active path, shortened: kept in the session's row, so that lists open no session. */
export async function refreshPreview(db: Db, sessionId: string): Promise<void> {
  const { rows } = await selectFirstQuestion(db, { sessionId });
  const [first] = rows;
  await updateSession(db, sessionId, {
    preview: first === undefined ? null : previewOf(first.content),
  });
}
