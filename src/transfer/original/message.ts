// Messages of the original's session files: four shapes by role in the server's, every key in each of coco's.
import { createHash } from 'node:crypto';
import { ROLES, type Role } from '../../contract/message.ts';
import { MAX_IMPORTED_CALLS, type StoredToolCall } from '../../contract/tool.ts';
import type { Stretches } from '../../kit/stretches.ts';
import { cutText } from '../../kit/whole-characters.ts';
import { parseOriginalTimestamp } from './timestamp.ts';
import {
  asCount,
  asId,
  asList,
  asObject,
  asText,
  hasKeys,
  isJsonObject,
  isNothing,
  type JsonObject,
  kindOf,
  OriginalFormatError,
  refuseDeepNesting,
  take,
} from './values.ts';

export interface OriginalMessage {
  readonly role: Role;
  readonly content: string;
  readonly thinking: string | null;
  /** Unique within the file. */
  readonly messageId: string;
  readonly timestamp: string;
  readonly model: string | null;
  readonly evalCount: number | null;
  readonly promptEvalCount: number | null;
  readonly toolCalls: readonly StoredToolCall[] | null;
  readonly toolName: string | null;
  readonly sourceFile: string | null;
  /** Unknown keys, and values that could not be used under their own key, as found. Known keys win over these. */
  readonly extra: Record<string, unknown>;
}

type GiveId = (found: string | null, index: number) => string;

/** Messages that are read before others have a turn. */
const STRETCH = 1000;

/** @param createdAt timestamp of messages that have none, nor one before them that has */
export function* parseOriginalMessages(
  values: readonly unknown[],
  sessionId: string,
  createdAt: string,
): Stretches<OriginalMessage[]> {
  const giveId = createIdGiver(values, sessionId);
  let timestamp = createdAt;
  const messages: OriginalMessage[] = [];
  for (const [index, value] of values.entries()) {
    const message = parseMessage(value, index, timestamp, giveId);
    timestamp = message.timestamp;
    messages.push(message);
    if (messages.length % STRETCH === 0) yield;
  }
  return messages;
}

function parseMessage(
  value: unknown,
  index: number,
  timestampBefore: string,
  giveId: GiveId,
): OriginalMessage {
  const place = `messages[${index}]`;
  if (!isJsonObject(value)) throw new OriginalFormatError(`${place} is ${kindOf(value)}, not an object`);
  const {
    role,
    content,
    thinking,
    message_id,
    timestamp,
    model,
    eval_count,
    prompt_eval_count,
    tool_calls,
    tool_name,
    source_file,
    ...extra
  } = value;
  const foundId = take(extra, 'message_id', message_id, asId);
  const messageId = giveId(foundId, index);
  if (foundId !== null && foundId !== messageId) extra.message_id = foundId;
  const message = {
    role: parseRole(role, place),
    content: parseContent(content, place),
    thinking: take(extra, 'thinking', thinking, asText),
    messageId,
    timestamp: take(extra, 'timestamp', timestamp, parseOriginalTimestamp) ?? timestampBefore,
    model: take(extra, 'model', model, asText),
    evalCount: take(extra, 'eval_count', eval_count, asCount),
    promptEvalCount: take(extra, 'prompt_eval_count', prompt_eval_count, asCount),
    toolCalls: takeToolCalls(extra, tool_calls, `${place}.tool_calls`),
    toolName: take(extra, 'tool_name', tool_name, asText),
    sourceFile: take(extra, 'source_file', source_file, asText),
    extra,
  };
  refuseDeepNesting([message.toolCalls, extra], place);
  return message;
}

function parseRole(value: unknown, place: string): Role {
  const role = ROLES.find((known) => known === value);
  if (role !== undefined) return role;
  const found = typeof value === 'string' ? JSON.stringify(cutText(value, 40)) : kindOf(value);
  throw new OriginalFormatError(`${place}.role is ${found}`);
}

function parseContent(value: unknown, place: string): string {
  if (isNothing(value)) return '';
  if (typeof value === 'string') return value;
  throw new OriginalFormatError(`${place}.content is ${kindOf(value)}, not text`);
}

/** What a call says beside name and arguments stays in `extra.tool_calls`: one object per call, shaped as found. */
function takeToolCalls(extra: JsonObject, value: unknown, place: string): StoredToolCall[] | null {
  if (isNothing(value)) return null;
  const found = asList(value);
  // Not merely kept aside: a history with the results of calls, but without the calls, is not what was said.
  if (found === null) throw new OriginalFormatError(`${place} is ${kindOf(value)}, not a list`);
  if (found.length === 0) return null;
  if (found.length > MAX_IMPORTED_CALLS) {
    throw new OriginalFormatError(`${place} has over ${MAX_IMPORTED_CALLS} calls`);
  }
  const parsed = found.map((call, index) => parseToolCall(call, `${place}[${index}]`));
  const leftovers = parsed.map(({ leftover }) => leftover);
  if (leftovers.some(hasKeys)) extra.tool_calls = leftovers;
  return parsed.map(({ call }) => call);
}

function parseToolCall(value: unknown, place: string): { call: StoredToolCall; leftover: JsonObject } {
  if (!isJsonObject(value)) throw new OriginalFormatError(`${place} is ${kindOf(value)}, not an object`);
  const { function: called, ...leftover } = value;
  if (!isJsonObject(called)) throw new OriginalFormatError(`${place}.function is ${kindOf(called)}`);
  const { name, arguments: found, ...calledLeftover } = called;
  if (typeof name !== 'string') throw new OriginalFormatError(`${place}.function.name is ${kindOf(name)}`);
  const given = take(calledLeftover, 'arguments', found, asArguments) ?? {};
  if (hasKeys(calledLeftover)) leftover.function = calledLeftover;
  return { call: { function: { name, arguments: given } }, leftover };
}

/** Arguments are an object, or the JSON text of one. */
function asArguments(value: unknown): JsonObject | null {
  if (typeof value !== 'string') return asObject(value);
  try {
    return asObject(JSON.parse(value));
  } catch {
    return null;
  }
}

/**
 * The first message with an id keeps it. Every other gets one derived from session and position, so that reading the
 * same file twice gives the same ids, and never one that the file uses anywhere.
 */
function createIdGiver(values: readonly unknown[], sessionId: string): GiveId {
  const usedInFile = new Set(values.map((value) => (isJsonObject(value) ? value.message_id : null)));
  const given = new Set<string>();
  return (found, index) => {
    let id = found;
    for (
      let attempt = 0;
      id === null || given.has(id) || (id !== found && usedInFile.has(id));
      attempt += 1
    ) {
      id = createHash('sha256').update(`${sessionId}/${index}/${attempt}`).digest('hex').slice(0, 10);
    }
    given.add(id);
    return id;
  };
}
