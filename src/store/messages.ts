// Message rows: read one or a stretch of the active path, change one.
import { type RawBuilder, type SelectQueryBuilder, sql, type Updateable } from 'kysely';
import type { FinishReason, Message, MessageStatus } from '../contract/message.ts';
import type { StoredToolCall } from '../contract/tool.ts';
import type { Database, Db, MessageTable } from './database.ts';
import { dialectOf } from './dialect/dialect-of.ts';
import { parseStored } from './parse-stored.ts';
import { prepared } from './prepared.ts';

/** A message of the active path as prompts and rules need it. */
export interface PathMessage extends Message {
  readonly depth: number;
  readonly active: boolean;
  readonly toolCallId: string | null;
}

/** The system message stands before the tree, at this depth. */
export const SYSTEM_DEPTH = -1;

export interface MessageChange {
  readonly content: string;
  readonly thinking: string | null;
  readonly status: MessageStatus;
  readonly evalCount?: number | null;
  readonly promptEvalCount?: number | null;
  readonly finishReason?: FinishReason | null;
  readonly toolCalls?: readonly StoredToolCall[] | null;
}

type MessageColumns = { readonly session: string; readonly message: string } & Updateable<MessageTable>;

const writeMessage = prepared((db, { session, message, ...columns }: MessageColumns) =>
  db.updateTable('messages').set(columns).where('session_id', '=', session).where('id', '=', message),
);

/** @returns whether it is there */
export async function updateMessage(
  db: Db,
  sessionId: string,
  messageId: string,
  change: MessageChange,
): Promise<boolean> {
  const { content, thinking, status, evalCount, promptEvalCount, finishReason, toolCalls } = change;
  const { numAffectedRows = 0n } = await writeMessage(db, {
    session: sessionId,
    message: messageId,
    content,
    thinking,
    status,
    ...(evalCount !== undefined && { eval_count: evalCount }),
    ...(promptEvalCount !== undefined && { prompt_eval_count: promptEvalCount }),
    ...(finishReason !== undefined && { finish_reason: finishReason }),
    ...(toolCalls && { tool_calls: JSON.stringify(toolCalls) }),
  });
  return numAffectedRows > 0n;
}

interface PathRange {
  readonly from?: number;
  readonly to?: number;
  readonly limit?: number;
  /** Images are counted, and not brought along. */
  readonly omitsImages?: true;
}

const selectPath = prepared(
  (db, { sessionId, from, to, limit, omitsImages }: PathRange & { readonly sessionId: string }) => {
    const messages =
      omitsImages === undefined ? messageQuery(db, sessionId) : messageQueryWithoutImages(db, sessionId);
    let query = messages.where('active', '=', 1).orderBy('depth');
    if (from !== undefined) query = query.where('depth', '>=', from);
    if (to !== undefined) query = query.where('depth', '<=', to);
    return limit === undefined ? query : query.limit(limit);
  },
);

/** A stretch of the active path in order, the system message first. `from` and `to` are depths, both included. */
export async function listPath(db: Db, sessionId: string, range: PathRange = {}): Promise<PathMessage[]> {
  const { rows } = await selectPath(db, { sessionId, ...range });
  return rows.map(toMessage);
}

/** The system message of a session; null when it has none. */
export async function findSystemMessage(db: Db, sessionId: string): Promise<PathMessage | null> {
  const range = { from: SYSTEM_DEPTH, to: SYSTEM_DEPTH };
  const [system] = await listPath(db, sessionId, range);
  return system ?? null;
}

/** A message as a prompt needs it: siblings are not counted, which would cost more than reading it. */
export type PromptMessage = Omit<PathMessage, 'parent_id' | 'sibling_count' | 'sibling_index'>;

const selectPathBackwards = prepared((db, range: { sessionId: string; to: number; limit: number }) =>
  db
    .selectFrom('messages')
    .selectAll()
    .where('session_id', '=', range.sessionId)
    .where('active', '=', 1)
    .where('depth', '<=', range.to)
    .where('depth', '>', SYSTEM_DEPTH)
    .orderBy('depth', 'desc')
    .limit(range.limit),
);

/** The newest messages of the active path down to a depth, newest first; never the system message. */
export async function listPathBackwards(
  db: Db,
  sessionId: string,
  range: { readonly to: number; readonly limit: number },
): Promise<PromptMessage[]> {
  const { rows } = await selectPathBackwards(db, { sessionId, ...range });
  return rows.map((row) => toMessage({ ...row, system_id: null, sibling_count: 1, sibling_index: 0 }));
}

const selectMessage = prepared((db, { sessionId, messageId }: { sessionId: string; messageId: string }) =>
  messageQuery(db, sessionId).where('id', '=', messageId),
);

export async function findMessage(db: Db, sessionId: string, messageId: string): Promise<PathMessage | null> {
  const { rows } = await selectMessage(db, { sessionId, messageId });
  const [row] = rows;
  return row === undefined ? null : toMessage(row);
}

/** The user message with which the active path begins, or the newest one. */
export async function findUserMessage(
  db: Db,
  sessionId: string,
  which: 'first' | 'last',
): Promise<PathMessage | null> {
  const row = await messageQuery(db, sessionId)
    .where('active', '=', 1)
    .where('role', '=', 'user')
    .orderBy('depth', which === 'first' ? 'asc' : 'desc')
    .limit(1)
    .executeTakeFirst();
  return row === undefined ? null : toMessage(row);
}

/** After a crash: nobody writes it any more, if it was being written. */
export async function markStreamingPartial(db: Db, sessionId: string, messageId: string): Promise<void> {
  await db
    .updateTable('messages')
    .set({ status: 'partial' })
    .where('session_id', '=', sessionId)
    .where('id', '=', messageId)
    .where('status', '=', 'streaming')
    .execute();
}

/** The last assistant message that a turn wrote. */
export async function findAnswerOfTurn(db: Db, sessionId: string, turnId: string): Promise<string | null> {
  const row = await db
    .selectFrom('messages')
    .select('id')
    .where('session_id', '=', sessionId)
    .where('turn_id', '=', turnId)
    .where('role', '=', 'assistant')
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.id ?? null;
}

/** The messages of a turn in the order in which they were written: those that its request brought, too. */
export async function listTurnMessages(db: Db, sessionId: string, turnId: string): Promise<PathMessage[]> {
  const rows = await messageQuery(db, sessionId).where('turn_id', '=', turnId).orderBy('seq').execute();
  return rows.map(toMessage);
}

export async function deleteMessage(db: Db, sessionId: string, messageId: string): Promise<void> {
  await db.deleteFrom('messages').where('session_id', '=', sessionId).where('id', '=', messageId).execute();
}

/** What the contract shows of a message. */
export function toContractMessage(message: PathMessage): Message {
  const { depth: _depth, active: _active, toolCallId: _toolCallId, ...shown } = message;
  return shown;
}

export type MessageRow = Omit<MessageTable, 'seq'> & {
  seq: number;
  system_id: string | null;
  sibling_count: number;
  sibling_index: number;
  /** Where the images themselves were left out. */
  image_count?: number | null;
};

/** The system message of a message's session. */
export const systemIdOf = sql<
  string | null
>`(select system_id from sessions where sessions.id = messages.session_id)`.as('system_id');

/** Every column but that of the images, which may be megabytes. */
const TEXT_COLUMNS = [
  'seq',
  'session_id',
  'id',
  'parent_id',
  'depth',
  'active',
  'role',
  'content',
  'thinking',
  'timestamp',
  'model',
  'eval_count',
  'prompt_eval_count',
  'tool_calls',
  'source_file',
  'tool_name',
  'tool_call_id',
  'turn_id',
  'status',
  'finish_reason',
  'extra',
  'client_id',
] as const satisfies readonly (keyof MessageTable)[];

/**
 * Messages with the same parent that this SQL is true of. The system message stands apart, at a depth of its own. As
 * `messages_path` has them: on the path and beside it.
 */
const siblings = (db: Db, which: RawBuilder<boolean>) => sql<number>`(
  select count(*) from messages as sibling
  where sibling.session_id = messages.session_id
    and sibling.active in (0, 1) and sibling.depth = messages.depth
    and ${dialectOf(db).isSame('sibling.parent_id', 'messages.parent_id')}
    and ${which}
)`;

/** What a message is told with, besides its row. */
function told(db: Db) {
  return [
    systemIdOf,
    siblings(db, sql`true`).as('sibling_count'),
    siblings(db, sql`sibling.seq < messages.seq`).as('sibling_index'),
  ] as const;
}

function messageQuery(db: Db, sessionId: string): SelectQueryBuilder<Database, 'messages', MessageRow> {
  return db.selectFrom('messages').selectAll().select(told(db)).where('session_id', '=', sessionId);
}

function messageQueryWithoutImages(
  db: Db,
  sessionId: string,
): SelectQueryBuilder<Database, 'messages', MessageRow> {
  return db
    .selectFrom('messages')
    .select(TEXT_COLUMNS)
    .select([sql<null>`null`.as('images'), dialectOf(db).jsonLength('images').as('image_count'), ...told(db)])
    .where('session_id', '=', sessionId);
}

export function toMessage(row: MessageRow): PathMessage {
  return {
    role: row.role,
    content: row.content,
    thinking: row.thinking,
    message_id: row.id,
    timestamp: row.timestamp,
    model: row.model,
    eval_count: row.eval_count,
    prompt_eval_count: row.prompt_eval_count,
    finish_reason: row.finish_reason,
    tool_calls: row.tool_calls === null ? null : parseStored(row.tool_calls),
    source_file: row.source_file,
    tool_name: row.tool_name,
    // The system message is the root that a client sees; in the rows it stands apart, so that it can be replaced.
    parent_id: row.depth === 0 ? row.system_id : row.parent_id,
    turn_id: row.turn_id,
    status: row.status,
    sibling_count: row.sibling_count,
    sibling_index: row.sibling_index,
    ...(row.images !== null && { images: parseStored(row.images) }),
    ...(row.image_count != null && { image_count: row.image_count }),
    depth: row.depth,
    active: row.active === 1,
    toolCallId: row.tool_call_id,
  };
}
