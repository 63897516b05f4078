// Answers longer than the log: whoever comes late gets a snapshot, and the text is whole all the same.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { tokens } from '../fake-ollama/chat-script.ts';
import { hangAfter, pauseAfter, script } from '../fake-ollama/script-modifiers.ts';
import type { StreamedEvent } from '../support/read-events.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { behave, spoken } from './behave.ts';
import {
  closingOf,
  expectSameText,
  expectWhole,
  namesOf,
  readUntil,
  textOf,
  turnOf,
  untilIdle,
  watchAll,
  watchTurn,
} from './watching.ts';

const COUNT = 30_000;

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  server.ollama.setDefault(behave);
});
afterAll(() => server.close());

function expectRising(events: readonly StreamedEvent[]): void {
  expect(events.every(({ id }, index) => index === 0 || id > (events[index - 1]?.id ?? 0))).toBe(true);
}

it('late watchers have the whole text, while it is written and after it', async () => {
  const sessionId = await server.createSession();
  server.ollama.reply(
    script({ ...tokens(COUNT), cached: true, ignoresLimits: true }, pauseAfter(COUNT - 1000, 600)),
  );
  const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'At length' });
  const turnId = stream.headers.get('x-turn-id') ?? '';
  const watching: Promise<StreamedEvent[]>[] = [];
  const own: StreamedEvent[] = [];
  /** What those had seen that come back. */
  const seen: number[] = [];
  for await (const event of stream.events) {
    own.push(event);
    // Joins at many moments: from the start, from where the log is gone, from where it is not.
    if (event.event === 'content_delta' && event.id % 5000 === 0) {
      seen.push(event.id);
      watching.push(watchAll(server, turnId), watchAll(server, turnId, { after: event.id }));
    }
  }
  const whole = spoken(COUNT);
  expectSameText(textOf(own), whole);
  expectRising(own);
  watching.push(watchAll(server, turnId));
  const lists = await Promise.all(watching);
  for (const events of lists) {
    expectRising(events);
    expect(closingOf(events)).toEqual(closingOf(own));
  }
  const fromStart = lists.filter((_, index) => index % 2 === 0);
  for (const events of fromStart) expectSameText(textOf(events), whole);
  expect(namesOf(fromStart.at(-1) ?? [])).toEqual(['snapshot', 'message_complete', 'done']);
  // Those that came back: what they had, then what they got. A snapshot replaces it.
  for (const [index, events] of lists.filter((_, position) => position % 2 === 1).entries()) {
    const had = own.filter(({ id }) => id <= (seen[index] ?? 0));
    expectSameText(textOf([...had, ...events]), whole);
  }
});

it('a snapshot of a running turn is its state, and the end follows', async () => {
  const sessionId = await server.createSession();
  server.ollama.reply(script({ ...tokens(12_000), cached: true, ignoresLimits: true }, hangAfter(12_000)));
  const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'On and on' });
  const turnId = stream.headers.get('x-turn-id') ?? '';
  const own = await readUntil(stream, ({ data }) => data.content === 't11999 ');
  const watch = await watchTurn(server, turnId);
  const [snapshot] = await readUntil(watch, () => true);
  expect(snapshot).toMatchObject({ id: own.at(-1)?.id, event: 'snapshot' });
  // The first piece is told a moment before it is stored.
  await expect.poll(async () => (await server.messages(sessionId)).at(-1)?.role).toBe('assistant');
  const stored = (await server.messages(sessionId)).at(-1);
  const { content, ...message } = snapshot?.data.message ?? {};
  expectSameText(content, spoken(12_000));
  const { message_id, model, timestamp } = stored;
  expect(message).toMatchObject({ message_id, model, timestamp, status: 'streaming' });
  const turn = await turnOf(server, turnId);
  expect(snapshot?.data.turn).toEqual({ ...turn, context: expect.any(Object) });
  expect(snapshot?.data.turn.context).toMatchObject({ messages_sent: 1, prompt_tokens: null });
  await server.post(`/turns/${turnId}/cancel?wait=true`);
  expect(await watch.all()).toEqual(await stream.all());
});

it('three hundred watchers of one turn all get everything', async () => {
  const sessionId = await server.createSession();
  const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'pace 60' });
  const turnId = stream.headers.get('x-turn-id') ?? '';
  const watching = Array.from({ length: 300 }, () => watchAll(server, turnId));
  const all = await stream.all();
  expectWhole(all);
  expect(textOf(all)).toBe(spoken(60));
  const expected = JSON.stringify(all);
  const lists = await Promise.all(watching);
  expect(lists.filter((events) => JSON.stringify(events) !== expected)).toEqual([]);
});

it('a watcher that leaves does nothing to the turn', async () => {
  const sessionId = await server.createSession();
  const answer = server.post(`/chat/${sessionId}`, { message: 'pace 40', on_disconnect: 'cancel' });
  await server.ollama.waitForRequest('/api/chat', ({ rawBody }) => rawBody.includes('pace 40'));
  const turnId = (await server.get(`/sessions/${sessionId}`)).body.active_turn;
  for (let index = 0; index < 3; index += 1) {
    const watch = await watchTurn(server, turnId);
    await readUntil(watch, () => true);
    watch.abort();
  }
  const { status, body } = await answer;
  expect([status, body.message.content]).toEqual([200, spoken(40)]);
  await untilIdle(server, sessionId);
});
