// The events of a turn folded into what a person is shown of it. Pure: any cutting of the stream gives the same view.
import type { TurnEvent } from './turn-event.ts';
import type {
  AnswerMessage,
  ContextReceipt,
  ErrorObject,
  SnapshotMessage,
  SnapshotToolCall,
  Turn,
  TurnUsage,
} from './wire.ts';

export interface ToolView {
  readonly toolCallId: string;
  /** Position inside of its message, from 0. */
  readonly callIndex: number;
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  /** Null while there is no result. */
  readonly success: boolean | null;
  /** What it answered, or why it could not. */
  readonly result: string | null;
  /** While it runs; a watcher who comes later does not learn it. */
  readonly progress: ToolProgress | null;
}

export interface ToolProgress {
  readonly message: string | null;
  readonly progress: number | null;
  readonly total: number | null;
}

export interface TurnView {
  readonly turnId: string | null;
  readonly sessionId: string | null;
  readonly state: Turn['state'];
  /** What the turn is at, unknown ones included; null: not told, or ended. */
  readonly phase: string | null;
  /** Turns ahead, in phase `queued`. */
  readonly position: number | null;
  /** How long the phase will take, where that is known. */
  readonly estimateMs: number | null;
  readonly model: string | null;
  /** The message that is being written, or was written last. */
  readonly messageId: string | null;
  /** Of that message. */
  readonly content: string;
  /** Of that message; empty: none. */
  readonly thinking: string;
  /** Of the whole turn, in their order. */
  readonly toolCalls: readonly ToolView[];
  readonly context: ContextReceipt | null;
  /** Null while the turn goes on; `turns.get` has it afterwards. */
  readonly usage: TurnUsage | null;
  readonly error: ErrorObject | null;
  /** The whole final message: there is one when the turn succeeded. */
  readonly message: AnswerMessage | null;
  /** −1: nothing was seen. */
  readonly lastEventId: number;
}

export const EMPTY_TURN: TurnView = {
  turnId: null,
  sessionId: null,
  state: 'running',
  phase: null,
  position: null,
  estimateMs: null,
  model: null,
  messageId: null,
  content: '',
  thinking: '',
  toolCalls: [],
  context: null,
  usage: null,
  error: null,
  message: null,
  lastEventId: -1,
};

/** The view after the event; an event that was seen, or is not known, changes nothing. */
export function foldTurn(view: TurnView, event: TurnEvent): TurnView {
  return event.id <= view.lastEventId ? view : { ...fold(view, event), lastEventId: event.id };
}

type EventOf<Name extends TurnEvent['event']> = Extract<TurnEvent, { event: Name }>['data'];

function fold(view: TurnView, event: TurnEvent): TurnView {
  switch (event.event) {
    case 'turn_start':
      return { ...view, turnId: event.data.turn_id, sessionId: event.data.session_id };
    case 'status':
      return foldStatus(view, event.data);
    case 'context':
      return { ...view, context: event.data };
    case 'thinking_delta':
      return { ...view, thinking: view.thinking + event.data.content };
    case 'content_delta':
      return { ...view, content: view.content + event.data.content };
    case 'tool_call':
      return { ...view, toolCalls: [...view.toolCalls, toToolView(event.data)] };
    case 'tool_progress': {
      const { message, progress, total } = event.data;
      return changeCall(view, event.data, { progress: { message, progress, total } });
    }
    case 'tool_result': {
      const { success, error, result } = event.data;
      return changeCall(view, event.data, { success, result: error ?? result, progress: null });
    }
    case 'message_complete':
      return {
        ...view,
        ...textOf(event.data.message),
        message: event.data.message,
        context: event.data.context,
      };
    case 'snapshot':
      return foldSnapshot(view, event.data);
    case 'error':
      return { ...view, error: event.data };
    case 'done': {
      const { turn_id: turnId, session_id: sessionId, state } = event.data;
      return { ...view, ...NO_PHASE, turnId, sessionId, state };
    }
    default:
      return view;
  }
}

const NO_PHASE = { phase: null, position: null, estimateMs: null };

function foldStatus(view: TurnView, status: EventOf<'status'>): TurnView {
  const { phase, position = null, estimate_ms: estimateMs = null, message_id: messageId, model } = status;
  // In the line of a model it has begun.
  const state = phase === 'queued' && model === undefined ? 'queued' : 'running';
  const next = { ...view, state, phase, position, estimateMs } as const;
  if (messageId === undefined) return next;
  return { ...next, messageId, model: model ?? null, content: '', thinking: '' };
}

/** A snapshot does not tell the phase: it is what the rest implies. */
function foldSnapshot(view: TurnView, { turn, message, tool_calls: calls }: EventOf<'snapshot'>): TurnView {
  const isWriting = message?.status === 'streaming';
  const isRunning = calls.some(({ success }) => success === null);
  const phase =
    turn.state === 'queued' ? 'queued' : isRunning ? 'running_tool' : isWriting ? 'generating' : null;
  return {
    ...view,
    ...NO_PHASE,
    phase,
    turnId: turn.turn_id,
    sessionId: turn.session_id,
    state: turn.state,
    context: turn.context,
    error: turn.error,
    usage: turn.usage,
    toolCalls: calls.map((call) => ({ ...toToolView(call), success: call.success, result: call.result })),
    ...(message === null ? NO_TEXT : textOf(message)),
    message: message === null ? null : finalOf(message),
  };
}

/** Complete, and not for the sake of tools: the answer itself. */
function finalOf({ status, ...message }: SnapshotMessage): AnswerMessage | null {
  return status === 'complete' && message.finish_reason !== 'tool_calls' ? message : null;
}

const NO_TEXT = { messageId: null, model: null, content: '', thinking: '' };

function textOf({ message_id, model, content, thinking }: AnswerMessage) {
  return { messageId: message_id, model, content, thinking: thinking ?? '' };
}

function toToolView(
  call: Pick<SnapshotToolCall, 'tool_name' | 'tool_call_id' | 'call_index' | 'arguments'>,
): ToolView {
  return {
    toolCallId: call.tool_call_id,
    callIndex: call.call_index,
    name: call.tool_name,
    arguments: call.arguments,
    success: null,
    result: null,
    progress: null,
  };
}

/** The newest call of this id: engines number the calls of each round anew. */
function changeCall(view: TurnView, call: { tool_call_id: string }, change: Partial<ToolView>): TurnView {
  const index = view.toolCalls.findLastIndex(({ toolCallId }) => toolCallId === call.tool_call_id);
  if (index === -1) return view;
  return {
    ...view,
    toolCalls: view.toolCalls.map((known, at) => (at === index ? { ...known, ...change } : known)),
  };
}
