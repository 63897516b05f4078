// Messages as they are stored → UI messages, and the chunks that would have told them. Pure.
import type { Message } from '../../contract/message.ts';
import { imageTypeOf, toDataUrl } from '../../kit/image-bytes.ts';
import type { SettledToolCall } from '../../store/settled-calls.ts';
import { type Chunk, inputChunk, outputChunk, textChunks } from './chunks.ts';

/** As `useChat` holds it. */
export interface UiMessage {
  readonly id: string;
  readonly role: 'system' | 'user' | 'assistant';
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly parts: readonly UiPart[];
}
interface UiPart {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** A stored message with the id that its client gave it. */
export interface UiSource extends Message {
  readonly clientId: string | null;
}

export interface UiContext {
  /** Of all the messages. */
  readonly calls: readonly SettledToolCall[];
  /** What people are asked, by the id of the call. */
  readonly approvals: ReadonlyMap<string, string>;
  /** What a turn is told by, by its id. */
  readonly turns: ReadonlyMap<string, Readonly<Record<string, unknown>>>;
}

/** All assistant and tool messages between two messages of the user are one. @param path the system message first */
export function toUiMessages(path: readonly UiSource[], context: UiContext): UiMessage[] {
  const told: UiMessage[] = [];
  let answer: Message[] = [];
  const tellAnswer = () => {
    const [first] = answer;
    if (first !== undefined) told.push(toAnswer(first, answer, context));
    answer = [];
  };
  for (const message of path) {
    if (message.role === 'assistant') answer.push(message);
    if (message.role === 'assistant' || message.role === 'tool') continue;
    tellAnswer();
    told.push({
      id: message.clientId ?? message.message_id,
      role: message.role,
      parts: toUserParts(message),
    });
  }
  tellAnswer();
  return told;
}

function toAnswer(first: Message, messages: readonly Message[], context: UiContext): UiMessage {
  const last = messages.at(-1) ?? first;
  const turn = last.turn_id === null ? undefined : context.turns.get(last.turn_id);
  return {
    id: first.message_id,
    role: 'assistant',
    metadata: { turn_id: last.turn_id, model: last.model, created_at: first.timestamp, ...turn },
    parts: messages.flatMap((message) => toParts(message, context)),
  };
}

function toUserParts({ content, images = [] }: Message): UiPart[] {
  const files = images.map((image) => ({
    type: 'file',
    mediaType: imageTypeOf(Buffer.from(image.slice(0, 32), 'base64')) ?? 'image/png',
    url: toDataUrl(image),
  }));
  return [...(content === '' && files.length > 0 ? [] : [{ type: 'text', text: content }]), ...files];
}

function toParts({ message_id: id, thinking, content }: Message, context: UiContext): UiPart[] {
  const calls = context.calls.filter(({ messageId }) => messageId === id);
  return [
    { type: 'step-start' },
    ...(thinking ? [{ type: 'reasoning', text: thinking, state: 'done' }] : []),
    ...(content === '' ? [] : [{ type: 'text', text: content, state: 'done' }]),
    ...calls.map((call) => toCallPart(call, context)),
  ];
}

function toCallPart(call: SettledToolCall, { approvals }: UiContext): UiPart {
  const { callId: toolCallId, name, arguments: input, success, runsAt } = call;
  const isHere = runsAt === 'server';
  const part = {
    ...(isHere ? { type: 'dynamic-tool', toolName: name, providerExecuted: true } : { type: `tool-${name}` }),
    toolCallId,
    input,
  };
  const approval = approvals.get(toolCallId);
  if (success === null && approval !== undefined) {
    return { ...part, state: 'approval-requested', approval: { id: approval } };
  }
  if (success === null) return { ...part, state: 'input-available' };
  const result = resultOf(call);
  return success
    ? { ...part, state: 'output-available', output: result }
    : { ...part, state: 'output-error', errorText: result };
}

/** Without the word that tells a model of a failure. */
function resultOf({ result, success }: SettledToolCall): string {
  return success === false ? (result ?? '').replace(/^Error: /, '') : (result ?? '');
}

/** What a stream has told of messages: for a client that begins them afresh. */
export function toChunks(messages: readonly Message[], calls: readonly SettledToolCall[]): Chunk[] {
  return messages
    .filter(({ role }) => role === 'assistant')
    .flatMap(({ message_id: id, thinking, content }) => [
      { type: 'start-step' },
      ...textChunks('reasoning', id, thinking ?? ''),
      ...textChunks('text', id, content),
      ...calls.filter(({ messageId }) => messageId === id).flatMap(toCallChunks),
      { type: 'finish-step' },
    ]);
}

function toCallChunks(call: SettledToolCall): Chunk[] {
  const { callId: tool_call_id, name: tool_name, arguments: given, success, runsAt } = call;
  const input = inputChunk({ tool_call_id, tool_name, arguments: given }, runsAt);
  if (success === null) return [input];
  const output = outputChunk({ tool_call_id, success, text: resultOf(call) });
  if (runsAt === 'server') return [input, output];
  const { dynamic: _dynamic, providerExecuted: _executed, ...own } = output;
  return [input, own];
}
