// The events of a turn folded into its state: what a watcher knows who has seen them all.

import type { Approval } from '../../contract/approval.ts';
import type { Turn } from '../../contract/turn.ts';
import type { TurnEvent } from '../../contract/turn-event.ts';
import type { SnapshotMessage, SnapshotToolCall, TurnSnapshot } from '../../contract/turn-snapshot.ts';
import { agentArguments } from './agent-arguments.ts';

type AgentEvent = Extract<TurnEvent, { event: 'agent_start' | 'agent_complete' }>;

/** Grows by one event at a time; holds no more than the answer itself. */
export interface FoldedTurn {
  /** Of the turn; null before its start. */
  sessionId: string | null;
  state: Turn['state'];
  userMessageId: string | null;
  error: Turn['error'];
  context: Turn['context'];
  message: SnapshotMessage | null;
  readonly toolCalls: SnapshotToolCall[];
  /** What a person has to decide. */
  approvals: readonly Approval[];
  /** Of these, what is waited for now. */
  awaited: string | null;
}

export function emptyFold(): FoldedTurn {
  return {
    sessionId: null,
    state: 'running',
    userMessageId: null,
    error: null,
    context: null,
    message: null,
    toolCalls: [],
    approvals: [],
    awaited: null,
  };
}

/** One that goes on by itself. */
export function copyFold(fold: FoldedTurn): FoldedTurn {
  const { message, toolCalls } = fold;
  return { ...fold, message: message && { ...message }, toolCalls: toolCalls.map((call) => ({ ...call })) };
}

export function foldEvent(fold: FoldedTurn, event: TurnEvent): void {
  switch (event.event) {
    case 'turn_start':
      fold.sessionId = event.data.session_id;
      fold.userMessageId = event.data.user_message_id;
      return;
    case 'status':
      foldStatus(fold, event.data);
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
      openCall(fold, event.data);
      return;
    case 'tool_call_confirmation_required':
      fold.awaited = event.data.confirmation_id;
      // What an agent of this turn asks is no call of its own, and a plan is none at all.
      if (isOwn(fold, event.data.agent_session_id) && event.data.kind !== 'plan') openCall(fold, event.data);
      return;
    case 'tool_progress':
      return;
    case 'tool_result':
      foldResult(fold, event.data);
      return;
    case 'agent_start':
    case 'agent_complete':
      foldAgent(fold, event);
      return;
    case 'agent_status':
    case 'agent_planning':
    case 'agent_execution':
    case 'agent_tool_call':
    case 'agent_tool_result':
      return;
    case 'tool_continuation_start':
      fold.approvals = [];
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
      fold.approvals = [];
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

function isOwn({ sessionId }: FoldedTurn, agentChatId: string | null): boolean {
  return agentChatId === null || agentChatId === sessionId;
}

/** Another turn's run is a call of this one; its own run is no call. */
function foldAgent({ toolCalls }: FoldedTurn, event: AgentEvent): void {
  const { agent_call_id: id, agent_call_index: index } = event.data;
  if (id === null || index === null) return;
  let call = toolCalls.findLast((known) => known.tool_call_id === id);
  if (event.event === 'agent_start') {
    if (call !== undefined) return;
    const args = agentArguments(event.data);
    call = {
      tool_name: 'agent',
      tool_call_id: id,
      call_index: index,
      arguments: args,
      success: null,
      result: null,
    };
    toolCalls.push(call);
  } else if (call !== undefined) {
    call.success = event.data.success;
    call.result = event.data.output;
  }
}

type DataOf<Name extends TurnEvent['event']> = Extract<TurnEvent, { event: Name }>['data'];

function foldStatus(fold: FoldedTurn, status: DataOf<'status'>): void {
  const { phase, model, approvals } = status;
  if (phase === 'waiting_for_approval') {
    fold.state = 'waiting';
    fold.approvals = approvals ?? [];
    return;
  }
  // Decided: it goes on, or wants to.
  if (fold.awaited !== null) {
    fold.approvals = fold.approvals.filter(({ confirmation_id: id }) => id !== fold.awaited);
    fold.awaited = null;
  }
  // In the line of a model it has begun; in that for a slot after an approval, too.
  if (phase !== 'queued') fold.state = 'running';
  else if (model === undefined && fold.state !== 'waiting') fold.state = 'queued';
  if (status.message_id !== undefined) fold.message = emptyMessage(status);
}

/** What was asked about first is there already. */
function openCall(
  fold: FoldedTurn,
  told: Pick<DataOf<'tool_call'>, 'tool_name' | 'tool_call_id' | 'call_index' | 'arguments' | 'runs_at'>,
): void {
  const { tool_name, tool_call_id, call_index, arguments: args, runs_at } = told;
  const known = findOpen(fold, told);
  if (known !== undefined) known.arguments = args;
  else {
    fold.toolCalls.push({
      tool_name,
      tool_call_id,
      call_index,
      arguments: args,
      success: null,
      result: null,
      ...(runs_at !== undefined && { runs_at }),
    });
  }
}

function foldResult(fold: FoldedTurn, told: DataOf<'tool_result'>): void {
  // What was decided before its turn came, and did not run, is told by its result alone.
  if (told.arguments !== undefined) openCall(fold, { ...told, arguments: told.arguments });
  const call = findOpen(fold, told);
  if (call !== undefined) {
    call.success = told.success;
    call.result = told.error ?? told.result;
  }
  fold.approvals = fold.approvals.filter(
    (approval) => approval.tool_call_id !== told.tool_call_id || approval.call_index !== told.call_index,
  );
}

function findOpen(
  { toolCalls }: FoldedTurn,
  told: Pick<DataOf<'tool_result'>, 'tool_call_id' | 'call_index'>,
): SnapshotToolCall | undefined {
  return toolCalls.findLast(
    (call) =>
      call.success === null && call.tool_call_id === told.tool_call_id && call.call_index === told.call_index,
  );
}

function emptyMessage(status: DataOf<'status'>): SnapshotMessage {
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
    approvals: [...fold.approvals],
  };
}
