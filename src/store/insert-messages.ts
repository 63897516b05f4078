// Writes new message rows.
import type { Insertable } from 'kysely';
import type { FinishReason, MessageStatus, Role } from '../contract/message.ts';
import type { StoredToolCall } from '../contract/tool.ts';
import type { Db, MessageTable } from './database.ts';
import { prepared } from './prepared.ts';

export interface NewMessage {
  readonly sessionId: string;
  readonly id: string;
  readonly parentId: string | null;
  readonly depth: number;
  readonly active: boolean;
  readonly role: Role;
  readonly content: string;
  readonly timestamp: string;
  readonly status: MessageStatus;
  readonly thinking?: string | null;
  readonly model?: string | null;
  readonly evalCount?: number | null;
  readonly promptEvalCount?: number | null;
  readonly finishReason?: FinishReason | null;
  readonly toolCalls?: readonly StoredToolCall[] | null;
  readonly sourceFile?: string | null;
  readonly toolName?: string | null;
  readonly toolCallId?: string | null;
  readonly turnId?: string | null;
  readonly images?: readonly string[];
  readonly extra?: Readonly<Record<string, unknown>> | null;
  readonly clientId?: string | null;
}

const addMessage = prepared((db, row: Insertable<MessageTable>) => db.insertInto('messages').values(row));

export async function insertMessage(db: Db, message: NewMessage): Promise<void> {
  await addMessage(db, toMessageRow(message));
}

/** Rows per statement: full batches share one cached text, and stay far below SQLite's limit on parameters. */
const BATCH = 200;

export async function insertMessages(db: Db, messages: readonly NewMessage[]): Promise<void> {
  for (let start = 0; start < messages.length; start += BATCH) {
    const rows = messages.slice(start, start + BATCH).map(toMessageRow);
    await db.insertInto('messages').values(rows).execute();
  }
}

export function toMessageRow(message: NewMessage): Insertable<MessageTable> {
  const { images = [], toolCalls = null, extra = null } = message;
  return {
    session_id: message.sessionId,
    id: message.id,
    parent_id: message.parentId,
    depth: message.depth,
    active: message.active ? 1 : 0,
    role: message.role,
    content: message.content,
    thinking: message.thinking ?? null,
    timestamp: message.timestamp,
    model: message.model ?? null,
    eval_count: message.evalCount ?? null,
    prompt_eval_count: message.promptEvalCount ?? null,
    tool_calls: toolCalls && JSON.stringify(toolCalls),
    source_file: message.sourceFile ?? null,
    tool_name: message.toolName ?? null,
    tool_call_id: message.toolCallId ?? null,
    turn_id: message.turnId ?? null,
    status: message.status,
    finish_reason: message.finishReason ?? null,
    images: images.length > 0 ? JSON.stringify(images) : null,
    extra: extra && JSON.stringify(extra),
    client_id: message.clientId ?? null,
  };
}
