import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { TurnEvent } from '../../contract/turn-event.ts';
import { LiveTurn } from './live-turn.ts';
import { TurnRegistry } from './turn-registry.ts';

const MINUTE = 60_000;
const CALL = { tool_name: 'look', tool_call_id: 'call_1', call_index: 0, execution_id: 'exec_000000000001' };

let registry: TurnRegistry;
beforeEach(() => {
  vi.useFakeTimers();
  registry = new TurnRegistry();
});
afterEach(() => {
  registry.clear();
  vi.useRealTimers();
});

/** A turn with so many characters in its log. @returns what ends it */
function add(turnId: string, characters = 1, events: readonly TurnEvent[] = []): () => Promise<void> {
  const now = () => '2026-02-15T09:49:38.310281Z';
  const live = new LiveTurn({ turnId, sessionId: 'session', createdAt: now() });
  live.append([{ event: 'content_delta', data: { content: 'x'.repeat(characters), role: 'assistant' } }]);
  live.append(events);
  const { promise, resolve } = Promise.withResolvers<void>();
  registry.add(live, promise);
  return async () => {
    live.finish();
    resolve();
    await registry.ended(turnId);
  };
}

const isKnown = (turnId: string) => registry.find(turnId)?.turnId === turnId;

it('knows a turn from its first moment until ten minutes after its end', async () => {
  const end = add('one');
  expect(registry.running.map(({ turnId }) => turnId)).toEqual(['one']);
  await vi.advanceTimersByTimeAsync(60 * MINUTE);
  expect(isKnown('one')).toBe(true);
  await end();
  expect(registry.running).toEqual([]);
  await vi.advanceTimersByTimeAsync(9 * MINUTE);
  expect(isKnown('one')).toBe(true);
  await vi.advanceTimersByTimeAsync(2.5 * MINUTE);
  expect(isKnown('one')).toBe(false);
});

it('forgets each turn in its time', async () => {
  await add('one')();
  await vi.advanceTimersByTimeAsync(6 * MINUTE);
  await add('two')();
  await vi.advanceTimersByTimeAsync(6 * MINUTE);
  expect([isKnown('one'), isKnown('two')]).toEqual([false, true]);
  await vi.advanceTimersByTimeAsync(6 * MINUTE);
  expect(isKnown('two')).toBe(false);
});

it('needs no timer once it is empty', async () => {
  await add('one')();
  expect(vi.getTimerCount()).toBe(1);
  await vi.advanceTimersByTimeAsync(12 * MINUTE);
  expect(vi.getTimerCount()).toBe(0);
});

it('keeps a bounded number of ended turns, the newest', async () => {
  for (let index = 0; index < 2100; index += 1) await add(`turn_${index}`)();
  expect([isKnown('turn_99'), isKnown('turn_100'), isKnown('turn_2099')]).toEqual([false, true, true]);
});

it('keeps a bounded number of characters, whatever their number of turns', async () => {
  for (let index = 0; index < 40; index += 1) await add(`turn_${index}`, 1_500_000)();
  const kept = Array.from({ length: 40 }, (_, index) => `turn_${index}`).filter(isKnown);
  expect(kept.length * 1_500_000).toBeLessThanOrEqual(32_000_000);
  expect(kept.length).toBeGreaterThan(15);
  expect(kept.at(-1)).toBe('turn_39');
});

it.each<[string, (text: string) => TurnEvent]>([
  [
    'arguments of tools',
    (text) => ({ event: 'tool_call', data: { ...CALL, arguments: { rows: [{ text }] } } }),
  ],
  [
    'what tools answered',
    (text) => ({
      event: 'tool_result',
      data: { ...CALL, success: true, result: text, error: null, error_message: null },
    }),
  ],
  [
    'why they could not',
    (text) => ({
      event: 'tool_result',
      data: { ...CALL, success: false, result: '', error: text, error_message: text },
    }),
  ],
  ['thoughts', (content) => ({ event: 'thinking_delta', data: { content } })],
  ['errors', (message) => ({ event: 'error', data: { code: 'ollama_error', message, details: {} } })],
])('counts %s like any other text', async (_what, toEvent) => {
  for (let index = 0; index < 60; index += 1) {
    await add(`turn_${index}`, 1, [toEvent('x'.repeat(4_000_000))])();
  }
  const kept = Array.from({ length: 60 }, (_, index) => `turn_${index}`).filter(isKnown);
  expect(kept.length).toBeGreaterThan(2);
  expect(kept.length).toBeLessThanOrEqual(8);
});

it('never forgets a running turn for an ended one', async () => {
  add('running', 1_900_000);
  for (let index = 0; index < 30; index += 1) await add(`turn_${index}`, 1_900_000)();
  expect(isKnown('running')).toBe(true);
});

it('tells when a turn has ended, at once for one that it does not know', async () => {
  const end = add('one');
  let hasEnded = false;
  const waiting = registry.ended('one').then(() => {
    hasEnded = true;
  });
  await registry.ended('nobody');
  expect(hasEnded).toBe(false);
  await end();
  await waiting;
  expect(hasEnded).toBe(true);
});

it('holds nothing after it was cleared', async () => {
  await add('one')();
  registry.clear();
  expect(isKnown('one')).toBe(false);
  expect(vi.getTimerCount()).toBe(0);
});
