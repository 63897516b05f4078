// What a run of an agent tells, in the words of the turn that started it: one batch becomes one batch, so that nothing is
// told twice or in another order.
import type { AgentWork, EngineWork } from '../contract/agent-event.ts';
import type { TurnEvent } from '../contract/turn-event.ts';

/** Whose run it is, and for which call. */
export interface RunPlace {
  readonly agentName: string;
  readonly chatId: string;
  readonly runId: string;
  /** Of the parent's call; null: a client started it. */
  readonly callId: string | null;
  readonly callIndex: number | null;
}

/** What a run does: told with each `status` of its own. */
export interface RunPhase {
  readonly agent_phase: AgentWork;
  /** 0 before the first one. */
  readonly round: number;
  readonly max_rounds: number;
}

/** What was heard of a run so far. */
export interface HeardRun extends RunPhase {
  readonly place: RunPlace;
  /** That is being written. */
  readonly messageId: string | null;
}

export function hearRun(place: RunPlace, maxRounds: number): HeardRun {
  return { place, messageId: null, agent_phase: 'planning', round: 0, max_rounds: maxRounds };
}

/** Events of a step of a run, with what the run does then. */
export function inPhase(batch: readonly TurnEvent[], phase: RunPhase): TurnEvent[] {
  return batch.map((event) =>
    event.event === 'status' ? { event: 'status', data: { ...event.data, ...phase } } : event,
  );
}

/** Pure: the next batch is translated with the state that this one gives. */
export function translateBatch(
  heard: HeardRun,
  batch: readonly TurnEvent[],
): { readonly heard: HeardRun; readonly events: TurnEvent[] } {
  let now = heard;
  const events: TurnEvent[] = [];
  for (const event of batch) {
    now = hear(now, event);
    const told = translate(now, event);
    if (told !== null) events.push(told);
  }
  return { heard: now, events };
}

function hear(heard: HeardRun, event: TurnEvent): HeardRun {
  if (event.event !== 'status') return heard;
  const { agent_phase = heard.agent_phase, round = heard.round, max_rounds = heard.max_rounds } = event.data;
  const messageId = event.data.message_id ?? heard.messageId;
  return { ...heard, messageId, agent_phase, round, max_rounds };
}

/** Null: it is told in the run's own log alone. */
function translate({ place, messageId, ...phase }: HeardRun, event: TurnEvent): TurnEvent | null {
  const base = baseOf(place);
  switch (event.event) {
    case 'agent_start':
      return { event: 'agent_start', data: { ...event.data, ...base } };
    case 'agent_complete':
      return { event: 'agent_complete', data: { ...event.data, ...base } };
    case 'status':
      return { event: 'agent_status', data: { ...base, ...statusOf(phase, event.data) } };
    case 'content_delta': {
      if (messageId === null) return null;
      const { agent_phase, round } = phase;
      const data = { ...base, content: event.data.content, message_id: messageId, round };
      return { event: agent_phase === 'planning' ? 'agent_planning' : 'agent_execution', data };
    }
    case 'tool_call':
      return { event: 'agent_tool_call', data: { ...event.data, ...base } };
    case 'tool_result':
      return { event: 'agent_tool_result', data: { ...event.data, ...base } };
    case 'tool_call_confirmation_required': {
      const { agent_name, session_id: agent_session_id } = base;
      return {
        event: 'tool_call_confirmation_required',
        data: { ...event.data, agent_name, agent_session_id },
      };
    }
    case 'turn_start':
    case 'context':
    case 'thinking_delta':
    case 'tool_progress':
    case 'tool_continuation_start':
    case 'message_complete':
    case 'snapshot':
    case 'error':
    case 'done':
      return null;
    // Agents start none.
    case 'agent_status':
    case 'agent_planning':
    case 'agent_execution':
    case 'agent_tool_call':
    case 'agent_tool_result':
      return null;
    default:
      event satisfies never;
      return null;
  }
}

/** What every event of a run begins with. */
export function baseOf({ agentName, chatId, runId, callId, callIndex }: RunPlace) {
  return {
    agent_name: agentName,
    session_id: chatId,
    turn_id: runId,
    agent_call_id: callId,
    agent_call_index: callIndex,
  };
}

type Status = Extract<TurnEvent, { event: 'status' }>['data'];

const ENGINE_WORK: Readonly<Record<Exclude<Status['phase'], 'waiting_for_approval'>, EngineWork>> = {
  queued: 'queued',
  // Another program is answered first, or the engine is silent: it has to wait, one way or another.
  waiting_for_engine: 'queued',
  engine_stalled: 'queued',
  loading_model: 'loading_model',
  evaluating_prompt: 'evaluating_prompt',
  generating: 'generating',
  running_tool: 'running_tool',
};

function statusOf({ agent_phase, round, max_rounds }: RunPhase, { phase, estimate_ms }: Status) {
  if (phase === 'waiting_for_approval') return { phase, round, max_rounds, engine: null };
  const estimate = estimate_ms === undefined ? {} : { estimate_ms };
  return { phase: agent_phase, round, max_rounds, engine: ENGINE_WORK[phase], ...estimate };
}
