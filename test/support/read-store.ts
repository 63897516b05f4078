// Looks at the database file from outside, and says what no start may leave in it.
import { join } from 'node:path';
import SqliteDriver from 'better-sqlite3';
import type {
  ApprovalTable,
  Database,
  MessageTable,
  SessionTable,
  ToolExecutionTable,
  TurnTable,
} from '../../src/store/database.ts';

type ToolCallRow = Database['tool_calls'];
export type MessageRow = Omit<MessageTable, 'seq'> & { readonly seq: number };

export interface StoredRows {
  readonly sessions: readonly SessionTable[];
  readonly messages: readonly MessageRow[];
  readonly turns: readonly TurnTable[];
  readonly toolCalls: readonly ToolCallRow[];
  readonly executions: readonly ToolExecutionTable[];
  readonly approvals: readonly ApprovalTable[];
}

/** All rows, or those of one session, in order of creation. */
export function readStore(dataDir: string, sessionId?: string): StoredRows {
  const driver = new SqliteDriver(join(dataDir, 'mochi.db'), { readonly: true });
  // The statements name whole tables, so that the rows are those of the schema.
  const all = <T>(table: string, key = 'session_id', order = 'rowid') =>
    driver
      .prepare(`select * from ${table} where ${key} = coalesce(?, ${key}) order by ${order}`)
      .all(sessionId ?? null) as T[];
  try {
    return driver.transaction(() => ({
      sessions: all<SessionTable>(
        'sessions',
        'id',
        '(select rowid from session_rows where id = sessions.id)',
      ),
      messages: all<MessageRow>('messages'),
      turns: all<TurnTable>('turns'),
      toolCalls: all<ToolCallRow>('tool_calls'),
      executions: all<ToolExecutionTable>('tool_executions'),
      approvals: all<ApprovalTable>('approvals'),
    }))();
  } finally {
    driver.close();
  }
}

/** Those of a session, and of the chats of agents that it has begun. */
export function readFamily(dataDir: string, sessionId: string): StoredRows {
  const driver = new SqliteDriver(join(dataDir, 'mochi.db'), { readonly: true });
  const chats = driver
    .prepare<[string], { id: string }>('select id from sessions where parent_session_id = ? order by id')
    .all(sessionId);
  driver.close();
  const all = [sessionId, ...chats.map(({ id }) => id)].map((id) => readStore(dataDir, id));
  return {
    sessions: all.flatMap(({ sessions }) => sessions),
    messages: all.flatMap(({ messages }) => messages),
    turns: all.flatMap(({ turns }) => turns),
    toolCalls: all.flatMap(({ toolCalls }) => toolCalls),
    executions: all.flatMap(({ executions }) => executions),
    approvals: all.flatMap(({ approvals }) => approvals),
  };
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

function pathFaults(session: SessionTable, messages: readonly MessageRow[]): string[] {
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
