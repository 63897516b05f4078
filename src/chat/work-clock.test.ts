// The seconds of an agent: only those in which it works.
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { TurnEvent } from '../contract/turn-event.ts';
import { WorkClock } from './work-clock.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

type Phase = Extract<TurnEvent, { event: 'status' }>['data']['phase'];

const hear = (clock: WorkClock, phase: Phase, ms: number) => {
  clock.hear({ event: 'status', data: { phase } });
  vi.advanceTimersByTime(ms);
};

it('stands still in lines and while a person is waited for, and goes on with what was spent before', () => {
  const clock = new WorkClock(500);
  vi.advanceTimersByTime(10);
  hear(clock, 'queued', 1000);
  hear(clock, 'queued', 1000);
  expect(clock.activeMs).toBe(510);
  hear(clock, 'loading_model', 20);
  hear(clock, 'generating', 30);
  clock.hear({ event: 'content_delta', data: { content: 'a', role: 'assistant' } });
  hear(clock, 'running_tool', 40);
  expect(clock.activeMs).toBe(600);
  hear(clock, 'waiting_for_approval', 5000);
  hear(clock, 'waiting_for_engine', 5000);
  expect(clock.activeMs).toBe(600);
  hear(clock, 'engine_stalled', 7);
  expect(clock.activeMs).toBe(607);
});
