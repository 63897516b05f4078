// Looks at what is stored from outside, and says what no start may leave in it.
import { type Selectable, sql } from 'kysely';
import type {
  ApprovalTable,
  Database,
  Db,
  MessageTable,
  SessionTable,
  ToolExecutionTable,
  TurnTable,
} from '../../src/store/database.ts';
import { dialectOf } from '../../src/store/dialect/dialect-of.ts';
import { lookInto } from './look-into.ts';

export type MessageRow = Selectable<MessageTable>;

export interface StoredRows {
  readonly sessions: readonly Selectable<SessionTable>[];
  readonly messages: readonly MessageRow[];
  readonly turns: readonly Selectable<TurnTable>[];
  readonly toolCalls: readonly Selectable<Database['tool_calls']>[];
  readonly executions: readonly Selectable<ToolExecutionTable>[];
  readonly approvals: readonly Selectable<ApprovalTable>[];
}

/** All rows, or those of one session, in order of creation. */
export function readStore(dataDir: string, sessionId?: string): Promise<StoredRows> {
  return lookInto(dataDir, (db) => readRows(db, sessionId === undefined ? null : [sessionId]));
}

/** Those of a session, and of the chats of agents that it has begun. */
export function readFamily(dataDir: string, sessionId: string): Promise<StoredRows> {
  return lookInto(dataDir, async (db) => {
    const chats = await db
      .selectFrom('sessions')
      .select('id')
      .where('parent_session_id', '=', sessionId)
      .execute();
    return readRows(db, [sessionId, ...chats.map(({ id }) => id)]);
  });
}

/** @param ids null: of all sessions */
async function readRows(db: Db, ids: readonly string[] | null): Promise<StoredRows> {
  const { isAmong, order } = dialectOf(db);
  const own = (column = 'session_id') => (ids === null ? sql<boolean>`1 = 1` : isAmong(column, ids));
  return {
    sessions: await db
      .selectFrom('sessions')
      .selectAll()
      .where(own('id'))
      .orderBy('created_at')
      .orderBy('id')
      .execute(),
    messages: await db.selectFrom('messages').selectAll().where(own()).orderBy('seq').execute(),
    turns: inOrder(
      await db
        .selectFrom('turns')
        .selectAll()
        .where(own())
        .orderBy('created_at')
        .orderBy(order('turns'))
        .execute(),
    ),
    toolCalls: await db
      .selectFrom('tool_calls')
      .selectAll('tool_calls')
      .leftJoin('messages', (join) =>
        join
          .onRef('messages.id', '=', 'tool_calls.message_id')
          .onRef('messages.session_id', '=', 'tool_calls.session_id'),
      )
      .where(own('tool_calls.session_id'))
      .orderBy('seq')
      .orderBy('call_index')
      .execute(),
    executions: inOrder(
      await db
        .selectFrom('tool_executions')
        .selectAll()
        .where(own())
        .orderBy(order('tool_executions'))
        .execute(),
    ),
    approvals: await db
      .selectFrom('approvals')
      .selectAll()
      .where(own())
      .orderBy('created_at')
      .orderBy('id')
      .execute(),
  };
}

/** PostgreSQL counts some in a column of its own. */
function inOrder<Row extends object>(rows: readonly Row[]): Row[] {
  return rows.map((row) => {
    const { seq: _place, ...own } = row as Row & { readonly seq?: number };
    return own as Row;
  });
}

/** What is wrong with a store in which no turn runs, one line each. */
export function faultsOf(rows: StoredRows): string[] {
  const { sessions, messages, turns, toolCalls } = rows;
  return [
    ...messages.filter(({ status }) => status === 'streaming').map(({ id }) => `message ${id} is streaming`),
    ...turns
      .filter(({ state, finished_at }) => finished_at === null || /queued|running|waiting/.test(state))
      .map(({ id, state }) => `turn ${id} is ${state}`),
    ...turns.filter(({ request }) => request !== null).map(({ id }) => `turn ${id} keeps its request`),
    ...toolCalls
      .filter(({ result_message_id }) => result_message_id === null)
      .map(({ call_id }) => `call ${call_id} has no result`),
    ...sessions.flatMap((session) => {
      const own = messages.filter(({ session_id, depth }) => session_id === session.id && depth >= 0);
      return [...treeFaults(own), ...pathFaults(session, own)].map(
        (fault) => `session ${session.id}: ${fault}`,
      );
    }),
  ];
}

/** The active path of a session, the system message left out. */
export function pathOf(rows: StoredRows, sessionId: string): MessageRow[] {
  return rows.messages
    .filter((message) => message.session_id === sessionId && message.active === 1 && message.depth >= 0)
    .sort((left, right) => left.depth - right.depth);
}

function treeFaults(messages: readonly MessageRow[]): string[] {
  const byId = new Map(messages.map((message) => [message.id, message]));
  return messages
    .filter(({ parent_id: parent, depth }) =>
      parent === null ? depth !== 0 : byId.get(parent)?.depth !== depth - 1,
    )
    .map(({ id }) => `message ${id} does not hang below its parent`);
}

function pathFaults(session: StoredRows['sessions'][number], messages: readonly MessageRow[]): string[] {
  const path = messages.filter(({ active }) => active === 1).sort((one, other) => one.depth - other.depth);
  const faults: string[] = [];
  let open = 0;
  for (const [index, message] of path.entries()) {
    const { id, role, depth, parent_id: parent } = message;
    if (depth !== index) faults.push(`depth ${index} of the path is not there once`);
    if (parent !== (path[index - 1]?.id ?? null)) faults.push(`${id} does not follow the message before it`);
    if (role === 'tool') open -= 1;
    if (open !== 0 && role !== 'tool') faults.push(`a call before ${id} has no result`);
    if (open < 0) faults.push(`tool message ${id} answers no call`);
    if (role !== 'tool') open = message.tool_calls === null ? 0 : JSON.parse(message.tool_calls).length;
  }
  if (open > 0) faults.push('the last calls have no result');
  const last = path.at(-1);
  if (session.head_id !== (last?.id ?? null) || session.head_depth !== path.length - 1) {
    faults.push('the head is not the end of the path');
  }
  return faults;
}
