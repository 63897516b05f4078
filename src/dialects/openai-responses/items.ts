// Output items of a response, as its clients read them.
import type { CustomTools } from './custom-tools.ts';

export type ItemStatus = 'in_progress' | 'completed' | 'incomplete';

export interface TextPart {
  readonly type: 'output_text';
  readonly text: string;
  readonly annotations: readonly [];
  readonly logprobs: readonly [];
}

export interface MessageItem {
  readonly id: string;
  readonly type: 'message';
  readonly status: ItemStatus;
  readonly role: 'assistant';
  readonly content: readonly TextPart[];
}

export interface ReasoningItem {
  readonly id: string;
  readonly type: 'reasoning';
  readonly status: ItemStatus;
  readonly summary: readonly { readonly type: 'summary_text'; readonly text: string }[];
  readonly content: readonly { readonly type: 'reasoning_text'; readonly text: string }[];
  readonly encrypted_content: string | null;
}

interface FunctionCallItem {
  readonly id: string;
  readonly type: 'function_call';
  readonly status: ItemStatus;
  readonly call_id: string;
  readonly name: string;
  readonly namespace?: string;
  readonly arguments: string;
}

interface CustomCallItem {
  readonly id: string;
  readonly type: 'custom_tool_call';
  readonly status: ItemStatus;
  readonly call_id: string;
  readonly name: string;
  readonly input: string;
}

/** A call that the server runs: no client takes it for its own. */
export interface ServerCallItem {
  readonly id: string;
  readonly type: 'mcp_call';
  readonly status: ItemStatus | 'failed';
  readonly approval_request_id: null;
  readonly server_label: 'mochi';
  readonly name: string;
  readonly arguments: string;
  readonly output: string | null;
  readonly error: string | null;
}

export type ClientCallItem = FunctionCallItem | CustomCallItem;
export type OutputItem = MessageItem | ReasoningItem | ClientCallItem | ServerCallItem;

export function textPart(text: string): TextPart {
  return { type: 'output_text', text, annotations: [], logprobs: [] };
}

export function messageItem(id: string, status: ItemStatus, text: string | null): MessageItem {
  return { id, type: 'message', status, role: 'assistant', content: text === null ? [] : [textPart(text)] };
}

/** How thinking is shown: as it is, or as the summary that was asked for; and whether the client may hand it back. */
export interface ReasoningForm {
  readonly isSummary: boolean;
  readonly isEncrypted: boolean;
}

/** Thinking that a stateless client hands back; no secret, since it is its own. */
const THINKING_MARK = 'mochi1.';

export function reasoningItem(
  id: string,
  status: ItemStatus,
  text: string | null,
  form: ReasoningForm,
): ReasoningItem {
  const isTold = text !== null;
  const sealed = Buffer.from(text ?? '', 'utf8').toString('base64');
  return {
    id,
    type: 'reasoning',
    status,
    summary: isTold && form.isSummary ? [{ type: 'summary_text', text }] : [],
    content: isTold && !form.isSummary ? [{ type: 'reasoning_text', text }] : [],
    encrypted_content: form.isEncrypted && isTold ? `${THINKING_MARK}${sealed}` : null,
  };
}

/** @returns null where it is none of ours */
export function unsealThinking(sealed: string): string | null {
  if (!sealed.startsWith(THINKING_MARK)) return null;
  return Buffer.from(sealed.slice(THINKING_MARK.length), 'base64').toString('utf8');
}

export interface Call {
  readonly id: string;
  readonly callId: string;
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}

export function clientCallItem(call: Call, status: ItemStatus, custom: CustomTools): ClientCallItem {
  const { id, callId: call_id, name } = call;
  if (custom.isCustom(name)) {
    return { id, type: 'custom_tool_call', status, call_id, name, input: custom.inputOf(call.arguments) };
  }
  const [namespace, member] = custom.membersOf(name);
  return {
    id,
    type: 'function_call',
    status,
    call_id,
    name: member,
    ...(namespace !== null && { namespace }),
    arguments: JSON.stringify(call.arguments),
  };
}

export function serverCallItem(
  call: Call,
  status: ServerCallItem['status'],
  outcome: Pick<ServerCallItem, 'output' | 'error'> = { output: null, error: null },
): ServerCallItem {
  return {
    id: call.id,
    type: 'mcp_call',
    status,
    approval_request_id: null,
    server_label: 'mochi',
    name: call.name,
    arguments: JSON.stringify(call.arguments),
    output: outcome.output,
    error: outcome.error,
  };
}
