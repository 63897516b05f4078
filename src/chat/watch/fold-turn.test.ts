import { describe, expect, it } from 'vitest';
import type { TurnEvent } from '../../contract/turn-event.ts';
import { emptyFold, foldEvent, toSnapshot } from './fold-turn.ts';

const NOW = '2026-02-15T09:49:38.310281Z';
const named = { tool_name: 'look', tool_call_id: 'call_1', call_index: 0 };
const run = { execution_id: 'exec_000000000001' };
const context: Extract<TurnEvent, { event: 'context' }>['data'] = {
  window: 8192,
  window_reason: 'initial_setup',
  planned_tokens: 5,
  prompt_tokens: null,
  output_tokens: null,
  answer_limit: null,
  num_predict_clamped: false,
  messages_sent: 1,
  messages_left_out: 0,
  summary_used: false,
  loaded_window: null,
  reload_expected: true,
  prefix_reused: 0,
  cache_break: null,
  suspected_truncation: false,
};

const start: TurnEvent = {
  event: 'turn_start',
  data: { turn_id: 'turn_1', session_id: 'session', user_message_id: 'user' },
};
const phase = (phase: 'queued' | 'loading_model' | 'running_tool'): TurnEvent => ({
  event: 'status',
  data: { phase },
});
const generating = (messageId: string): TurnEvent => ({
  event: 'status',
  data: { phase: 'generating', message_id: messageId, model: 'llama3.2:latest', timestamp: NOW },
});
const delta = (content: string): TurnEvent => ({
  event: 'content_delta',
  data: { content, role: 'assistant' },
});
const thought = (content: string): TurnEvent => ({ event: 'thinking_delta', data: { content } });
const call: TurnEvent = { event: 'tool_call', data: { ...named, ...run, arguments: { at: 'it' } } };
const continuation: TurnEvent = {
  event: 'tool_continuation_start',
  data: { tool_count: 1, message: 'Processing tool results...' },
};
const failure: TurnEvent = { event: 'error', data: { code: 'ollama_error', message: 'Broken', details: {} } };

function foldAll(events: readonly TurnEvent[]) {
  const fold = emptyFold();
  for (const event of events) foldEvent(fold, event);
  return fold;
}

function snapshotOf(events: readonly TurnEvent[]) {
  return toSnapshot(foldAll(events), {
    turn_id: 'turn_1',
    session_id: 'session',
    created_at: NOW,
    last_event_id: events.length,
  });
}

describe('the state of a turn', () => {
  it('follows the line and the phases', () => {
    expect(snapshotOf([start, phase('queued')]).turn.state).toBe('queued');
    expect(snapshotOf([start, phase('queued'), phase('loading_model')]).turn.state).toBe('running');
    const before = snapshotOf([start, { event: 'context', data: context }]);
    expect(before).toEqual({
      turn: {
        turn_id: 'turn_1',
        session_id: 'session',
        state: 'running',
        created_at: NOW,
        finished_at: null,
        error: null,
        message_id: null,
        finish_reason: null,
        usage: null,
        context,
        last_event_id: 2,
      },
      message: null,
      tool_calls: [],
      approvals: [],
    });
  });

  it('gathers text and thinking under the message that is being written', () => {
    const events = [start, generating('one'), thought('Hm'), thought('…'), delta('Pa'), delta('ris')];
    expect(snapshotOf(events).message).toMatchObject({
      message_id: 'one',
      content: 'Paris',
      thinking: 'Hm…',
      status: 'streaming',
      timestamp: NOW,
    });
    expect(snapshotOf(events.slice(0, 2)).message).toMatchObject({ content: '', thinking: null });
  });

  it('begins a new message with each step, and keeps the calls of all', () => {
    const result: TurnEvent = {
      event: 'tool_result',
      data: { ...named, ...run, success: true, result: 'Sunny', error: null, error_message: null },
    };
    const asked = [start, generating('one'), delta('Let me see'), phase('running_tool'), call];
    expect(snapshotOf(asked).tool_calls).toEqual([
      { ...named, arguments: { at: 'it' }, success: null, result: null },
    ]);
    const settled = [...asked, result, continuation];
    expect(snapshotOf(settled).tool_calls).toMatchObject([{ success: true, result: 'Sunny' }]);
    expect(snapshotOf(settled).message).toMatchObject({ message_id: 'one', status: 'complete' });
    const next = [...settled, generating('two'), delta('Sun')];
    expect(snapshotOf(next).message).toMatchObject({
      message_id: 'two',
      content: 'Sun',
      status: 'streaming',
    });
    expect(snapshotOf(next).tool_calls).toHaveLength(1);
  });

  it('gives a result to the last call of its id: models repeat ids', () => {
    const result = (text: string): TurnEvent => ({
      event: 'tool_result',
      data: { ...named, ...run, success: false, result: '', error: text, error_message: text },
    });
    const { tool_calls: calls } = snapshotOf([start, call, result('first'), call, result('second')]);
    expect(calls.map((made) => made.result)).toEqual(['first', 'second']);
  });

  it('knows how the turn ended', () => {
    const broken = snapshotOf([start, generating('one'), delta('Pa'), failure]);
    expect(broken.message).toMatchObject({ content: 'Pa', status: 'partial' });
    expect(broken.turn.error).toMatchObject({ code: 'ollama_error' });
    const done: TurnEvent = {
      event: 'done',
      data: { session_id: 'session', turn_id: 'turn_1', state: 'failed' },
    };
    expect(snapshotOf([start, failure, done]).turn.state).toBe('failed');
    expect(snapshotOf([start, failure, done]).message).toBeNull();
  });

  it('is not changed by what comes after it was taken', () => {
    const fold = foldAll([start, generating('one'), delta('Pa'), call]);
    const taken = toSnapshot(fold, { turn_id: 't', session_id: 's', created_at: NOW, last_event_id: 4 });
    const before = structuredClone(taken);
    for (const event of [delta('ris'), failure, { ...call, event: 'tool_call' as const }]) {
      foldEvent(fold, event);
    }
    foldEvent(fold, {
      event: 'tool_result',
      data: { ...named, ...run, success: true, result: 'x', error: null, error_message: null },
    });
    expect(taken).toEqual(before);
  });
});
