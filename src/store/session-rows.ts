// Whole sessions as rows, for those who move them from one database to another.
import { setImmediate } from 'node:timers/promises';
import { type Insertable, type Selectable, sql } from 'kysely';
import type { Database, Db, MessageTable, SessionTable, ToolExecutionTable, TurnTable } from './database.ts';
import { dialectOf } from './dialect/dialect-of.ts';
import { SYSTEM_DEPTH } from './messages.ts';
import { parseStored } from './parse-stored.ts';

export type SessionRow = Selectable<SessionTable>;
/** Without its place in the order of creation, which is that of the rows. */
export type MessageRow = Omit<Selectable<MessageTable>, 'seq'>;
export type TurnRow = Selectable<TurnTable>;
export type ToolCallRow = Selectable<Database['tool_calls']>;
export type ToolExecutionRow = Selectable<ToolExecutionTable>;

export interface SessionRows {
  readonly session: SessionRow;
  /** In creation order, each with its calls. */
  readonly messages: readonly { readonly row: MessageRow; readonly calls: readonly ToolCallRow[] }[];
  readonly turns: readonly TurnRow[];
  readonly executions: readonly ToolExecutionRow[];
}

export interface RowCounts {
  readonly messages: number;
  readonly turns: number;
  readonly executions: number;
}

export async function findSessionRow(db: Db, sessionId: string): Promise<SessionRow | null> {
  const row = await db.selectFrom('sessions').selectAll().where('id', '=', sessionId).executeTakeFirst();
  return row ?? null;
}

/** Messages of the active path, the system message included. */
export function countMessages({ head_depth: depth, system_id: systemId }: SessionRow): number {
  return depth + 1 + (systemId === null ? 0 : 1);
}

/** Of all sessions, the oldest first. */
export async function listSessionIds(db: Db): Promise<string[]> {
  const rows = await db.selectFrom('sessions').select('id').orderBy('created_at').orderBy('id').execute();
  return rows.map(({ id }) => id);
}

/** Rows that are looked at before others have a turn. */
const STRIDE = 5000;

export async function countRows(db: Db, sessionId: string): Promise<RowCounts> {
  const count = async (table: 'messages' | 'turns' | 'tool_executions') => {
    const place = dialectOf(db).order(table);
    let total = 0;
    for (let after: number | null = 0; after !== null; ) {
      const { rows }: { rows: { found: number; last: number | null }[] } = await sql<{
        found: number;
        last: number | null;
      }>`select count(*) as found, max(place) as last from (
        select ${place} as place from ${sql.table(table)} where session_id = ${sessionId} and ${place} > ${after}
        order by ${place} limit ${STRIDE}
      ) as stride`.execute(db);
      total += rows[0]?.found ?? 0;
      after = rows[0]?.last ?? null;
      await setImmediate();
    }
    return total;
  };
  return {
    messages: await count('messages'),
    turns: await count('turns'),
    executions: await count('tool_executions'),
  };
}

/** In creation order, one in memory at a time. The connection is taken until the last one was read. */
export async function* streamMessageRows(
  db: Db,
  sessionId: string,
): AsyncGenerator<{ readonly row: MessageRow; readonly calls: readonly ToolCallRow[] }, void> {
  const rows = db
    .selectFrom('messages')
    .selectAll()
    .select((is) =>
      dialectOf(db)
        .jsonRows(
          is
            .selectFrom('tool_calls')
            .select(TOOL_CALL_COLUMNS)
            .whereRef('tool_calls.session_id', '=', 'messages.session_id')
            .whereRef('tool_calls.message_id', '=', 'messages.id')
            .orderBy('call_index'),
        )
        .as('calls'),
    )
    .where('session_id', '=', sessionId)
    .orderBy('seq')
    .stream();
  for await (const { seq: _order, calls, ...row } of rows) {
    const read: ToolCallRow[] = typeof calls === 'string' ? parseStored(calls) : calls;
    yield { row, calls: read };
  }
}

/** The active path in order, the system message first, one in memory at a time. */
export function streamPathRows(db: Db, sessionId: string): AsyncIterable<MessageRow> {
  return db
    .selectFrom('messages')
    .selectAll()
    .where('session_id', '=', sessionId)
    .where('active', '=', 1)
    .orderBy('depth')
    .stream();
}

/** Messages of the active path that are not complete. */
export async function listPartialIds(db: Db, session: SessionRow): Promise<string[]> {
  const ids: string[] = [];
  for (let from = SYSTEM_DEPTH; from <= session.head_depth; from += STRIDE) {
    const rows = await db
      .selectFrom('messages')
      .select('id')
      .where('session_id', '=', session.id)
      .where('active', '=', 1)
      .where('status', '!=', 'complete')
      .where('depth', '>=', from)
      .where('depth', '<', from + STRIDE)
      .orderBy('depth')
      .execute();
    for (const { id } of rows) ids.push(id);
    await setImmediate();
  }
  return ids;
}

/** In creation order, one in memory at a time. */
export function streamTurnRows(db: Db, sessionId: string): AsyncIterable<TurnRow> {
  return db
    .selectFrom('turns')
    .selectAll()
    .where('session_id', '=', sessionId)
    .orderBy('created_at')
    .orderBy(dialectOf(db).order('turns'))
    .stream();
}

/** In creation order, one in memory at a time. */
export function streamExecutionRows(db: Db, sessionId: string): AsyncIterable<ToolExecutionRow> {
  return db
    .selectFrom('tool_executions')
    .selectAll()
    .where('session_id', '=', sessionId)
    .orderBy(dialectOf(db).order('tool_executions'))
    .stream();
}

const TOOL_CALL_COLUMNS = [
  'session_id',
  'message_id',
  'call_index',
  'call_id',
  'name',
  'arguments',
  'tool',
  'ran_arguments',
  'origin',
  'state',
  'result_message_id',
  'success',
  'digest',
  'verdict',
  'rule',
  'repairs',
  'mcp_state',
] as const satisfies readonly (keyof Database['tool_calls'])[];

/** Of some ids those that are in use. Turns and executions have ids of their own over all sessions. */
export async function findTakenIds(
  db: Db,
  table: 'turns' | 'tool_executions',
  ids: readonly string[],
): Promise<string[]> {
  const taken: string[] = [];
  for (const batch of inBatches(ids)) {
    const rows = await db.selectFrom(table).select('id').where('id', 'in', batch).execute();
    taken.push(...rows.map(({ id }) => id));
  }
  return taken;
}

/** Of a session, in creation order. */
export async function listTurnIds(db: Db, sessionId: string): Promise<string[]> {
  const rows = await db
    .selectFrom('turns')
    .select('id')
    .where('session_id', '=', sessionId)
    .orderBy('created_at')
    .orderBy(dialectOf(db).order('turns'))
    .execute();
  return rows.map(({ id }) => id);
}

/** Whether a run was started by the call that started this one. */
export async function isTakenCall(
  db: Db,
  call: Pick<TurnRow, 'parent_session_id' | 'parent_message_id' | 'parent_call_index'>,
): Promise<boolean> {
  const row = await db
    .selectFrom('turns')
    .select('id')
    .where('parent_message_id', 'is not', null)
    .where('parent_session_id', '=', call.parent_session_id)
    .where('parent_message_id', '=', call.parent_message_id)
    .where('parent_call_index', '=', call.parent_call_index)
    .executeTakeFirst();
  return row !== undefined;
}

export async function insertSessionRow(db: Db, session: SessionRow): Promise<void> {
  await db
    .insertInto('session_rows')
    .values({ ...session, hidden: null, hidden_at: null })
    .execute();
}

/** Rows of a session that is there. Inside the caller's transaction. */
export async function insertRowsOf<Table extends 'messages' | 'tool_calls' | 'tool_executions' | 'turns'>(
  db: Db,
  table: Table,
  rows: readonly Insertable<Database[Table]>[],
): Promise<void> {
  for (const batch of inBatches(rows)) await db.insertInto(table).values(batch).execute();
}

/** Whether an id is in use, be it by a session that nobody sees. */
export async function isTakenSessionId(db: Db, sessionId: string): Promise<boolean> {
  const row = await db.selectFrom('session_rows').select('id').where('id', '=', sessionId).executeTakeFirst();
  return row !== undefined;
}

/** Rows per statement: full batches share one cached text, and stay far below SQLite's limit on parameters. */
const BATCH = 100;

function* inBatches<T>(rows: readonly T[]): Generator<T[], void> {
  for (let start = 0; start < rows.length; start += BATCH) yield rows.slice(start, start + BATCH);
}
