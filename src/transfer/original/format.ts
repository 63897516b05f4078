// Reads a session file of the original server or of its sibling mochi-coco: formats 1.0 to 1.4, and later ones leniently.
import type { ContextWindowConfig } from '../../contract/context-window.ts';
import type { SessionSummary } from '../../contract/session.ts';
import type { AgentSettings, ToolSettings } from '../../contract/tool.ts';
import { formatMicroseconds } from '../../kit/clock.ts';
import { withoutMark } from '../../kit/decode-text.ts';
import { jsonFault } from '../../kit/json-fault.ts';
import { parseLongJson } from '../../kit/parse-long-json.ts';
import type { Stretches } from '../../kit/stretches.ts';
import { type OriginalMessage, parseOriginalMessages } from './message.ts';
import { takeAgentSettings, takeContextWindow, takeSummary, takeToolSettings } from './settings.ts';
import { parseOriginalTimestamp } from './timestamp.ts';
import {
  asId,
  asList,
  asText,
  hasKeys,
  isJsonObject,
  isNothing,
  kindOf,
  OriginalFormatError,
  refuseDeepNesting,
  take,
} from './values.ts';

export { OriginalFormatError } from './values.ts';

export interface OriginalSession {
  readonly sessionId: string;
  readonly model: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly summary: SessionSummary | null;
  readonly summaryModel: string | null;
  readonly toolSettings: ToolSettings;
  readonly agentSettings: AgentSettings;
  readonly contextWindow: ContextWindowConfig;
  /** As found, `1.0` when absent. */
  readonly formatVersion: string;
  /**
   * What has no field above, as found: unknown keys of `metadata`, values that could not be used under their own key
   * (inside a section: `tool_settings: { … }`), a `tool_group`, and unknown keys beside `metadata` under `top_level`.
   * When a file is written from this, the fields win over these keys.
   */
  readonly extra: Record<string, unknown>;
  readonly messages: readonly OriginalMessage[];
}

/** As `readOriginalSession`, from the text of a file, or its UTF-8. @throws OriginalFormatError */
export function* parseOriginalSession(text: string | Buffer, fallbackId: string): Stretches<OriginalSession> {
  const file = yield* parseFile(typeof text === 'string' ? Buffer.from(text) : text);
  return yield* readOriginalSession(file, fallbackId);
}

/**
 * Nothing in the file is lost in silence: what cannot be used is in an `extra`, or the whole file is refused.
 *
 * @param fallbackId for a file whose own `session_id` cannot be used; its name, for instance
 * @throws OriginalFormatError
 */
export function* readOriginalSession(
  file: unknown,
  fallbackId: string | ((file: object) => Stretches<string>),
): Stretches<OriginalSession> {
  if (!isJsonObject(file)) throw wrongKind('the file', file, 'an object');
  const { metadata, messages, ...topLevel } = file;
  if (!isJsonObject(metadata)) throw wrongKind('metadata', metadata, 'an object');
  const {
    session_id,
    model,
    created_at,
    updated_at,
    message_count: _notBelieved,
    summary,
    summary_model,
    format_version,
    tool_settings,
    agent_settings,
    context_window_config,
    ...extra
  } = metadata;
  if (hasKeys(topLevel)) extra.top_level = topLevel;

  const found = isNothing(messages) ? [] : asList(messages);
  if (found === null) throw wrongKind('messages', messages, 'a list');
  const sessionId =
    take(extra, 'session_id', session_id, asId) ??
    (typeof fallbackId === 'string' ? fallbackId : yield* fallbackId(file));
  const ownUpdatedAt = take(extra, 'updated_at', updated_at, parseOriginalTimestamp);
  const createdAt =
    take(extra, 'created_at', created_at, parseOriginalTimestamp) ??
    firstTimestamp(found) ??
    ownUpdatedAt ??
    formatMicroseconds(0);
  const parsedMessages = yield* parseOriginalMessages(found, sessionId, createdAt);
  const session = {
    sessionId,
    model: parseModel(model),
    createdAt,
    updatedAt: ownUpdatedAt ?? parsedMessages.at(-1)?.timestamp ?? createdAt,
    summary: takeSummary(extra, summary),
    summaryModel: take(extra, 'summary_model', summary_model, asText),
    toolSettings: takeToolSettings(extra, tool_settings),
    agentSettings: takeAgentSettings(extra, agent_settings),
    contextWindow: takeContextWindow(extra, context_window_config),
    formatVersion: take(extra, 'format_version', format_version, asVersion) ?? '1.0',
    extra,
    messages: parsedMessages,
  };
  refuseDeepNesting(extra, 'metadata');
  return session;
}

function* parseFile(json: Buffer): Stretches<unknown> {
  try {
    const value = yield* parseLongJson(json);
    // How deep it may be is looked at where it is stored.
    const fault = yield* jsonFault(value, { maxDepth: Number.POSITIVE_INFINITY });
    if (fault !== null) throw new OriginalFormatError(`the file ${fault}`);
    return value;
  } catch (error) {
    if (error instanceof OriginalFormatError) throw error;
    throw notJson(json);
  }
}

function notJson(json: Buffer): OriginalFormatError {
  const text = withoutMark(json.toString());
  if (!/\S/.test(text)) return new OriginalFormatError('the file is empty');
  try {
    JSON.parse(text);
  } catch (error) {
    // Only the place: the parser's own text may quote the conversation.
    const place = /\(line \d+ column \d+\)/.exec(String(error))?.[0];
    if (place !== undefined) return new OriginalFormatError(`not JSON ${place}`);
  }
  return new OriginalFormatError('not JSON');
}

function parseModel(value: unknown): string {
  if (isNothing(value)) throw new OriginalFormatError('metadata.model is missing');
  if (typeof value !== 'string') throw wrongKind('metadata.model', value, 'text');
  return value;
}

function wrongKind(place: string, value: unknown, expected: string): OriginalFormatError {
  const found = kindOf(value);
  return new OriginalFormatError(
    found === 'missing' ? `${place} is missing` : `${place} is ${found}, not ${expected}`,
  );
}

/** Of the first message that has a usable one. */
function firstTimestamp(messages: readonly unknown[]): string | null {
  for (const message of messages) {
    const timestamp = isJsonObject(message) ? parseOriginalTimestamp(message.timestamp) : null;
    if (timestamp !== null) return timestamp;
  }
  return null;
}

function asVersion(value: unknown): string | null {
  return typeof value === 'number' ? String(value) : asText(value);
}
