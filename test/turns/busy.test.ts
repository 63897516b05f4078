// A session that is answering gets another message: it waits in line, is refused, or goes next.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { askedOf, behave, spoken } from './behave.ts';
import { closingOf, expectWhole, isNamed, isPhase, readUntil, untilIdle } from './watching.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  server.ollama.setDefault(behave);
});
afterAll(() => server.close());

/** A stream that has come to this phase, or to its first word. */
async function open(sessionId: string, message: string, phase: 'queued' | 'speaking', policy = 'queue') {
  const stream = await server.stream(`/chat/${sessionId}/stream`, { message, on_busy: policy });
  const seen = await readUntil(stream, phase === 'queued' ? isPhase('queued') : isNamed('content_delta'));
  const turnId = stream.headers.get('x-turn-id') ?? '';
  return { stream, turnId, rest: async () => [...seen, ...(await stream.all())] };
}

const cancel = (turnId: string) => server.post(`/turns/${turnId}/cancel?wait=true`);
const textsOf = async (sessionId: string) =>
  (await server.messages(sessionId)).map(({ role, content }) => `${role}: ${content}`);
const positionsOf = (events: Awaited<ReturnType<typeof readUntil>>) =>
  events.filter(isPhase('queued')).map(({ data }) => data.position);

describe('on_busy: queue', () => {
  it('is the default; turns run in the order of arrival and say how many are ahead', async () => {
    const sessionId = await server.createSession();
    const holder = await open(sessionId, 'hang 2', 'speaking');
    const second = await open(sessionId, 'Second', 'queued');
    const third = await open(sessionId, 'Third', 'queued');
    const plain = server.post(`/chat/${sessionId}`, { message: 'Fourth' });
    await expect
      .poll(async () => (await server.get(`/sessions/${sessionId}/turns`)).body.turns.length)
      .toBe(4);
    expect((await server.get(`/sessions/${sessionId}`)).body.active_turn).toBe(holder.turnId);
    // What waits is not on the path yet.
    expect(await textsOf(sessionId)).toEqual(['user: hang 2', expect.stringContaining('assistant: t0')]);

    await cancel(holder.turnId);
    const [secondEvents, thirdEvents] = await Promise.all([second.rest(), third.rest()]);
    expect((await plain).status).toBe(200);
    expectWhole(secondEvents);
    expectWhole(thirdEvents);
    expect(secondEvents.map(({ event }) => event)).toContain('message_complete');
    const positions = positionsOf(thirdEvents);
    expect(positions[0]).toBe(2);
    expect(positions).toContain(1);
    expect(positions).toEqual([...positions].sort((left, right) => right - left));
    expect(positionsOf(secondEvents)[0]).toBe(1);
    expect(await textsOf(sessionId)).toEqual([
      'user: hang 2',
      `assistant: ${spoken(2)}`,
      ...['Second', 'Third', 'Fourth'].flatMap((text) => [`user: ${text}`, 'assistant: Fine.']),
    ]);
  });

  it('a cancelled one ends at once; its message stays, unanswered, and the others go on', async () => {
    const sessionId = await server.createSession();
    const holder = await open(sessionId, 'hang 2', 'speaking');
    const leaving = await open(sessionId, 'Never mind', 'queued');
    const plainLeaving = server.post(`/chat/${sessionId}`, { message: 'Never mind either' });
    // Of two requests at once either may be the first in line.
    await expect
      .poll(async () => (await server.get(`/sessions/${sessionId}/turns`)).body.turns.length)
      .toBe(3);
    const staying = await open(sessionId, 'Still here', 'queued');
    const waiting = (await server.get(`/sessions/${sessionId}/turns`)).body.turns;
    const plainId = waiting.find(
      (turn: any) => ![holder, leaving, staying].some(({ turnId }) => turnId === turn.turn_id),
    ).turn_id;

    const { body } = await cancel(leaving.turnId);
    expect(body).toMatchObject({ state: 'cancelled', error: { code: 'turn_cancelled' }, message_id: null });
    expect(body.finished_at).not.toBeNull();
    await cancel(plainId);
    const refused = await plainLeaving;
    expect([refused.status, refused.body.detail.error.code]).toEqual([409, 'turn_cancelled']);
    expect(refused.body.detail.error.details).toEqual({ session_id: sessionId, turn_id: plainId });
    const events = await leaving.rest();
    expectWhole(events);
    expect(closingOf(events)).toMatchObject([
      { event: 'error', data: { code: 'turn_cancelled', details: { turn_id: leaving.turnId } } },
      { event: 'done', data: { state: 'cancelled' } },
    ]);
    expect(body.last_event_id).toBe(events.length);
    expect((await server.get(`/turns/${holder.turnId}`)).body.state).toBe('running');

    await cancel(holder.turnId);
    await staying.rest();
    expect(await textsOf(sessionId)).toEqual([
      'user: hang 2',
      `assistant: ${spoken(2)}`,
      'user: Never mind',
      'user: Never mind either',
      'user: Still here',
      'assistant: Fine.',
    ]);
    expect(
      server.ollama.requestsTo('/api/chat').filter((request) => askedOf(request).startsWith('Never')),
    ).toEqual([]);
  });

  it('holds eight; the next is refused with the holder, and nothing of it is stored', async () => {
    const sessionId = await server.createSession();
    const holder = await open(sessionId, 'hang 1', 'speaking');
    const waiting: Awaited<ReturnType<typeof open>>[] = [];
    for (let index = 0; index < 8; index += 1)
      waiting.push(await open(sessionId, `Number ${index}`, 'queued'));
    for (const path of ['', '/stream']) {
      const { status, body } = await server.post(`/chat/${sessionId}${path}`, { message: 'One too many' });
      expect([status, body.detail.error.code, body.detail.error.details]).toEqual([
        409,
        'session_busy',
        { session_id: sessionId, turn_id: holder.turnId },
      ]);
    }
    expect((await server.get(`/sessions/${sessionId}/turns`)).body.turns).toHaveLength(9);
    await cancel(holder.turnId);
    for (const { rest } of waiting) expectWhole(await rest());
    expect(await textsOf(sessionId)).toHaveLength(18);
  });
});

describe('on_busy: reject', () => {
  it.each(['', '/stream'])(
    '409 names the turn that holds the session, nothing is stored: /chat/{id}%s',
    async (path) => {
      const sessionId = await server.createSession();
      const holder = await open(sessionId, 'hang 1', 'speaking');
      const { status, body } = await server.post(`/chat/${sessionId}${path}`, {
        message: 'Now!',
        on_busy: 'reject',
      });
      expect([status, body.detail.error.code, body.detail.error.details]).toEqual([
        409,
        'session_busy',
        { session_id: sessionId, turn_id: holder.turnId },
      ]);
      await cancel(holder.turnId);
      expect((await server.get(`/sessions/${sessionId}/turns`)).body.turns).toHaveLength(1);
      await server.chat(sessionId, { message: 'Now?', on_busy: 'reject' });
      expect(await textsOf(sessionId)).toHaveLength(4);
    },
  );
});

describe('on_busy: interrupt', () => {
  it('cancels the turn that runs, keeps its part, and goes before all that wait', async () => {
    const sessionId = await server.createSession();
    const plain = server.post(`/chat/${sessionId}`, { message: 'hang 3' });
    await expect.poll(async () => (await server.messages(sessionId)).at(-1)?.content).toContain('t0');
    const holderId = (await server.get(`/sessions/${sessionId}`)).body.active_turn;
    const patient = await open(sessionId, 'Patient', 'queued');
    const urgent = await open(sessionId, 'hang 1 urgently', 'speaking', 'interrupt');

    const interrupted = await plain;
    expect([interrupted.status, interrupted.body.detail.error.code]).toEqual([409, 'turn_cancelled']);
    expect(interrupted.body.detail.error.details).toMatchObject({ session_id: sessionId, turn_id: holderId });
    // What is told of an answer that is being written may be stored a moment later.
    await expect
      .poll(() => textsOf(sessionId))
      .toEqual([
        'user: hang 3',
        `assistant: ${spoken(3)}`,
        'user: hang 1 urgently',
        expect.stringContaining('assistant: t0'),
      ]);
    expect((await server.get(`/turns/${patient.turnId}`)).body.state).toBe('queued');
    // Whoever looks at the session sees, and stops, the one that speaks.
    expect((await server.get(`/sessions/${sessionId}`)).body.active_turn).toBe(urgent.turnId);
    expect((await server.post(`/chat/${sessionId}/cancel?wait=true`)).body.turn_id).toBe(urgent.turnId);
    expectWhole(await patient.rest());
    expectWhole(await urgent.rest());
    expect((await textsOf(sessionId)).slice(-2)).toEqual(['user: Patient', 'assistant: Fine.']);
  });

  it('needs no free place in line: it takes the one of the turn that it ends', async () => {
    const sessionId = await server.createSession();
    const holder = await open(sessionId, 'hang 1', 'speaking');
    const waiting: Awaited<ReturnType<typeof open>>[] = [];
    for (let index = 0; index < 8; index += 1)
      waiting.push(await open(sessionId, `Number ${index}`, 'queued'));
    const { body } = await server.chat(sessionId, { message: 'Urgent', on_busy: 'interrupt' });
    expect(body.message.content).toBe('Fine.');
    expect((await holder.rest()).at(-1)?.data.state).toBe('cancelled');
    const lists = await Promise.all(waiting.map(({ rest }) => rest()));
    for (const events of lists) {
      expectWhole(events);
      expect(events.at(-1)?.data.state).toBe('completed');
      // No position is told twice in a row.
      const positions = positionsOf(events);
      expect(positions.filter((position, at) => position === positions[at - 1])).toEqual([]);
    }
    // The last of them was pushed back by one before it moved up.
    expect(positionsOf(lists.at(-1) ?? []).slice(0, 3)).toEqual([8, 9, 8]);
    expect((await textsOf(sessionId)).filter((_, index) => index % 2 === 0)).toEqual([
      'user: hang 1',
      'user: Urgent',
      ...waiting.map((_, index) => `user: Number ${index}`),
    ]);
  });

  it('tells the watchers of the interrupted turn', async () => {
    const sessionId = await server.createSession();
    const holder = await open(sessionId, 'hang 1', 'speaking');
    await server.chat(sessionId, { message: 'Stop', on_busy: 'interrupt' });
    const events = await holder.rest();
    expectWhole(events);
    expect(closingOf(events)).toMatchObject([
      { event: 'error', data: { code: 'turn_cancelled' } },
      { event: 'done', data: { state: 'cancelled' } },
    ]);
  });

  it('is nothing special in an idle session', async () => {
    const sessionId = await server.createSession();
    await server.chat(sessionId, { message: 'Hello', on_busy: 'interrupt' });
    expect(await textsOf(sessionId)).toEqual(['user: Hello', 'assistant: Fine.']);
  });

  it('one after the other: the last one answers, every part is kept', async () => {
    const sessionId = await server.createSession();
    for (const count of [1, 2, 3]) {
      const { stream } = await open(sessionId, `hang ${count}`, 'speaking', 'interrupt');
      // The first word was read.
      if (count > 1) await readUntil(stream, ({ data }) => data.content === `t${count - 1} `);
    }
    await server.chat(sessionId, { message: 'Enough', on_busy: 'interrupt' });
    await untilIdle(server, sessionId);
    expect(await textsOf(sessionId)).toEqual([
      ...[1, 2, 3].flatMap((count) => [`user: hang ${count}`, `assistant: ${spoken(count)}`]),
      'user: Enough',
      'assistant: Fine.',
    ]);
  });
});
