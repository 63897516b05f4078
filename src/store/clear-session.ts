// Takes the rows of a deleted session away, a slice at a time.
import { setTimeout } from 'node:timers/promises';
import { type RawBuilder, sql } from 'kysely';
import type { Db } from './database.ts';
import { dialectOf } from './dialect/dialect-of.ts';
import { commitUnsynced } from './durable.ts';
import { hideAgentChats, hideSession } from './hidden-sessions.ts';
import { SLICE_BYTES, SLICE_ROWS } from './slices.ts';

interface ClearedTable {
  readonly name: string;
  readonly bytes: RawBuilder<number>;
  /** As an index has them, so that nothing is sorted. */
  readonly order?: RawBuilder<unknown>;
  /** In the order of their places. */
  readonly isNewestFirst?: true;
}

const TABLES: readonly ClearedTable[] = [
  { name: 'history_marks', bytes: bytesOf('hash') },
  { name: 'messages', bytes: bytesOf('content', 'thinking', 'images', 'tool_calls'), isNewestFirst: true },
  { name: 'tool_calls', bytes: bytesOf('arguments'), order: sql`message_id, call_index` },
  {
    name: 'tool_executions',
    bytes: bytesOf('arguments', 'output', 'log', 'error'),
    order: sql`message_id, call_index, attempt`,
  },
  { name: 'approvals', bytes: bytesOf('body', 'decision'), order: sql`created_at desc, id` },
  { name: 'tool_grants', bytes: bytesOf('arguments') },
  { name: 'turns', bytes: bytesOf('request', 'settings', 'context', 'error'), order: sql`created_at desc` },
];

/** From the row's own header: the texts are not read. */
function bytesOf(...columns: string[]): RawBuilder<number> {
  const sizes = columns.map((column) => sql`coalesce(octet_length(${sql.ref(column)}), 0)`);
  return sql<number>`${sql.join(sizes, sql` + `)}`;
}

/**
 * Deletes a session with its agent chats: nobody sees them any more. Inside the caller's transaction.
 * @returns `cleared`: small ones, whose rows are gone as well; `hidden`: they are still to be cleared
 */
export async function deleteSession(
  db: Db,
  sessionId: string,
  now: number,
): Promise<'absent' | 'cleared' | 'hidden'> {
  if (!(await hideSession(db, sessionId, 'deleted', now))) return 'absent';
  await hideAgentChats(db, sessionId, now);
  return (await clearSlice(db, sessionId)) ? 'cleared' : 'hidden';
}

/** Takes away as much as fits in one slice. Inside the caller's transaction. @returns whether nothing is left */
async function clearSlice(db: Db, sessionId: string): Promise<boolean> {
  // Somebody else may have cleared it to the end, and an import may have brought a new one of that id.
  const row = await db
    .selectFrom('session_rows')
    .select('id')
    .where('id', '=', sessionId)
    .where('hidden', '=', 'deleted')
    .executeTakeFirst();
  if (row === undefined) return true;
  const room = { rows: SLICE_ROWS, bytes: SLICE_BYTES };
  // Before it: the database would take them away with its row, however large they are.
  for (;;) {
    const chat = await db
      .selectFrom('session_rows')
      .select('id')
      .where('parent_session_id', '=', sessionId)
      .limit(1)
      .executeTakeFirst();
    if (chat === undefined) break;
    if (room.rows <= 0 || !(await clearSessionRows(db, chat.id, room))) return false;
  }
  return clearSessionRows(db, sessionId, room);
}

interface Room {
  rows: number;
  bytes: number;
}

/** The row of the session comes last. @param room as of `clearRows` @returns whether nothing is left */
async function clearSessionRows(db: Db, sessionId: string, room: Room): Promise<boolean> {
  for (const table of TABLES) {
    if (!(await clearRows(db, table, sessionId, room))) return false;
  }
  await db.deleteFrom('session_rows').where('id', '=', sessionId).execute();
  room.rows -= 1;
  return true;
}

/** @param room what the slice may still take; made smaller @returns whether no row is left in the table */
async function clearRows(db: Db, table: ClearedTable, sessionId: string, room: Room): Promise<boolean> {
  const { place, isAt } = dialectOf(db);
  const { order = table.isNewestFirst ? sql`${place} desc` : place } = table;
  const { rows } = await sql<{ place: unknown; bytes: number }>`
    select ${place} as place, ${table.bytes} as bytes from ${sql.table(table.name)}
    where session_id = ${sessionId} order by ${order} limit ${Math.max(room.rows, 0) + 1}
  `.execute(db);
  const places: unknown[] = [];
  for (const { place, bytes } of rows) {
    // The first one goes whatever its size: else nothing would ever end.
    if (room.rows <= 0 || (room.bytes < bytes && room.rows < SLICE_ROWS)) break;
    places.push(place);
    room.rows -= 1;
    room.bytes -= bytes;
  }
  if (places.length > 0) {
    await sql`delete from ${sql.table(table.name)} where ${isAt(places)}`.execute(db);
  }
  return places.length === rows.length;
}

/** Clears a deleted session to its end; everybody else has a turn between the slices. @param isStopped looked at before each */
export async function clearSession(
  db: Db,
  sessionId: string,
  isStopped: () => boolean = () => false,
): Promise<void> {
  while (!isStopped()) {
    const startedAt = performance.now();
    // A power cut that undoes a slice leaves it for the next start.
    const isCleared = await commitUnsynced(db, (transaction) => clearSlice(transaction, sessionId));
    if (isCleared) return;
    await restAfter(startedAt);
  }
}

/** Others get as much time as the work has taken. */
export async function restAfter(startedAt: number): Promise<void> {
  await setTimeout(Math.ceil(performance.now() - startedAt));
}
