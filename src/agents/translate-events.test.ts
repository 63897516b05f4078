// A run as its parent tells it: the whole list, and the same whatever the batches are.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TurnEvent } from '../contract/turn-event.ts';
import { hearRun, inPhase, type RunPlace, translateBatch } from './translate-events.ts';

const PLACE: RunPlace = {
  agentName: 'coder',
  chatId: 'chat1',
  runId: 'turn_1',
  callId: 'call_1',
  callIndex: 2,
};
const BASE = {
  agent_name: 'coder',
  session_id: 'chat1',
  turn_id: 'turn_1',
  agent_call_id: 'call_1',
  agent_call_index: 2,
};
const OWN = { ...BASE, agent_call_id: null, agent_call_index: null };
const CALL = { tool_name: 'count', tool_call_id: 'call_9', call_index: 0, execution_id: 'exec_1' };

const started: TurnEvent = {
  event: 'agent_start',
  data: { ...OWN, instruction: 'Count.', model: 'm', continued: false },
};
const completed: TurnEvent = {
  event: 'agent_complete',
  data: { ...OWN, output: 'Session ID: chat1', success: true, reason: 'completed', rounds: 2, usage: null },
};
const generating = (messageId: string): TurnEvent => ({
  event: 'status',
  data: { phase: 'generating', message_id: messageId, model: 'm', timestamp: 't' },
});
const said = (content: string): TurnEvent => ({
  event: 'content_delta',
  data: { content, role: 'assistant' },
});
const result: TurnEvent = {
  event: 'tool_result',
  data: { ...CALL, success: true, result: '12', error: null, error_message: null },
};

const planning = { agent_phase: 'planning', round: 0, max_rounds: 5 } as const;
const executing = (round: number) => ({ agent_phase: 'executing', round, max_rounds: 5 }) as const;
const reporting = { agent_phase: 'reporting', round: 5, max_rounds: 5 } as const;

const RUN: readonly TurnEvent[] = [
  { event: 'turn_start', data: { turn_id: 'turn_1', session_id: 'chat1', user_message_id: 'u' } },
  started,
  { event: 'status', data: { phase: 'queued', position: 1 } },
  ...inPhase(
    [
      { event: 'status', data: { phase: 'loading_model', estimate_ms: 900 } },
      generating('a'),
      { event: 'thinking_delta', data: { content: 'hm' } },
      said('1. '),
      said('Count.'),
    ],
    planning,
  ),
  ...inPhase(
    [
      { event: 'status', data: { phase: 'engine_stalled' } },
      { event: 'status', data: { phase: 'evaluating_prompt' } },
      generating('b'),
      said('I count.'),
      { event: 'status', data: { phase: 'running_tool' } },
      { event: 'tool_call', data: { ...CALL, arguments: { path: 'a' } } },
      {
        event: 'tool_progress',
        data: {
          tool_name: 'count',
          tool_call_id: 'call_9',
          call_index: 0,
          message: 'x',
          progress: 1,
          total: 2,
        },
      },
      result,
      { event: 'tool_continuation_start', data: { tool_count: 1, message: '' } },
    ],
    executing(1),
  ),
  ...inPhase(
    [{ event: 'status', data: { phase: 'waiting_for_approval', approvals: [] } }, asked(null), result],
    executing(1),
  ),
  ...inPhase([generating('c'), said('It has 12.')], reporting),
  completed,
  { event: 'error', data: { code: 'x', message: 'y', details: {} } },
  { event: 'done', data: { session_id: 'chat1', turn_id: 'turn_1', state: 'failed' } },
];

const TOLD: readonly TurnEvent[] = [
  { event: 'agent_start', data: { ...BASE, instruction: 'Count.', model: 'm', continued: false } },
  status('planning', 0, 'queued'),
  { event: 'agent_status', data: { ...statusData('planning', 0, 'loading_model'), estimate_ms: 900 } },
  status('planning', 0, 'generating'),
  { event: 'agent_planning', data: { ...BASE, content: '1. ', message_id: 'a', round: 0 } },
  { event: 'agent_planning', data: { ...BASE, content: 'Count.', message_id: 'a', round: 0 } },
  status('executing', 1, 'queued'),
  status('executing', 1, 'evaluating_prompt'),
  status('executing', 1, 'generating'),
  { event: 'agent_execution', data: { ...BASE, content: 'I count.', message_id: 'b', round: 1 } },
  status('executing', 1, 'running_tool'),
  { event: 'agent_tool_call', data: { ...BASE, ...CALL, arguments: { path: 'a' } } },
  {
    event: 'agent_tool_result',
    data: { ...BASE, ...CALL, success: true, result: '12', error: null, error_message: null },
  },
  status('waiting_for_approval', 1, null),
  asked('coder'),
  {
    event: 'agent_tool_result',
    data: { ...BASE, ...CALL, success: true, result: '12', error: null, error_message: null },
  },
  status('reporting', 5, 'generating'),
  { event: 'agent_execution', data: { ...BASE, content: 'It has 12.', message_id: 'c', round: 5 } },
  { event: 'agent_complete', data: { ...completed.data, ...BASE } },
];

/** The one event that is told by its own name: who answers it need not know of agents. */
function asked(agent: string | null): TurnEvent {
  const data = {
    ...CALL,
    execution_id: null,
    confirmation_id: 'conf_1',
    arguments: { path: 'a' },
    kind: 'tool' as const,
    rule: 'execution_policy',
    digest: 'd',
    expires_at: null,
    agent_name: agent,
    agent_session_id: agent === null ? null : 'chat1',
  };
  return { event: 'tool_call_confirmation_required', data };
}

type StatusData = Extract<TurnEvent, { event: 'agent_status' }>['data'];

function statusData(phase: StatusData['phase'], round: number, engine: StatusData['engine']): StatusData {
  return { ...BASE, phase, round, max_rounds: 5, engine };
}

function status(...args: Parameters<typeof statusData>): TurnEvent {
  return { event: 'agent_status', data: statusData(...args) };
}

function tell(batches: readonly (readonly TurnEvent[])[]): TurnEvent[][] {
  let heard = hearRun(PLACE, 5);
  return batches.map((batch) => {
    const translated = translateBatch(heard, batch);
    heard = translated.heard;
    return translated.events;
  });
}

describe('a run told by its parent', () => {
  it('is the events of the original, in its order, and how it stands', () => {
    expect(tell([RUN]).flat()).toEqual(TOLD);
  });

  it('is the same whatever the batches are, each event in the batch of its own', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(RUN.length), { maxLength: 12 }), (cuts) => {
        const edges = [0, ...cuts.toSorted((one, other) => one - other), RUN.length];
        const batches = edges.slice(1).map((end, index) => RUN.slice(edges[index], end));
        const told = tell(batches);
        expect(told.flat()).toEqual(TOLD);
        for (const [index, events] of told.entries()) {
          expect(events.length).toBeLessThanOrEqual(batches[index]?.length ?? 0);
        }
      }),
    );
  });

  it('says nothing before there is a message to say it in', () => {
    expect(tell([[said('lost')]]).flat()).toEqual([]);
  });
});
