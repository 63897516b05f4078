// A turn that waits for a person, as its watchers see it: while it is in memory, when it was let go, and when it goes
// on in another process.
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Approval } from '../../contract/approval.ts';
import type { TurnEvent } from '../../contract/turn-event.ts';
import { LiveTurn } from './live-turn.ts';
import type { ToldEvent } from './turn-log.ts';

const NOW = '2026-02-15T09:49:38.310281Z';
const call = { tool_name: 'erase', tool_call_id: 'call_1', call_index: 0 };
const approval = { confirmation_id: 'conf_1', ...call } as unknown as Approval;
const other = { ...approval, confirmation_id: 'conf_2', call_index: 1 };

const asked: TurnEvent[] = [
  { event: 'turn_start', data: { turn_id: 'turn_1', session_id: 'session', user_message_id: 'user' } },
  { event: 'status', data: { phase: 'generating', message_id: 'answer' } },
  { event: 'content_delta', data: { content: 'Let me.', role: 'assistant' } },
  { event: 'status', data: { phase: 'waiting_for_approval', approvals: [approval, other] } },
  {
    event: 'tool_call_confirmation_required',
    data: {
      ...call,
      execution_id: null,
      confirmation_id: 'conf_1',
      arguments: { path: 'a' },
      kind: 'tool',
      rule: 'default',
      digest: null,
      expires_at: null,
      agent_name: null,
      agent_session_id: null,
    },
  },
];
const result: TurnEvent = {
  event: 'tool_result',
  data: { ...call, execution_id: 'exec_1', success: true, result: 'gone', error: null, error_message: null },
};

function waitingTurn(): LiveTurn {
  const turn = new LiveTurn({ turnId: 'turn_1', sessionId: 'session', createdAt: NOW });
  turn.append(asked);
  turn.isWaiting = true;
  return turn;
}

async function seenAfter(turn: LiveTurn, after: number): Promise<ToldEvent[]> {
  const left = new AbortController();
  const watch = turn.watch(after, left.signal);
  const { value } = await watch.next();
  left.abort();
  await watch.next();
  return [...(value ?? [])];
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('keeps its events for ten minutes without a watcher; who comes then is told the state, and what is asked', async () => {
  const turn = waitingTurn();
  const left = new AbortController();
  const watch = turn.watch(0, left.signal);
  await watch.next();
  // Somebody watches.
  vi.advanceTimersByTime(20 * 60_000);
  expect((await seenAfter(turn, 0)).map(({ id }) => id)).toEqual([1, 2, 3, 4, 5]);
  const ended = watch.next();
  left.abort();
  await ended;
  vi.advanceTimersByTime(9 * 60_000);
  expect(await seenAfter(turn, 0)).toHaveLength(5);
  vi.advanceTimersByTime(10 * 60_000);
  const size = waitingTurn().size;
  expect(turn.size).toBeLessThan(size);
  const [snapshot, ...rest] = await seenAfter(turn, 0);
  expect(rest).toEqual([]);
  expect(snapshot).toMatchObject({
    id: 5,
    event: {
      data: {
        turn: { state: 'waiting' },
        message: { content: 'Let me.' },
        tool_calls: [{ ...call, arguments: { path: 'a' }, success: null, result: null }],
        approvals: [approval, other],
      },
    },
  });
  turn.isWaiting = false;
  turn.append([{ event: 'status', data: { phase: 'running_tool' } }, result]);
  expect((await seenAfter(turn, 3)).map(({ id }) => id)).toEqual([5, 6, 7]);
  expect((await seenAfter(turn, 5)).map(({ id }) => id)).toEqual([6, 7]);
  // It waits again, for the other one.
  turn.isWaiting = true;
  vi.advanceTimersByTime(10 * 60_000);
  const [later] = await seenAfter(turn, 0);
  expect(later).toMatchObject({
    id: 7,
    event: { data: { approvals: [other], tool_calls: [{ success: true, result: 'gone' }] } },
  });
});

it('is let go neither while it runs nor when it has ended', async () => {
  const turn = waitingTurn();
  turn.isWaiting = false;
  vi.advanceTimersByTime(60 * 60_000);
  expect(await seenAfter(turn, 0)).toHaveLength(5);
});

it('says farewell to those who watch when the server stops, without a number, and to nobody who has not seen the rest', async () => {
  const turn = waitingTurn();
  const all = Array.fromAsync(turn.watch(0, new AbortController().signal));
  const done: TurnEvent = {
    event: 'done',
    data: { session_id: 'session', turn_id: 'turn_1', state: 'waiting' },
  };
  turn.suspend([done]);
  const told = (await all).flat();
  expect(told.map(({ id }) => id)).toEqual([1, 2, 3, 4, 5, null]);
  expect(told.at(-1)?.event).toEqual(done);
  expect(turn.isWaiting).toBe(false);
});
