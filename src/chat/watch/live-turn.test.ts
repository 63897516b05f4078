import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AnswerMessage } from '../../contract/chat.ts';
import { MochiError } from '../../contract/errors.ts';
import type { TurnEvent } from '../../contract/turn-event.ts';
import { LiveTurn } from './live-turn.ts';
import type { ToldEvent } from './turn-log.ts';

const never = new AbortController().signal;
const NOW = '2026-02-15T09:49:38.310281Z';

const start: TurnEvent = {
  event: 'turn_start',
  data: { turn_id: 'turn_1', session_id: 'session', user_message_id: 'user' },
};
const generating: TurnEvent = { event: 'status', data: { phase: 'generating', message_id: 'answer' } };
const done: TurnEvent = {
  event: 'done',
  data: { session_id: 'session', turn_id: 'turn_1', state: 'completed' },
};
const delta = (content: string): TurnEvent => ({
  event: 'content_delta',
  data: { content, role: 'assistant' },
});
const failure: TurnEvent = { event: 'error', data: { code: 'ollama_error', message: 'Broken', details: {} } };

function complete(content: string): TurnEvent {
  const message: AnswerMessage = {
    role: 'assistant',
    content,
    model: 'm',
    message_id: 'answer',
    timestamp: NOW,
    eval_count: 1,
    finish_reason: 'stop',
    prompt_eval_count: 1,
    tool_calls: null,
    thinking: null,
  };
  const context = {
    window: 8192,
    window_reason: 'no_adjustment' as const,
    planned_tokens: 1,
    prompt_tokens: 1,
    output_tokens: 1,
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
  const context_window = { current_window: 8192, usage_tokens: 2, reason: 'no_adjustment' as const };
  return {
    event: 'message_complete',
    data: {
      message_id: 'answer',
      model: 'm',
      eval_count: 1,
      finish_reason: 'stop',
      prompt_eval_count: 1,
      context_window,
      message,
      context,
    },
  };
}

function newTurn(...events: TurnEvent[]): LiveTurn {
  const turn = new LiveTurn({ turnId: 'turn_1', sessionId: 'session', createdAt: NOW });
  turn.append(events);
  return turn;
}

async function allAfter(turn: LiveTurn, after: number): Promise<ToldEvent[]> {
  return (await Array.fromAsync(turn.watch(after, never))).flat();
}

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

/** Bytes that are really in use. */
function heapUsed(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

/** What a watcher has on its screen. */
function textOf(events: readonly ToldEvent[]): string {
  let text = '';
  for (const { event } of events) {
    if (event.event === 'snapshot') text = event.data.message?.content ?? '';
    if (event.event === 'content_delta') text += event.data.content;
  }
  return text;
}

const namesOf = (events: readonly ToldEvent[]) => events.map(({ event }) => event.event);
const cancelled = (message: string) => new MochiError('turn_cancelled', message);

describe('watching', () => {
  it('numbers events from 1 and tells them from wherever a watcher was', async () => {
    const turn = newTurn(start, generating, delta('a'));
    turn.append([delta('b'), complete('ab'), done]);
    turn.finish();
    const all = await allAfter(turn, 0);
    expect(all).toEqual(
      [start, generating, delta('a'), delta('b'), complete('ab'), done].map((event, index) => ({
        id: index + 1,
        event,
      })),
    );
    for (let after = 0; after <= 6; after += 1) {
      expect(await allAfter(turn, after)).toEqual(all.slice(after));
    }
  });

  it('waits for what comes, and ends after the last event only', async () => {
    const turn = newTurn(start);
    const watcher = turn.watch(0, never);
    expect((await watcher.next()).value).toMatchObject([{ id: 1 }]);
    const next = watcher.next();
    turn.append([generating, delta('a')]);
    expect((await next).value).toMatchObject([{ id: 2 }, { id: 3 }]);
    const last = watcher.next();
    turn.append([done]);
    expect((await last).value).toMatchObject([{ id: 4 }]);
    const end = watcher.next();
    turn.finish();
    expect(await end).toEqual({ done: true, value: undefined });
  });

  it('counts watchers, and forgets those that left or were aborted', async () => {
    const turn = newTurn(start);
    const leaving = turn.watch(0, never);
    await leaving.next();
    const abort = new AbortController();
    const aborted = turn.watch(0, abort.signal);
    await aborted.next();
    const waiting = aborted.next();
    expect(turn.watcherCount).toBe(2);
    await leaving.return();
    abort.abort();
    expect(await waiting).toEqual({ done: true, value: undefined });
    expect(turn.watcherCount).toBe(0);
    expect(turn.signal.aborted).toBe(false);
  });

  it('refuses watchers beyond its limit, and takes others once some have left', async () => {
    const turn = newTurn(start);
    const watchers = Array.from({ length: 2000 }, () => turn.watch(0, never));
    await Promise.all(watchers.map((watcher) => watcher.next()));
    expect(() => turn.watch(0, never)).toThrow(expect.objectContaining({ kind: 'overloaded' }));
    await watchers[0]?.return();
    await turn.watch(0, never).next();
  });

  it('is the same for everybody, however often they come back', async () => {
    const plan = fc.record({
      batches: fc.array(fc.array(fc.string(), { maxLength: 4 }), { maxLength: 12 }),
      // Per watcher: how many batches it reads before it leaves and comes back, again and again.
      watchers: fc.array(fc.array(fc.nat(3), { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 5 }),
    });
    await fc.assert(
      fc.asyncProperty(plan, async ({ batches, watchers }) => {
        const turn = newTurn(start, generating);
        const watching = watchers.map(async (visits) => {
          const seen: ToldEvent[] = [];
          for (const reads of visits) {
            const watcher = turn.watch(seen.at(-1)?.id ?? 0, never);
            for (let read = 0; read < reads; read += 1) {
              const next = await watcher.next();
              if (!next.done) seen.push(...next.value);
            }
            await watcher.return();
          }
          return [...seen, ...(await allAfter(turn, seen.at(-1)?.id ?? 0))];
        });
        for (const batch of batches) {
          turn.append(batch.map(delta));
          await Promise.resolve();
        }
        turn.append([complete(batches.flat().join('')), done]);
        turn.finish();
        const all = await allAfter(turn, 0);
        expect(all.map(({ id }) => id)).toEqual(all.map((_, index) => index + 1));
        for (const seen of await Promise.all(watching)) expect(seen).toEqual(all);
      }),
    );
  });
});

describe('a log that is full', () => {
  const COUNT = 30_000;
  const whole = Array.from({ length: COUNT }, (_, index) => `${index} `).join('');

  function longTurn(): LiveTurn {
    const turn = newTurn(start, generating);
    for (let index = 0; index < COUNT; index += 1) turn.append([delta(`${index} `)]);
    return turn;
  }

  it('tells late watchers a snapshot, then what follows it', async () => {
    const turn = longTurn();
    const watcher = turn.watch(0, never);
    const [first, ...rest] = (await watcher.next()).value ?? [];
    expect(first).toMatchObject({ id: COUNT + 2, event: { event: 'snapshot' } });
    expect(first?.event.data).toMatchObject({
      turn: { turn_id: 'turn_1', state: 'running', last_event_id: COUNT + 2, message_id: 'answer' },
      message: { content: whole, status: 'streaming' },
      tool_calls: [],
    });
    expect(rest).toEqual([]);
    turn.append([delta('and on')]);
    turn.append([complete(`${whole}and on`), done]);
    turn.finish();
    const later = (await Array.fromAsync(watcher)).flat();
    expect(later.map(({ id }) => id)).toEqual([COUNT + 3, COUNT + 4, COUNT + 5]);
    expect(textOf([...(first ? [first] : []), ...later])).toBe(`${whole}and on`);
  });

  it('still replays to those who are not far behind', async () => {
    const turn = longTurn();
    turn.append([complete(whole), done]);
    turn.finish();
    const ids = (await allAfter(turn, COUNT - 5000)).map(({ id }) => id);
    expect(ids).toEqual(Array.from({ length: 5004 }, (_, index) => COUNT - 5000 + 1 + index));
  });

  it.each([
    ['an answer', complete(whole), { content: whole, status: 'streaming' }],
    ['an error', failure, { content: whole, status: 'streaming' }],
  ])('tells how the turn ended to everyone: %s', async (_name, closing, message) => {
    const turn = longTurn();
    turn.append([closing]);
    turn.append([done]);
    turn.finish();
    for (const after of [0, 1, 9000]) {
      const [snapshot, ...rest] = await allAfter(turn, after);
      expect(snapshot).toMatchObject({ id: COUNT + 2, event: { event: 'snapshot', data: { message } } });
      expect(rest).toEqual([
        { id: COUNT + 3, event: closing },
        { id: COUNT + 4, event: done },
      ]);
    }
    expect(namesOf(await allAfter(turn, COUNT + 2))).toEqual([closing.event, 'done']);
    expect(namesOf(await allAfter(turn, COUNT + 3))).toEqual(['done']);
    expect(await allAfter(turn, COUNT + 4)).toEqual([]);
  });

  it('holds a bounded number of events and characters', async () => {
    const many = longTurn();
    expect(await allAfterNow(many, COUNT + 2 - 10_001)).toHaveLength(1);
    const large = newTurn(start, generating);
    for (let index = 0; index < 300; index += 1) large.append([delta('x'.repeat(100_000))]);
    expect(await allAfterNow(large, 302 - 30)).toHaveLength(1);
    const [snapshot] = await allAfterNow(large, 0);
    expect(textOf(snapshot ? [snapshot] : [])).toHaveLength(30_000_000);
  });

  it('tells the end even when one piece alone is over the limit', async () => {
    const text = 'x'.repeat(3_000_000);
    const turn = newTurn(start, generating);
    for (let index = 0; index < 5; index += 1) turn.append([delta(text)]);
    turn.append([complete(text.repeat(5))]);
    turn.append([done]);
    turn.finish();
    const all = await allAfter(turn, 0);
    expect(namesOf(all)).toEqual(['snapshot', 'message_complete', 'done']);
    expect(textOf(all)).toHaveLength(15_000_000);
  });

  it('counts the text that is kept for snapshots: an ended turn weighs what it holds', () => {
    const turn = newTurn(start, generating);
    for (let index = 0; index < 100; index += 1) turn.append([delta('x'.repeat(100_000))]);
    turn.append([failure, done]);
    turn.finish();
    expect(turn.size).toBeGreaterThanOrEqual(10_000_000);
  });

  it.each([
    ['an answer', (text: string) => complete(text)],
    ['an error', () => failure],
  ])('holds the text of an ended turn in few pieces, however many it came in: %s', async (_name, closing) => {
    const before = heapUsed();
    let turn: LiveTurn | null = newTurn(start, generating);
    // A reader that has stopped reading keeps it in memory.
    const stuck = turn.watch(0, never);
    await stuck.next();
    let length = 0;
    for (let index = 0; index < 500_000; index += 1) {
      const piece = `${index} word `;
      turn.append([delta(piece)]);
      length += piece.length;
    }
    turn.append([closing(wholeOf(500_000)), done]);
    turn.finish();
    turn = null;
    expect(heapUsed() - before).toBeLessThan(3 * length);
    const [snapshot] = (await stuck.next()).value ?? [];
    expect(textOf(snapshot ? [snapshot] : [])).toBe(wholeOf(500_000));
  });

  function wholeOf(count: number): string {
    return Array.from({ length: count }, (_, index) => `${index} word `).join('');
  }

  async function allAfterNow(turn: LiveTurn, after: number): Promise<readonly ToldEvent[]> {
    const watcher = turn.watch(after, never);
    const { value } = await watcher.next();
    await watcher.return();
    return value ?? [];
  }
});

describe('stopping', () => {
  it('keeps the first reason, and does nothing after the end', () => {
    const turn = newTurn(start);
    turn.stop(cancelled('first'));
    turn.stop(cancelled('second'));
    expect(turn.signal.reason).toMatchObject({ message: 'first' });
    const ended = newTurn(start, done);
    ended.finish();
    ended.stop(cancelled('late'));
    expect(ended.signal.aborted).toBe(false);
  });

  it('follows the connection that asked, unless another one holds the turn', () => {
    const alone = newTurn(start);
    alone.hold('cancel').release();
    expect(alone.signal.reason).toMatchObject({ kind: 'turn_cancelled' });

    const left = newTurn(start);
    left.hold('continue').release();
    expect(left.signal.aborted).toBe(false);

    const shared = newTurn(start);
    const first = shared.hold('cancel');
    const second = shared.hold('cancel');
    first.release();
    expect(shared.signal.aborted).toBe(false);
    second.release();
    expect(shared.signal.aborted).toBe(true);
  });
});
