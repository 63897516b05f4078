// What an agent does for a call of `agent`: its plan, its words and its calls, as the turn that called it is told.
import type { TurnEvent } from './turn-event.ts';
import { type AgentStep, type AgentView, type ToolView, type TurnView, toToolView } from './turn-view.ts';

type AgentEvent = Extract<TurnEvent, { event: `agent_${string}` }>;
type EventOf<Name extends TurnEvent['event']> = Extract<TurnEvent, { event: Name }>['data'];

export function isAgentEvent(event: TurnEvent): event is AgentEvent {
  return event.event.startsWith('agent_');
}

/** A run that no call started is the turn itself: it is told by its other events. */
export function foldAgentEvent(view: TurnView, event: AgentEvent): TurnView {
  const { agent_call_id: id, agent_call_index: index } = event.data;
  if (id === null || index === null) return view;
  if (event.event === 'agent_start' && !view.toolCalls.some(({ toolCallId }) => toolCallId === id))
    return foldAgentEvent({ ...view, toolCalls: [...view.toolCalls, toCall(id, index, event.data)] }, event);
  const at = view.toolCalls.findLastIndex(({ toolCallId }) => toolCallId === id);
  const call = view.toolCalls[at];
  if (call === undefined) return view;
  const agent = foldAgent(call.agent ?? newAgent(event.data), event);
  const end =
    event.event === 'agent_complete' ? { success: event.data.success, result: event.data.output } : {};
  return {
    ...view,
    toolCalls: replaceAt(view.toolCalls, at, { ...call, ...end, agent }),
    ...(event.event === 'agent_tool_result' && { approvals: withoutAnswered(view, event.data) }),
  };
}

/** The agent asks about a call before it is made. */
export function openAgentStep(view: TurnView, asked: EventOf<'tool_call_confirmation_required'>): TurnView {
  const at = view.toolCalls.findLastIndex(
    ({ agent, success }) => success === null && agent?.sessionId === asked.agent_session_id,
  );
  const call = view.toolCalls[at];
  if (call?.agent === undefined) return view;
  const agent = openStep(call.agent, asked);
  return { ...view, toolCalls: replaceAt(view.toolCalls, at, { ...call, agent }) };
}

function foldAgent(agent: AgentView, event: AgentEvent): AgentView {
  switch (event.event) {
    case 'agent_start':
      return { ...newAgent(event.data), model: event.data.model };
    case 'agent_status': {
      const { phase, round, max_rounds: maxRounds, engine } = event.data;
      return { ...agent, phase, round, maxRounds, engine };
    }
    case 'agent_planning':
      return addText(agent, 'plan', event.data);
    case 'agent_execution':
      return addText(agent, 'text', event.data);
    case 'agent_tool_call':
      return openStep(agent, event.data);
    case 'agent_tool_result':
      return closeStep(agent, event.data);
    case 'agent_complete':
      return { ...agent, phase: null, engine: null, reason: event.data.reason };
    default:
      return agent;
  }
}

function newAgent({
  agent_name: name,
  session_id: sessionId,
  turn_id: turnId,
}: AgentEvent['data']): AgentView {
  return {
    name,
    sessionId,
    turnId,
    model: null,
    phase: null,
    round: 0,
    maxRounds: null,
    engine: null,
    steps: [],
    reason: null,
  };
}

function toCall(id: string, index: number, start: EventOf<'agent_start'>): ToolView {
  const { agent_name: agent, instruction, session_id: chat, continued } = start;
  const args = { agent, instruction, ...(continued && { session_id: chat }) };
  return toToolView({ tool_name: 'agent', tool_call_id: id, call_index: index, arguments: args });
}

/** Pieces of one message are one text. */
function addText(
  agent: AgentView,
  kind: 'plan' | 'text',
  { message_id: messageId, content }: EventOf<'agent_execution'>,
): AgentView {
  const last = agent.steps.at(-1);
  if (last === undefined || last.kind === 'call' || last.messageId !== messageId)
    return { ...agent, steps: [...agent.steps, { kind, messageId, content }] };
  const longer = { ...last, content: last.content + content };
  return { ...agent, steps: [...agent.steps.slice(0, -1), longer] };
}

type Told = Parameters<typeof toToolView>[0];

/** What was asked about first is there already. */
function openStep(agent: AgentView, told: Told): AgentView {
  const at = findOpen(agent, told);
  const step: AgentStep = { kind: 'call', call: toToolView(told) };
  return { ...agent, steps: at === -1 ? [...agent.steps, step] : replaceAt(agent.steps, at, step) };
}

function closeStep(agent: AgentView, told: EventOf<'agent_tool_result'>): AgentView {
  const opened =
    told.arguments === undefined ? agent : openStep(agent, { ...told, arguments: told.arguments });
  const at = findOpen(opened, told);
  const step = opened.steps[at];
  if (step?.kind !== 'call') return agent;
  const call = { ...step.call, success: told.success, result: told.error ?? told.result };
  return { ...opened, steps: replaceAt(opened.steps, at, { kind: 'call', call }) };
}

function findOpen({ steps }: AgentView, told: Pick<Told, 'tool_call_id' | 'call_index'>): number {
  return steps.findLastIndex(
    (step) =>
      step.kind === 'call' &&
      step.call.success === null &&
      step.call.toolCallId === told.tool_call_id &&
      step.call.callIndex === told.call_index,
  );
}

function withoutAnswered({ approvals }: TurnView, told: EventOf<'agent_tool_result'>) {
  return approvals.filter(
    ({ agent_session_id: chat, tool_call_id: id, call_index: index }) =>
      chat !== told.session_id || id !== told.tool_call_id || index !== told.call_index,
  );
}

function replaceAt<T>(items: readonly T[], at: number, item: T): T[] {
  return items.map((known, index) => (index === at ? item : known));
}
