// Turns as they are told, for tables of what other APIs make of them.
import { emptyFold, foldEvent, toSnapshot } from '../../src/chat/watch/fold-turn.ts';
import type { ToldEvent } from '../../src/chat/watch/turn-log.ts';
import { RECEIPT_EXAMPLE } from '../../src/contract/context-window.ts';
import type { FinishReason } from '../../src/contract/message.ts';
import type { AnswerToolCall } from '../../src/contract/tool.ts';
import type { TurnEvent } from '../../src/contract/turn-event.ts';

const TURN = { turn_id: 'turn_0f3c5a9d21be', session_id: 'b5a3d7e4c9' };
const TIMESTAMP = '2026-02-15T09:49:38.310281Z';

const thinking = (content: string): TurnEvent => ({ event: 'thinking_delta', data: { content } });
export const text = (content: string): TurnEvent => ({
  event: 'content_delta',
  data: { content, role: 'assistant' },
});
export const generating = (messageId: string): TurnEvent => ({
  event: 'status',
  data: { phase: 'generating', message_id: messageId, model: 'qwen3:8b', timestamp: TIMESTAMP },
});
const context: TurnEvent = { event: 'context', data: { ...RECEIPT_EXAMPLE, planned_tokens: 29 } };

export function call(
  index: number,
  name: string,
  given: Record<string, unknown>,
  place: 'client' | 'server' = 'client',
): TurnEvent {
  const data = { tool_name: name, tool_call_id: `call_${name}`, call_index: index, arguments: given };
  return {
    event: 'tool_call',
    data: { ...data, execution_id: null, ...(place === 'client' && { runs_at: place }) },
  };
}

export const result = (index: number, name: string, said: string): TurnEvent[] => [
  {
    event: 'tool_result',
    data: {
      tool_name: name,
      tool_call_id: `call_${name}`,
      call_index: index,
      execution_id: 'exec_1',
      success: true,
      result: said,
      error: null,
      error_message: null,
    },
  },
  { event: 'tool_continuation_start', data: { tool_count: 1, message: 'Processing tool results...' } },
];

export function complete(
  messageId: string,
  said: {
    readonly content?: string;
    readonly thinking?: string;
    readonly finishReason?: FinishReason | null;
    readonly calls?: AnswerToolCall[];
  },
): TurnEvent[] {
  const { content = '', thinking: thoughts = null, finishReason = 'stop', calls = null } = said;
  const message = {
    role: 'assistant' as const,
    content,
    model: 'qwen3:8b',
    message_id: messageId,
    timestamp: TIMESTAMP,
    eval_count: 7,
    prompt_eval_count: 31,
    finish_reason: finishReason,
    tool_calls: calls,
    thinking: thoughts,
  };
  const { message_id, model, eval_count, prompt_eval_count, finish_reason } = message;
  return [
    {
      event: 'message_complete',
      data: {
        message_id,
        model,
        eval_count,
        prompt_eval_count,
        finish_reason,
        context_window: { current_window: 8192, usage_tokens: 38, reason: 'initial_setup' },
        message,
        context: RECEIPT_EXAMPLE,
        usage: {
          prompt_tokens: 31,
          output_tokens: 7,
          total_tokens: 38,
          load_ms: 12,
          prompt_eval_ms: 40.5,
          eval_ms: 25,
        },
      },
    },
    { event: 'done', data: { ...TURN, state: 'completed' } },
  ];
}

function failed(code: string, message: string): TurnEvent[] {
  return [
    { event: 'error', data: { code, message, details: { ...TURN } } },
    { event: 'done', data: { ...TURN, state: 'failed' } },
  ];
}

/** The events of a turn, from its first, with their numbers. */
export function turn(...events: readonly TurnEvent[]): ToldEvent[] {
  const start: TurnEvent = { event: 'turn_start', data: { ...TURN, user_message_id: '9191228aff' } };
  const status: TurnEvent = { event: 'status', data: { phase: 'loading_model' } };
  return [start, context, status, ...events].map((event, index) => ({ id: index + 1, event }));
}

/** What somebody is told who comes late: a snapshot in the place of the first events, then the others. */
export function fromSnapshot(events: readonly ToldEvent[], count: number): ToldEvent[] {
  const fold = emptyFold();
  for (const { event } of events.slice(0, count)) foldEvent(fold, event);
  const told = { ...TURN, created_at: TIMESTAMP, last_event_id: count };
  return [{ id: count, event: { event: 'snapshot', data: toSnapshot(fold, told) } }, ...events.slice(count)];
}

/** Thinks, speaks, ends. */
export const SPOKEN = turn(
  generating('m1'),
  thinking('The user '),
  thinking('asks.'),
  text('It is '),
  text('Paris.'),
  ...complete('m1', { content: 'It is Paris.', thinking: 'The user asks.' }),
);

/** Leaves two calls to the client. */
export const HANDED = turn(
  generating('m1'),
  text('Let me look.'),
  call(0, 'read', { path: 'a.md' }),
  call(1, 'list', {}),
  ...complete('m1', { content: 'Let me look.', finishReason: 'tool_calls' }),
);

/** A tool that runs here, between two texts. */
export const STEPPED = turn(
  generating('m1'),
  text('One moment.'),
  call(0, 'clock', {}, 'server'),
  ...result(0, 'clock', '12:00'),
  context,
  generating('m2'),
  text('It is '),
  text('noon.'),
  ...complete('m2', { content: 'It is noon.' }),
);

/** Only calls, and thoughts before them. */
export const SILENT = turn(
  generating('m1'),
  thinking('A file.'),
  call(0, 'read', { path: 'ä "b"' }),
  ...complete('m1', { thinking: 'A file.', finishReason: 'tool_calls' }),
);

/** Cut at its longest. */
export const CUT = turn(
  generating('m1'),
  text('It is'),
  ...complete('m1', { content: 'It is', finishReason: 'length' }),
);

/** Breaks off in the middle. */
export const BROKEN = turn(
  generating('m1'),
  text('It is'),
  ...failed('incomplete_response', 'The answer of Ollama ended early.'),
);

/** Fails before a word. */
export const REFUSED = turn(...failed('overloaded', 'Too many turns are waiting; try again later.'));
