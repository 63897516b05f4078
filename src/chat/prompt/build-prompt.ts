// Stored messages → what the engine is sent. Pure.
import {
  type EngineMessage,
  type EngineModel,
  type EngineToolCall,
  mayDo,
  type Think,
} from '../../contract/engine.ts';
import type { PromptMessage } from '../../store/messages.ts';

/** Calls of assistant messages by message id, with the ids under which the engine knows them. */
export type ToolCallsByMessage = ReadonlyMap<string, readonly EngineToolCall[]>;

/** The result of a call that has none. */
const NO_RESULT = 'Error: no result';

/** What stands before the history: the system prompt and what the summary says of what was left out. */
export interface Prelude {
  readonly system: string | null;
  readonly summary: string | null;
}

/** One system message, first; then the history as it is stored, so that a prompt is a prefix of the next one. */
export function buildPrompt(
  prelude: Prelude,
  history: readonly PromptMessage[],
  toolCalls: ToolCallsByMessage,
): EngineMessage[] {
  const messages = answerEveryCall(history.map((message) => toEngineMessage(message, toolCalls)));
  const content = systemText(prelude);
  return content === null ? messages : [{ role: 'system', content }, ...messages];
}

/** What a model can read of them: the images may have come when the session had another one. */
export function readableBy(
  model: EngineModel | null,
  messages: readonly EngineMessage[],
): readonly EngineMessage[] {
  if (mayDo(model, 'vision')) return messages;
  return messages.map(({ images: _images, ...text }) => text);
}

/**
 * Whether it is asked to think. A model that nobody could ask about is sent what the client wants.
 * @param wanted null: where it is known that it can
 */
export function thinkOf(model: EngineModel | null, wanted: Think | null): Think {
  if (wanted === null) return model?.capabilities.includes('thinking') ?? false;
  return mayDo(model, 'thinking') ? wanted : false;
}

/** How many messages of a prompt stand for what is stored, the calls that it leaves open not answered. */
export function countStored(prompt: readonly EngineMessage[]): number {
  return prompt.findLastIndex((message) => message.content !== NO_RESULT) + 1;
}

/** Null when there is nothing to say first. */
export function systemText({ system, summary }: Prelude): string | null {
  if (summary === null) return system;
  const told = `Summary of the earlier part of this conversation, which is not shown:\n${summary}`;
  return system === null ? told : `${system}\n\n${told}`;
}

/** A call without its result, as an imported file can have one, would be refused by strict engines. */
function answerEveryCall(messages: readonly EngineMessage[]): EngineMessage[] {
  const complete: EngineMessage[] = [];
  let open: EngineToolCall[] = [];
  const closeOpen = () => {
    for (const call of open) {
      complete.push({ role: 'tool', content: NO_RESULT, toolName: call.name, toolCallId: call.id });
    }
    open = [];
  };
  for (const message of messages) {
    if (message.role === 'tool' && open.length === 0) {
      // A result without its call, as a file of another program can have one: kept as text.
      complete.push({ role: 'user', content: message.content });
      continue;
    }
    if (message.role === 'tool') open = without(open, message.toolCallId);
    else closeOpen();
    complete.push(message);
    if (message.toolCalls) open = [...message.toolCalls];
  }
  closeOpen();
  return complete;
}

/** Results come in any order where clients have run some of the calls; one without an id is that of the first. */
function without(open: readonly EngineToolCall[], id: string | undefined): EngineToolCall[] {
  const index = Math.max(0, id === undefined ? 0 : open.findIndex((call) => call.id === id));
  return open.toSpliced(index, 1);
}

function toEngineMessage(message: PromptMessage, toolCalls: ToolCallsByMessage): EngineMessage {
  const { role, content } = message;
  if (role === 'tool') {
    return {
      role,
      content,
      ...(message.tool_name !== null && { toolName: message.tool_name }),
      ...(message.toolCallId !== null && { toolCallId: message.toolCallId }),
      ...(message.images && { images: message.images }),
    };
  }
  if (role === 'assistant') {
    const calls = toolCalls.get(message.message_id) ?? importedCalls(message);
    return {
      role,
      content,
      ...(message.thinking !== null && { thinking: message.thinking }),
      ...(calls.length > 0 && { toolCalls: calls }),
    };
  }
  // A system message in the middle (an imported file can have one) would be refused by strict templates.
  if (role === 'system') return { role: 'user', content };
  return { role, content, ...(message.images && { images: message.images }) };
}

/** Calls of an imported message, which were stored without ids: the order tells which result is whose. */
function importedCalls(message: PromptMessage): EngineToolCall[] {
  return (message.tool_calls ?? []).map((call, index) => ({
    id: `call_${message.message_id}_${index}`,
    name: call.function.name,
    arguments: call.function.arguments,
  }));
}
