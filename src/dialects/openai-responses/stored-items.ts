// Messages as they are stored → items of a response or a conversation. Pure.
import type { Message, MessageStatus } from '../../contract/message.ts';
import { toDataUrl } from '../../kit/image-bytes.ts';
import type { SettledToolCall } from '../../store/settled-calls.ts';
import type { JsonObject } from '../read-content.ts';
import type { CustomTools } from './custom-tools.ts';
import { toCallItemId, toItemId } from './ids.ts';
import {
  clientCallItem,
  type ItemStatus,
  messageItem,
  type OutputItem,
  type ReasoningForm,
  reasoningItem,
  serverCallItem,
} from './items.ts';

/** How items are told to whoever asks. */
export interface ItemForm {
  readonly sessionId: string;
  readonly custom: CustomTools;
  readonly reasoning: ReasoningForm;
}

/** @param calls of these messages, and those whose results they are */
export function toItems(
  messages: readonly Message[],
  calls: readonly SettledToolCall[],
  form: ItemForm,
): (OutputItem | JsonObject)[] {
  return messages.flatMap((message): readonly (OutputItem | JsonObject)[] => {
    switch (message.role) {
      case 'user':
      case 'system':
        return [toInputItem(message, form.sessionId)];
      case 'assistant':
        return toOutputItems(message, calls, form);
      case 'tool': {
        const call = calls.find(({ resultMessageId: id }) => id === message.message_id);
        return call?.runsAt === 'client' ? [toResultItem(message, call, form)] : [];
      }
      default:
        return message.role satisfies never;
    }
  });
}

const STATUSES: Readonly<Record<MessageStatus, ItemStatus>> = {
  complete: 'completed',
  partial: 'incomplete',
  streaming: 'in_progress',
};

/** Thoughts, words and calls of one message. */
export function toOutputItems(
  message: Message,
  calls: readonly SettledToolCall[],
  { sessionId, custom, reasoning }: ItemForm,
): OutputItem[] {
  const { message_id: id, thinking, content, status: stored } = message;
  const status = STATUSES[stored];
  const own = calls.filter(({ messageId }) => messageId === id);
  return [
    ...(thinking ? [reasoningItem(toItemId('rs', sessionId, id), status, thinking, reasoning)] : []),
    ...(content === '' ? [] : [messageItem(toItemId('msg', sessionId, id), status, content)]),
    ...own.map((call) => toCallItem(call, `${sessionId}${id}`, custom)),
  ];
}

function toCallItem(settled: SettledToolCall, place: string, custom: CustomTools): OutputItem {
  const { callId, callIndex, name, success, result, runsAt } = settled;
  const isClients = runsAt === 'client';
  const id = toCallItemId(isClients ? 'fc' : 'mcp', place, callIndex);
  const call = { id, callId, name, arguments: settled.arguments };
  if (isClients) return clientCallItem(call, 'completed', custom);
  if (success === null) return serverCallItem(call, 'in_progress');
  return success
    ? serverCallItem(call, 'completed', { output: result, error: null })
    : serverCallItem(call, 'failed', { output: null, error: result?.replace(/^Error: /, '') ?? null });
}

function toInputItem({ message_id: id, role, content, images = [] }: Message, sessionId: string): JsonObject {
  return {
    id: toItemId('msg', sessionId, id),
    type: 'message',
    status: 'completed',
    role,
    content: [
      ...(content === '' && images.length > 0 ? [] : [{ type: 'input_text', text: content }]),
      ...images.map((image) => ({
        type: 'input_image',
        detail: 'auto',
        file_id: null,
        image_url: toDataUrl(image),
      })),
    ],
  };
}

function toResultItem(
  { message_id: id, content }: Message,
  { callId, name }: SettledToolCall,
  { sessionId, custom }: ItemForm,
): JsonObject {
  return {
    id: toItemId('fco', sessionId, id),
    type: custom.isCustom(name) ? 'custom_tool_call_output' : 'function_call_output',
    status: 'completed',
    call_id: callId,
    output: content,
  };
}
