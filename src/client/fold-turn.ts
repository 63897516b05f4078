// The events of a turn folded into what a person is shown of it. Pure: any cutting of the stream gives the same view.
import { foldAgentEvent, isAgentEvent, openAgentStep } from './fold-agent.ts';
import type { TurnEvent } from './turn-event.ts';
import { type ToolView, type TurnView, toToolView } from './turn-view.ts';
import type { AnswerMessage, Approval, SnapshotMessage } from './wire.ts';

/** The view after the event; an event that was seen, or is not known, changes nothing. */
export function foldTurn(view: TurnView, event: TurnEvent): TurnView {
  return event.id <= view.lastEventId ? view : { ...fold(view, event), lastEventId: event.id };
}

type EventOf<Name extends TurnEvent['event']> = Extract<TurnEvent, { event: Name }>['data'];

function fold(view: TurnView, event: TurnEvent): TurnView {
  if (isAgentEvent(event)) return foldAgentEvent(view, event);
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
      return openCall(view, event.data);
    case 'tool_call_confirmation_required':
      if (event.data.kind === 'plan') return view;
      return isNested(view, event.data) ? openAgentStep(view, event.data) : openCall(view, event.data);
    case 'tool_progress': {
      const { message, progress, total } = event.data;
      return changeCall(view, event.data, { progress: { message, progress, total } });
    }
    case 'tool_result':
      return foldResult(view, event.data);
    case 'tool_continuation_start':
      return { ...view, approvals: [] };
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
      return { ...view, error: event.data, approvals: [] };
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
  const next = { ...view, phase, position, estimateMs };
  if (phase === 'waiting_for_approval')
    return { ...next, state: 'waiting', approvals: status.approvals ?? [] };
  // In the line of a model it has begun; in that for a slot after an approval, too.
  const hasNotBegun = model === undefined && view.state !== 'waiting';
  return {
    ...next,
    state: phase !== 'queued' ? 'running' : hasNotBegun ? 'queued' : view.state,
    approvals: view.approvals.filter((approval) => !isDecided(view, approval)),
    ...(messageId !== undefined && { messageId, model: model ?? null, content: '', thinking: '' }),
  };
}

/** It goes on: what was asked about a call that is open, by an agent or about its plan, was answered. */
function isDecided(view: TurnView, approval: Approval): boolean {
  return approval.kind === 'plan' || isNested(view, approval) || findOpen(view, approval) !== -1;
}

/** Asked by an agent that this turn started. */
function isNested({ sessionId }: TurnView, { agent_session_id: chat }: { agent_session_id?: string | null }) {
  return chat !== undefined && chat !== null && chat !== sessionId;
}

/** A snapshot does not tell the phase: it is what the rest implies. */
function foldSnapshot(view: TurnView, snapshot: EventOf<'snapshot'>): TurnView {
  const { turn, message, tool_calls: calls, approvals } = snapshot;
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
    approvals,
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

type CallName = Pick<Approval, 'tool_call_id' | 'call_index'>;

/** What was asked about first is there already. */
function openCall(view: TurnView, call: Parameters<typeof toToolView>[0]): TurnView {
  return findOpen(view, call) === -1
    ? { ...view, toolCalls: [...view.toolCalls, toToolView(call)] }
    : changeCall(view, call, { arguments: call.arguments });
}

function foldResult(view: TurnView, told: EventOf<'tool_result'>): TurnView {
  const { success, error, result, arguments: args } = told;
  // What was decided before its turn came, and did not run, is told by its result alone.
  const opened = args === undefined ? view : openCall(view, { ...told, arguments: args });
  return {
    ...changeCall(opened, told, { success, result: error ?? result, progress: null }),
    approvals: view.approvals.filter((approval) => !isSame(approval, told)),
  };
}

function changeCall(view: TurnView, call: CallName, change: Partial<ToolView>): TurnView {
  const index = findOpen(view, call);
  if (index === -1) return view;
  return {
    ...view,
    toolCalls: view.toolCalls.map((known, at) => (at === index ? { ...known, ...change } : known)),
  };
}

/** Engines number the calls of each round anew: of several it is the newest. */
function findOpen({ toolCalls }: TurnView, call: CallName): number {
  return toolCalls.findLastIndex(
    ({ success, toolCallId, callIndex }) =>
      success === null && toolCallId === call.tool_call_id && callIndex === call.call_index,
  );
}

function isSame(one: CallName, other: CallName): boolean {
  return one.tool_call_id === other.tool_call_id && one.call_index === other.call_index;
}
