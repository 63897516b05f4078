// The contract's shapes ↔ Ollama's. Facts: docs/api.md and api/types.go of ollama/ollama.
import type {
  EngineChatRequest,
  EngineChunk,
  EngineMessage,
  EngineToolCall,
  EngineUsage,
} from '../../contract/engine.ts';
import { FINISH_REASONS } from '../../contract/message.ts';
import { randomHex } from '../../kit/ids.ts';
import { toToolArguments } from '../tool-arguments.ts';

/** The body of POST /api/chat. `think` is always sent: left out, it means on for a model that can (v0.12.4). */
export function toChatBody(request: EngineChatRequest): Record<string, unknown> {
  const options = { ...request.options };
  // A lone string is a wrong type to Ollama (HTTP 500), although its own OpenAPI document allows it.
  if (typeof options['stop'] === 'string') options['stop'] = [options['stop']];
  if (request.window !== null) options['num_ctx'] = request.window;
  return {
    model: request.model,
    messages: request.messages.map(toWireMessage),
    stream: true,
    think: request.think,
    // An over-long prompt is an error, never a silent cut.
    truncate: false,
    ...(request.format !== undefined && { format: request.format }),
    ...(request.tools !== undefined &&
      request.tools.length > 0 && {
        tools: request.tools.map((tool) => ({ type: 'function', function: tool })),
      }),
    ...(Object.keys(options).length > 0 && { options }),
    ...(request.keepAlive !== undefined && { keep_alive: request.keepAlive }),
  };
}

function toWireMessage(message: EngineMessage): Record<string, unknown> {
  return {
    role: message.role,
    content: message.content,
    ...(message.thinking && { thinking: message.thinking }),
    ...(message.images && message.images.length > 0 && { images: message.images }),
    ...(message.toolCalls &&
      message.toolCalls.length > 0 && { tool_calls: message.toolCalls.map(toWireCall) }),
    ...(message.toolName !== undefined && { tool_name: message.toolName }),
    ...(message.toolCallId !== undefined && { tool_call_id: message.toolCallId }),
  };
}

function toWireCall(call: EngineToolCall): unknown {
  // `arguments` must be an object: a string is a 400 on the turn after.
  const given = typeof call.arguments === 'string' ? {} : call.arguments;
  return { id: call.id, function: { name: call.name, arguments: given } };
}

/** One line of the answer, in the order in which a client should see its parts. */
export function toChunks(line: unknown): EngineChunk[] {
  if (!isRecord(line)) return [];
  const message = isRecord(line['message']) ? line['message'] : {};
  const { thinking, content } = message;
  const text: EngineChunk[] = isText(content) ? [{ type: 'content', text: content }] : [];
  const chunks: EngineChunk[] = isText(thinking) ? [{ type: 'thinking', text: thinking }, ...text] : text;
  if (Array.isArray(message['tool_calls'])) {
    for (const call of message['tool_calls']) chunks.push({ type: 'tool_call', call: fromWireCall(call) });
  }
  if (line['done'] === true) {
    const reason = FINISH_REASONS.find((known) => known === line['done_reason']) ?? null;
    chunks.push({ type: 'done', reason, usage: toUsage(line) });
  }
  return chunks;
}

function fromWireCall(value: unknown): EngineToolCall {
  const call = isRecord(value) ? value : {};
  const target = isRecord(call['function']) ? call['function'] : {};
  return {
    // Servers before v0.12.10 send no id.
    id: isText(call['id']) ? call['id'].toWellFormed() : `call_${randomHex(8)}`,
    name: isText(target['name']) ? target['name'].toWellFormed() : '',
    arguments: toToolArguments(target['arguments']),
  };
}

/** All numbers are optional on the wire: absent means unknown. Durations come in nanoseconds. */
function toUsage(line: Record<string, unknown>): EngineUsage {
  const count = (key: string) => {
    const value = line[key];
    if (typeof value !== 'number' || value < 0) return null;
    const whole = Math.trunc(value);
    return Number.isSafeInteger(whole) ? whole : null;
  };
  const milliseconds = (key: string) => {
    const value = count(key);
    return value === null ? null : Math.round(value / 1e6);
  };
  return {
    promptTokens: count('prompt_eval_count'),
    outputTokens: count('eval_count'),
    loadMs: milliseconds('load_duration'),
    promptEvalMs: milliseconds('prompt_eval_duration'),
    evalMs: milliseconds('eval_duration'),
    ...waited(line),
  };
}

/** Waiting for a slot counts in the total only. */
function waited(line: Record<string, unknown>): Pick<EngineUsage, 'waitedMs'> {
  const total = line['total_duration'];
  if (typeof total !== 'number') return {};
  const parts = ['load_duration', 'prompt_eval_duration', 'eval_duration'].map((key) => line[key]);
  const worked = parts.reduce<number>((sum, part) => sum + (typeof part === 'number' ? part : 0), 0);
  return { waitedMs: Math.max(0, Math.round((total - worked) / 1e6)) };
}

/** The error text of a line or a body, in any of the forms in which it comes; null where there is none. */
export function errorText(value: unknown): string | null {
  if (!isRecord(value)) return null;
  const key = Object.keys(value).find((name) => name === 'error' || name.startsWith('error '));
  if (key === undefined) return null;
  const found = value[key];
  if (key !== 'error') return `${key.slice('error '.length)}: ${unwrapError(found)}`;
  return unwrapError(found);
}

/** llama-server's error arrives as a JSON document inside the string; proxies send an object. */
function unwrapError(value: unknown): string {
  if (typeof value === 'string') {
    try {
      const inner: unknown = JSON.parse(value);
      return isRecord(inner) ? (errorText(inner) ?? value) : value;
    } catch {
      return value;
    }
  }
  if (isRecord(value)) return isText(value['message']) ? value['message'] : JSON.stringify(value);
  return JSON.stringify(value) ?? '';
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
