// Calls that were left to a client: open when their turn has ended, until a later request answers them.
import type { AnswerToolCall } from '../contract/tool.ts';
import type { Db } from './database.ts';
import { dialectOf } from './dialect/dialect-of.ts';
import { parseStored } from './parse-stored.ts';
import type { ToolCallRow } from './session-rows.ts';

export interface HandedCall {
  readonly messageId: string;
  /** Of the message. */
  readonly depth: number;
  readonly callIndex: number;
  readonly callId: string;
  /** Of the tool that was meant. */
  readonly name: string;
}

/** The turn has ended, and the client hears of them. */
export async function handCallsOver(
  db: Db,
  message: { readonly sessionId: string; readonly messageId: string },
): Promise<void> {
  await db
    .updateTable('tool_calls')
    .set({ state: 'open' })
    .where('session_id', '=', message.sessionId)
    .where('message_id', '=', message.messageId)
    .where('verdict', '=', 'client')
    .where('result_message_id', 'is', null)
    .execute();
}

/**
 * Those at the end of the active path, in call order: nothing but results comes after them. Of other branches they are
 * open as long as nobody goes back there.
 */
export async function listHandedCalls(db: Db, sessionId: string): Promise<HandedCall[]> {
  const rows = await db
    .selectFrom('tool_calls')
    .innerJoin('messages', (join) =>
      join
        .onRef('messages.session_id', '=', 'tool_calls.session_id')
        .onRef('messages.id', '=', 'tool_calls.message_id'),
    )
    .select(['tool_calls.message_id', 'call_index', 'call_id', 'name', 'tool', 'messages.depth'])
    .where('tool_calls.session_id', '=', sessionId)
    .where('result_message_id', 'is', null)
    .where('tool_calls.state', '=', 'open')
    .where('messages.active', '=', 1)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('messages as later')
            .select('later.id')
            .whereRef('later.session_id', '=', 'messages.session_id')
            .where('later.active', '=', 1)
            .whereRef('later.depth', '>', 'messages.depth')
            .where('later.role', '!=', 'tool'),
        ),
      ),
    )
    .orderBy('call_index')
    .execute();
  return rows.map((row) => ({
    messageId: row.message_id,
    depth: row.depth,
    callIndex: row.call_index,
    callId: row.call_id,
    name: row.tool ?? row.name,
  }));
}

/** The calls of an answer as its client is told them. */
export async function listAnswerCalls(
  db: Db,
  sessionId: string,
  messageId: string,
): Promise<AnswerToolCall[]> {
  const rows = await db
    .selectFrom('tool_calls')
    .select(['call_id', 'name', 'tool', 'arguments', 'ran_arguments', 'verdict'])
    .where('session_id', '=', sessionId)
    .where('message_id', '=', messageId)
    .orderBy('call_index')
    .execute();
  return rows.map(toAnswerCall);
}

type CallRow = Pick<ToolCallRow, 'call_id' | 'name' | 'tool' | 'arguments' | 'ran_arguments' | 'verdict'>;

function toAnswerCall(row: CallRow): AnswerToolCall {
  const given: Record<string, unknown> | string = parseStored(row.ran_arguments ?? row.arguments);
  return {
    id: row.call_id,
    function: { name: row.tool ?? row.name, arguments: typeof given === 'string' ? {} : given },
    runs_at: row.verdict === 'client' ? 'client' : 'server',
  };
}

interface Calling {
  readonly message_id: string;
  readonly tool_calls: readonly AnswerToolCall[] | null;
}

/** The messages as their client was told them: whoever lost an answer finds in it what is to be answered. */
export async function withClientCalls<One extends Calling>(
  db: Db,
  sessionId: string,
  messages: readonly One[],
): Promise<One[]> {
  const ids = messages.filter(({ tool_calls: calls }) => calls !== null).map(({ message_id: id }) => id);
  if (ids.length === 0) return [...messages];
  const rows = await db
    .selectFrom('tool_calls')
    .select(['message_id', 'call_index', 'call_id', 'name', 'tool', 'arguments', 'ran_arguments', 'verdict'])
    .where('session_id', '=', sessionId)
    .where('verdict', '=', 'client')
    .where(dialectOf(db).isAmong('message_id', ids))
    .execute();
  if (rows.length === 0) return [...messages];
  const told = new Map(rows.map((row) => [`${row.message_id} ${row.call_index}`, toAnswerCall(row)]));
  return messages.map((message) => ({
    ...message,
    tool_calls:
      message.tool_calls?.map((call, index) => told.get(`${message.message_id} ${index}`) ?? call) ?? null,
  }));
}
