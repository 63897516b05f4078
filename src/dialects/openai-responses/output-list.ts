// The items of a response as they grow, told as the events of its stream.
import type { CustomTools } from './custom-tools.ts';
import { toCallItemId, toItemId } from './ids.ts';
import { type Call, clientCallItem, type OutputItem, type ReasoningForm, serverCallItem } from './items.ts';
import { type OpenText, openText, type TextKind } from './open-text.ts';

export interface ResponseEvent {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** A call as events tell it. */
export interface ToldCall {
  readonly tool_call_id: string;
  readonly tool_name: string;
  /** Within its message. */
  readonly call_index: number;
  readonly arguments: Readonly<Record<string, unknown>>;
}

interface Outcome {
  readonly success: boolean;
  readonly result: string;
}

/** Has a small state: that of one reader. */
export class OutputList {
  readonly #custom: CustomTools;
  readonly #form: ReasoningForm;
  readonly #items: OutputItem[] = [];
  /** Places of calls among them, by their ids. */
  readonly #calls = new Map<string, { readonly at: number; readonly call: Call }>();
  #open: OpenText | null = null;
  #sessionId = '';
  #messageId = '';

  constructor(custom: CustomTools, form: ReasoningForm) {
    this.#custom = custom;
    this.#form = form;
  }

  /** As they are now: what is told of them may be written later, when there are more. */
  get items(): readonly OutputItem[] {
    return [...this.#items, ...(this.#open === null ? [] : [this.#open.item('in_progress')])];
  }

  /** What comes is of this session, and until the next message is named, of none. */
  enterSession(sessionId: string): void {
    this.#sessionId = sessionId;
  }

  isOf(sessionId: string): boolean {
    return this.#sessionId === sessionId;
  }

  /** What comes is of this message. */
  enterMessage(messageId: string): ResponseEvent[] {
    if (messageId === this.#messageId) return [];
    const closing = this.close('completed');
    this.#messageId = messageId;
    return closing;
  }

  tellText(kind: TextKind, text: string): ResponseEvent[] {
    if (text === '') return [];
    const closing = this.#open === null || this.#open.kind === kind ? [] : this.close('completed');
    if (this.#open !== null) return [this.#open.add(text)];
    const id = toItemId(kind === 'message' ? 'msg' : 'rs', this.#sessionId, this.#messageId);
    // A message that was left for thoughts and taken up again is two items, told apart by their ids.
    const again = this.#items.filter((item) => item.id === id || item.id.startsWith(`${id}_`)).length;
    const unique = again === 0 ? id : `${id}_${again}`;
    this.#open = openText({ kind, id: unique, outputIndex: this.#items.length, form: this.#form });
    return [...closing, ...this.#open.begin(), this.#open.add(text)];
  }

  close(status: 'completed' | 'incomplete'): ResponseEvent[] {
    if (this.#open === null) return [];
    const events = this.#open.end(status);
    this.#items.push(this.#open.item(status));
    this.#open = null;
    return events;
  }

  #toCall(prefix: 'fc' | 'mcp', told: ToldCall): Call {
    const { tool_call_id: callId, tool_name: name, call_index: index, arguments: given } = told;
    // Of a snapshot: which of the messages before the last one has made it is not told.
    const place = this.#messageId === '' ? callId : this.#messageId;
    return { id: toCallItemId(prefix, `${this.#sessionId}${place}`, index), callId, name, arguments: given };
  }

  tellClientCall(told: ToldCall): ResponseEvent[] {
    if (this.#calls.has(told.tool_call_id)) return [];
    const closing = this.close('completed');
    const output_index = this.#items.length;
    const call = this.#toCall('fc', told);
    const done = clientCallItem(call, 'completed', this.#custom);
    this.#items.push(done);
    this.#calls.set(call.callId, { at: output_index, call });
    const place = { item_id: done.id, output_index };
    const given =
      done.type === 'custom_tool_call'
        ? [
            { type: 'response.custom_tool_call_input.delta', ...place, delta: done.input },
            { type: 'response.custom_tool_call_input.done', ...place, input: done.input },
          ]
        : [
            { type: 'response.function_call_arguments.delta', ...place, delta: done.arguments },
            {
              type: 'response.function_call_arguments.done',
              ...place,
              name: done.name,
              arguments: done.arguments,
            },
          ];
    const empty = done.type === 'custom_tool_call' ? { input: '' } : { arguments: '' };
    return [
      ...closing,
      {
        type: 'response.output_item.added',
        output_index,
        item: { ...done, status: 'in_progress', ...empty },
      },
      ...given,
      { type: 'response.output_item.done', output_index, item: done },
    ];
  }

  openCall(told: ToldCall): ResponseEvent[] {
    if (this.#calls.has(told.tool_call_id)) return [];
    const closing = this.close('completed');
    const output_index = this.#items.length;
    const call = this.#toCall('mcp', told);
    const item = serverCallItem(call, 'in_progress');
    this.#items.push(item);
    this.#calls.set(call.callId, { at: output_index, call });
    const place = { item_id: item.id, output_index };
    return [
      ...closing,
      { type: 'response.output_item.added', output_index, item: { ...item, arguments: '' } },
      { type: 'response.mcp_call_arguments.delta', ...place, delta: item.arguments },
      { type: 'response.mcp_call_arguments.done', ...place, arguments: item.arguments },
      { type: 'response.mcp_call.in_progress', ...place },
    ];
  }

  /** Opened first where it was answered without being told. */
  closeCall(told: ToldCall, { success, result }: Outcome): ResponseEvent[] {
    const opening = this.openCall(told);
    const known = this.#calls.get(told.tool_call_id);
    if (known === undefined || this.#items[known.at]?.type !== 'mcp_call') return [];
    const item = success
      ? serverCallItem(known.call, 'completed', { output: result, error: null })
      : serverCallItem(known.call, 'failed', { output: null, error: result });
    this.#items[known.at] = item;
    const type = success ? 'response.mcp_call.completed' : 'response.mcp_call.failed';
    return [
      ...opening,
      { type, item_id: item.id, output_index: known.at },
      { type: 'response.output_item.done', output_index: known.at, item },
    ];
  }
}
