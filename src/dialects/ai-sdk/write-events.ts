// Turn events → chunks of a UI message stream. Pure but for the state of one reader.
import type { Approval } from '../../contract/approval.ts';
import type { TurnEvent } from '../../contract/turn-event.ts';
import type { EventWriter, Frame } from '../dialect.ts';
import { type Chunk, inputChunk, outputChunk, partId, textChunks } from './chunks.ts';

type DataOf<Name extends TurnEvent['event']> = Extract<TurnEvent, { event: Name }>['data'];

export interface UiStream {
  readonly turnId: string;
  /** ISO 8601. */
  readonly createdAt: string;
  /** The UI message that goes on; null: the first message of the turn begins one. */
  readonly messageId: string | null;
  /** Of that message what the client does not have: it begins it afresh. */
  readonly before: readonly Chunk[];
  /** Calls that are among these. */
  readonly toldCalls: readonly string[];
  /** Calls that the client has denied. */
  readonly denied: readonly string[];
}

export function createUiWriter(stream: UiStream): EventWriter {
  const teller = new UiTeller(stream);
  return {
    get isOver() {
      return teller.isOver;
    },
    write({ event }) {
      const chunks = teller.tell(event);
      const frames = chunks.map((data): Frame => ({ data }));
      return teller.isOver ? [...frames, { data: '[DONE]' }] : frames;
    },
  };
}

type PartKind = 'text' | 'reasoning';

class UiTeller {
  readonly #stream: UiStream;
  #hasStarted = false;
  #isInStep = false;
  #messageId = '';
  #open: PartKind | null = null;
  readonly #calls: Set<string>;
  /** Approvals that the client is asked for. */
  readonly #asked = new Set<string>();
  /** Those that the turn waits for; null: it does not wait. */
  #awaited: readonly string[] | null = null;
  #isOver = false;

  constructor(stream: UiStream) {
    this.#stream = stream;
    this.#calls = new Set(stream.toldCalls);
  }

  /** Nothing comes after this: the turn has ended, or waits for what the client sends next. */
  get isOver(): boolean {
    return this.#isOver;
  }

  tell(event: TurnEvent): Chunk[] {
    if (this.#isOver) return [];
    switch (event.event) {
      case 'status':
        return this.#tellStatus(event.data);
      case 'context':
        return [{ type: 'data-context', data: event.data, transient: true }];
      case 'thinking_delta':
        return this.#tellText('reasoning', event.data.content);
      case 'content_delta':
        return this.#tellText('text', event.data.content);
      case 'tool_call':
        return this.#tellCall(event.data, event.data.runs_at ?? 'server');
      case 'tool_call_confirmation_required':
        return this.#ask(event.data);
      case 'tool_result':
        return this.#tellResult(event.data);
      case 'snapshot':
        return this.#tellSnapshot(event.data);
      case 'message_complete':
        return this.#finish(event.data);
      case 'error':
        return this.#fail(event.data);
      case 'done':
        this.#isOver = true;
        return [];
      default:
        return [];
    }
  }

  #tellStatus(data: DataOf<'status'>): Chunk[] {
    const { phase, message_id: messageId, model } = data;
    const told: Chunk[] = [{ type: 'data-status', data, transient: true }];
    const awaited = (data.approvals ?? []).filter(isOfTurn).map(({ confirmation_id: id }) => id);
    this.#awaited = phase === 'waiting_for_approval' ? awaited : null;
    if (phase === 'waiting_for_approval') return [...told, ...this.#stopWhenAsked()];
    if (messageId === undefined || messageId === this.#messageId) return told;
    return [...told, ...this.#begin(messageId, model ?? null)];
  }

  /** A message of the model is a step of the UI message. */
  #begin(messageId: string, model: string | null): Chunk[] {
    const closing = this.#endStep();
    this.#messageId = messageId;
    this.#isInStep = true;
    return [...closing, ...this.#start(messageId, model), { type: 'start-step' }];
  }

  #start(messageId: string, model: string | null): Chunk[] {
    if (this.#hasStarted) return [];
    this.#hasStarted = true;
    const { turnId: turn_id, createdAt: created_at, before } = this.#stream;
    const messageMetadata = { turn_id, created_at, ...(model !== null && { model }) };
    return [{ type: 'start', messageId: this.#stream.messageId ?? messageId, messageMetadata }, ...before];
  }

  #tellText(kind: PartKind, delta: string): Chunk[] {
    if (delta === '') return [];
    const id = partId(kind, this.#messageId);
    if (this.#open === kind) return [{ type: `${kind}-delta`, id, delta }];
    const closing = this.#closePart();
    this.#open = kind;
    return [...closing, { type: `${kind}-start`, id }, { type: `${kind}-delta`, id, delta }];
  }

  #closePart(): Chunk[] {
    if (this.#open === null) return [];
    const chunk = { type: `${this.#open}-end`, id: partId(this.#open, this.#messageId) };
    this.#open = null;
    return [chunk];
  }

  #endStep(): Chunk[] {
    const closing = this.#closePart();
    if (!this.#isInStep) return closing;
    this.#isInStep = false;
    return [...closing, { type: 'finish-step' }];
  }

  #tellCall(call: Parameters<typeof inputChunk>[0], runsAt: 'server' | 'client'): Chunk[] {
    if (this.#calls.has(call.tool_call_id)) return [];
    this.#calls.add(call.tool_call_id);
    return [...this.#startLate(), ...this.#closePart(), inputChunk(call, runsAt)];
  }

  #tellResult({ arguments: given = {}, error, result, ...told }: DataOf<'tool_result'>): Chunk[] {
    const { tool_call_id: toolCallId, success } = told;
    const isDenied = !success && this.#stream.denied.includes(toolCallId);
    return [
      ...this.#tellCall({ ...told, arguments: given }, 'server'),
      isDenied ? { type: 'tool-output-denied', toolCallId } : outputChunk({ ...told, text: error ?? result }),
    ];
  }

  /** One that goes on with a call begins with no words of the model. */
  #startLate(): Chunk[] {
    const { messageId } = this.#stream;
    return messageId === null ? [] : this.#start(messageId, null);
  }

  #ask(asked: DataOf<'tool_call_confirmation_required'>): Chunk[] {
    const { confirmation_id: approvalId, tool_call_id: toolCallId } = asked;
    if (!isOfTurn(asked)) return [];
    this.#asked.add(approvalId);
    return [
      ...this.#tellCall(asked, 'server'),
      { type: 'tool-approval-request', approvalId, toolCallId },
      ...this.#stopWhenAsked(),
    ];
  }

  /** What is waited for comes with the next request of the client. */
  #stopWhenAsked(): Chunk[] {
    const awaited = this.#awaited ?? [];
    if (awaited.length === 0 || !awaited.every((id) => this.#asked.has(id))) return [];
    this.#isOver = true;
    return [...this.#endStep(), { type: 'finish', finishReason: 'tool-calls' }];
  }

  #tellSnapshot({ turn, message, tool_calls: calls }: DataOf<'snapshot'>): Chunk[] {
    const before = message === null ? [] : this.#begin(message.message_id, message.model);
    const told = calls.flatMap((call) => {
      const opening = this.#tellCall(call, call.runs_at ?? 'server');
      if (call.success === null || call.runs_at === 'client') return opening;
      const { tool_call_id, success, result } = call;
      return [...opening, outputChunk({ tool_call_id, success, text: result ?? '' })];
    });
    return [
      ...before,
      ...told,
      ...textChunks('reasoning', this.#messageId, message?.thinking ?? ''),
      ...this.#tellText('text', message?.content ?? ''),
      ...(turn.context === null ? [] : [{ type: 'data-context', data: turn.context, transient: true }]),
    ];
  }

  #finish({
    finish_reason: reason,
    usage,
    context,
    message_id: id,
    model,
  }: DataOf<'message_complete'>): Chunk[] {
    return [
      ...this.#start(id, model),
      ...this.#endStep(),
      {
        type: 'finish',
        finishReason: reason === 'tool_calls' ? 'tool-calls' : (reason ?? 'stop'),
        messageMetadata: { usage: usage ?? null, context },
      },
    ];
  }

  #fail({ code, message }: DataOf<'error'>): Chunk[] {
    const closing = this.#endStep();
    if (code === 'turn_cancelled') return [...closing, { type: 'abort', reason: message }];
    return [...closing, { type: 'error', errorText: message }];
  }
}

/** A call of the turn itself, which has a part; what agents and servers ask has none. */
function isOfTurn({
  kind,
  agent_session_id: agentChat,
}: Pick<Approval, 'kind' | 'agent_session_id'>): boolean {
  return kind === 'tool' && agentChat === null;
}
