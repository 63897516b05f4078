// Lines that move while turns are being accepted, cancelled and stored: every list of events stays whole.
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { StreamedEvent } from '../support/read-events.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { behave } from './behave.ts';
import { expectWhole, isNamed, isPhase, namesOf, readUntil } from './watching.ts';

const SESSIONS = 6;

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  server.ollama.setDefault(behave);
});
afterAll(() => server.close());

/** A line of four; the holder, one that waits and new ones arrive and leave at the same instant. */
async function stirLine(index: number) {
  const sessionId = await server.createSession();
  const open = (message: string) => server.stream(`/chat/${sessionId}/stream`, { message });
  const holder = await open('hang 1');
  await readUntil(holder, isNamed('turn_start'));
  const leaving = await open('Leaving');
  const staying = await open('Staying');
  const cancel = (stream: typeof holder) => server.post(`/turns/${stream.headers.get('x-turn-id')}/cancel`);
  const moves: (() => Promise<unknown>)[] = [() => cancel(holder), () => cancel(leaving)];
  const arrivals = [open('First of three'), open('Second of three'), open('Third of three')];
  await Promise.all((index % 2 === 0 ? moves : moves.toReversed()).map((move) => move()));
  const streams = [leaving, staying, ...(await Promise.all(arrivals))];
  return Promise.all(
    streams.map(async (stream) => ({
      turnId: stream.headers.get('x-turn-id') ?? '',
      events: await stream.all(),
    })),
  );
}

const positionsOf = (events: readonly StreamedEvent[]) =>
  events.filter(isPhase('queued')).map(({ data }) => data.position);

it('begins with turn_start, falls in line, ends with done, and the row counts the same events', async () => {
  const stirred = (await Promise.all(Array.from({ length: SESSIONS }, (_, index) => stirLine(index)))).flat();
  expect(stirred).toHaveLength(SESSIONS * 5);
  const odd: unknown[] = [];
  for (const { turnId, events } of stirred) {
    const { state, last_event_id: last } = (await server.get(`/turns/${turnId}`)).body;
    const positions = positionsOf(events);
    const isFalling = positions.every((position, index) => index === 0 || position < positions[index - 1]);
    if (events[0]?.event !== 'turn_start') odd.push(['first', namesOf(events).slice(0, 3)]);
    else expectWhole(events);
    if (!isFalling) odd.push(['positions', positions]);
    if (events.at(-1)?.data.state !== state) odd.push(['state', state]);
    if (last !== events.length) odd.push(['last_event_id', last, events.length, state]);
  }
  expect(odd).toEqual([]);
});
