// The events of a turn folded into its state: what a watcher knows who has seen them all.

import type { Turn } from '../../contract/turn.ts';
import type { TurnEvent } from '../../contract/turn-event.ts';
import type { SnapshotMessage, SnapshotToolCall, TurnSnapshot } from '../../contract/turn-snapshot.ts';

/** Grows by one event at a time; holds no more than the answer itself. */
export interface FoldedTurn {
  state: Turn['state'];
  userMessageId: string | null;
  error: Turn['error'];
  context: Turn['context'];
  message: SnapshotMessage | null;
  readonly toolCalls: SnapshotToolCall[];
}

export function emptyFold(): FoldedTurn {
  return { state: 'running', userMessageId: null, error: null, context: null, message: null, toolCalls: [] };
}

/** One that goes on by itself. */
export function copyFold(fold: FoldedTurn): FoldedTurn {
  const { message, toolCalls } = fold;
  return { ...fold, message: message && { ...message }, toolCalls: toolCalls.map((call) => ({ ...call })) };
}

export function foldEvent(fold: FoldedTurn, event: TurnEvent): void {
  switch (event.event) {
    case 'turn_start':
      fold.userMessageId = event.data.user_message_id;
      return;
    case 'status':
      // In the line of a model it has begun.
      fold.state = event.data.phase === 'queued' && event.data.model === undefined ? 'queued' : 'running';
      if (event.data.message_id !== undefined) fold.message = emptyMessage(event.data);
      return;
    case 'context':
      fold.context = event.data;
      return;
    case 'content_delta':
      if (fold.message !== null) fold.message.content += event.data.content;
      return;
    case 'thinking_delta':
      if (fold.message !== null) {
        fold.message.thinking = (fold.message.thinking ?? '') + event.data.content;
      }
      return;
    case 'tool_call':
      fold.toolCalls.push(toSnapshotCall(event.data));
      return;
    case 'tool_progress':
      return;
    case 'tool_result': {
      const call = fold.toolCalls.findLast((known) => known.tool_call_id === event.data.tool_call_id);
      if (call !== undefined) {
        call.success = event.data.success;
        call.result = event.data.error ?? event.data.result;
      }
      return;
    }
    case 'tool_continuation_start':
      if (fold.message !== null) {
        fold.message.status = 'complete';
        fold.message.finish_reason = 'tool_calls';
      }
      return;
    case 'message_complete':
      fold.message = { ...event.data.message, status: 'complete' };
      fold.context = event.data.context;
      return;
    case 'error':
      fold.error = event.data;
      if (fold.message?.status === 'streaming') fold.message.status = 'partial';
      return;
    case 'done':
      fold.state = event.data.state;
      return;
    case 'snapshot':
      return;
    default:
      event satisfies never;
  }
}

function toSnapshotCall({
  execution_id: _run,
  ...call
}: Extract<TurnEvent, { event: 'tool_call' }>['data']): SnapshotToolCall {
  return { ...call, success: null, result: null };
}

function emptyMessage(status: Extract<TurnEvent, { event: 'status' }>['data']): SnapshotMessage {
  const { message_id: messageId = '', model = null, timestamp = '' } = status;
  return {
    role: 'assistant',
    content: '',
    model,
    message_id: messageId,
    timestamp,
    eval_count: null,
    prompt_eval_count: null,
    finish_reason: null,
    tool_calls: null,
    thinking: null,
    status: 'streaming',
  };
}

/** The state as it is now; later events do not change it. */
export function toSnapshot(
  fold: FoldedTurn,
  turn: Pick<Turn, 'turn_id' | 'session_id' | 'created_at' | 'last_event_id'>,
): TurnSnapshot {
  return {
    turn: {
      ...turn,
      state: fold.state,
      finished_at: null,
      error: fold.error,
      message_id: fold.message?.message_id ?? null,
      finish_reason: fold.message?.finish_reason ?? null,
      usage: null,
      context: fold.context,
    },
    message: fold.message && { ...fold.message },
    tool_calls: fold.toolCalls.map((call) => ({ ...call })),
  };
}
