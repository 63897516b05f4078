// A session as the original's session file, format 1.4 (ORIGINAL.md §11): the active path. What that format has no
// place for (other branches, turns, images) is only in the JSONL.
import type { Role } from '../../contract/message.ts';
import type { Db } from '../../store/database.ts';
import { parseStored } from '../../store/parse-stored.ts';
import {
  countMessages,
  listPartialIds,
  type MessageRow,
  type SessionRow,
  streamPathRows,
} from '../../store/session-rows.ts';
import { toAdditionKeys } from './additions.ts';
import { isJsonObject, type JsonObject } from './values.ts';

/**
 * The text of the file in pieces. @param db a snapshot or a transaction: nothing is written between the pieces
 */
export async function* exportOriginal(db: Db, session: SessionRow): AsyncGenerator<string, void> {
  const { metadata, topLevel } = toMetadata(session, await listPartialIds(db, session));
  yield `{\n  "metadata": ${indented(metadata, '  ')},\n  "messages": [`;
  let isFirst = true;
  for await (const row of streamPathRows(db, session.id)) {
    yield `${isFirst ? '' : ','}\n    ${indented(toMessage(row), '    ')}`;
    isFirst = false;
  }
  yield isFirst ? ']' : '\n  ]';
  for (const [key, value] of Object.entries(topLevel)) {
    yield `,\n  ${JSON.stringify(key)}: ${indented(value, '  ')}`;
  }
  yield '\n}\n';
}

/** Keys of ours win over those that a file brought and that nobody here understands. */
function toMetadata(
  session: SessionRow,
  partial: readonly string[],
): { metadata: JsonObject; topLevel: JsonObject } {
  const { top_level: topLevel, ...extra } = parse(session.extra) ?? {};
  const known: JsonObject = {
    session_id: session.id,
    model: session.model,
    created_at: session.created_at,
    updated_at: session.updated_at,
    message_count: countMessages(session),
    summary: toSummary(parse(session.summary)),
    summary_model: session.summary_model,
    format_version: '1.4',
    tool_settings: parse(session.tool_settings),
    agent_settings: parse(session.agent_settings),
    context_window_config: parse(session.context_window),
    ...toAdditionKeys({
      title: session.title,
      metadata: parse(session.metadata) ?? {},
      partial,
      agent: session.kind === 'agent' ? { name: session.agent_name } : null,
    }),
  };
  const metadata: JsonObject = { ...known, ...extra };
  for (const [key, value] of Object.entries(known)) metadata[key] = overLeftover(extra[key], value);
  return { metadata, topLevel: isJsonObject(topLevel) ? topLevel : {} };
}

/** Without where it comes from, which only means something here. */
function toSummary(stored: JsonObject | null): JsonObject | null {
  return stored && { summary: stored['summary'], topics: stored['topics'] };
}

/** Inside a section, too. */
function overLeftover(leftover: unknown, value: unknown): unknown {
  return isJsonObject(leftover) && isJsonObject(value) ? { ...leftover, ...value } : value;
}

/** The keys that each role has; the original refuses a file with any other. */
const KEYS: Readonly<Record<Role, readonly (keyof MessageRow)[]>> = {
  system: ['content', 'source_file'],
  user: ['content'],
  assistant: ['content', 'model', 'eval_count', 'prompt_eval_count', 'thinking', 'tool_calls'],
  tool: ['tool_name', 'content'],
};

function toMessage(row: MessageRow): JsonObject {
  const message: JsonObject = { role: row.role };
  for (const key of KEYS[row.role]) message[key] = key === 'tool_calls' ? parse(row[key]) : row[key];
  return { ...message, message_id: row.id, timestamp: row.timestamp };
}

function parse(text: string | null): JsonObject | null {
  return text === null ? null : parseStored(text);
}

function indented(value: unknown, indent: string): string {
  // JSON has no line ends inside of texts.
  return JSON.stringify(value, null, 2).replaceAll('\n', `\n${indent}`);
}
