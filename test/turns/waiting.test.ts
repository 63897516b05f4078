// Turns that wait for a person: what they hold, what becomes of those beside and behind them, and how they end.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askedOf, decide } from '../support/deciding.ts';
import type { ToolServer } from '../support/server-with-tools.ts';
import { askingSession, openQueued, openWaiting, startAsking } from './asking.ts';
import { expectWhole, isNamed, isPhase, readUntil, untilIdle, watchAll, watchTurn } from './watching.ts';

const CANCELLED = "Tool 'add_numbers' was not run: the turn was cancelled";

let server: ToolServer;
beforeAll(async () => {
  server = await startAsking({ config: { maxConcurrentTurns: 1 } });
});
afterAll(() => server.close());

const contentsOf = async (sessionId: string) =>
  (await server.messages(sessionId)).map(({ content }) => content);
const stateOf = async (turnId: string) => (await server.get(`/turns/${turnId}`)).body.state;

describe('a turn that waits', () => {
  it('is told everywhere, with what it waits for', async () => {
    const sessionId = await askingSession(server);
    const { turnId, seen, rest } = await openWaiting(server, sessionId, { message: 'Ask 2' });
    const asked = await askedOf(server, sessionId, 2);
    expect(seen.find(isPhase('waiting_for_approval'))?.data.approvals).toEqual(asked);
    expect(seen.at(-1)?.data).toMatchObject({ call_index: 0, kind: 'tool', rule: 'execution_policy' });
    expect((await server.get(`/turns/${turnId}`)).body).toMatchObject({ state: 'waiting', approvals: asked });
    expect((await server.get(`/sessions/${sessionId}/status`)).body).toMatchObject({
      active_turn: turnId,
      approvals: asked,
    });
    const [listed] = (await server.get(`/sessions/${sessionId}/turns`)).body.turns;
    expect(listed).toMatchObject({ state: 'waiting', approvals: asked });
    const watch = await watchTurn(server, turnId);
    // The later one first: what is left is told anew.
    await decide(server, asked[1].confirmation_id, { decision: 'deny' });
    const [left] = await askedOf(server, sessionId, 1);
    const told = await readUntil(watch, ({ data }) => data.approvals?.length === 1);
    expect(told.at(-1)?.data.approvals).toEqual([left]);
    await decide(server, left.confirmation_id, { decision: 'approve' });
    const events = await rest();
    expectWhole(events);
    expect([...told, ...(await watch.all())]).toEqual(events);
    expect(await contentsOf(sessionId)).toEqual([
      'Ask 2',
      '',
      '1',
      "Tool 'add_numbers' was denied by user",
      "They said: 1 | Tool 'add_numbers' was denied by user",
    ]);
    expect((await server.get(`/turns/${turnId}`)).body).toMatchObject({ state: 'completed', approvals: [] });
  });

  it('holds no slot, and takes one again before those that have not begun', async () => {
    const [sessionId, busyId, lateId] = [
      await askingSession(server),
      await server.createSession(),
      await server.createSession(),
    ];
    const waiting = await openWaiting(server, sessionId);
    // The one slot is free.
    await server.chat(busyId, { message: 'Hello' });
    const busy = await server.stream(`/chat/${busyId}/stream`, { message: 'hang' });
    await readUntil(busy, isNamed('content_delta'));
    const late = await openQueued(server, lateId, { message: 'Late' });
    await decide(server, waiting.confirmationId, { decision: 'approve' });
    const queued = await readUntil(waiting.stream, isPhase('queued'));
    expect(queued.at(-1)?.data).toEqual({ phase: 'queued', position: 0 });
    const back = await readUntil(late.stream, isPhase('queued'));
    expect(back.at(-1)?.data).toEqual({ phase: 'queued', position: 1 });
    expect(server.source.runs).toHaveLength(1);
    const order: string[] = [];
    const ends = [
      waiting.stream.all().then(() => order.push('waiting')),
      late.stream.all().then(() => order.push('late')),
    ];
    await server.post(`/chat/${busyId}/cancel`);
    await Promise.all([...ends, busy.all()]);
    expect(order).toEqual(['waiting', 'late']);
    expect(server.source.runs).toHaveLength(2);
  });

  it('is waited for by those behind it, who are told why; what is sent while somebody watches queues', async () => {
    const sessionId = await askingSession(server);
    const waiting = await openWaiting(server, sessionId);
    const behind = await openQueued(server, sessionId, { message: 'Next' });
    expect(behind.seen.at(-1)?.data).toEqual({ phase: 'queued', position: 1, waiting_for: 'approval' });
    await decide(server, waiting.confirmationId, { decision: 'deny', reason: 'no' });
    const [first, second] = await Promise.all([waiting.rest(), behind.rest()]);
    expectWhole(second);
    expect(first.at(-1)?.data.state).toBe('completed');
    expect(second.filter(isPhase('queued')).map(({ data }) => data.waiting_for)).toEqual([
      'approval',
      ...second
        .filter(isPhase('queued'))
        .slice(1)
        .map(() => undefined),
    ]);
    expect((await contentsOf(sessionId)).slice(-2)).toEqual(['Next', 'Fine.']);
  });

  it('gives way to a new message when nobody watches, unless that wants to queue', async () => {
    const sessionId = await askingSession(server);
    const waiting = await openWaiting(server, sessionId, { on_disconnect: 'continue' });
    waiting.stream.abort();
    const behind = await openQueued(server, sessionId, { message: 'First', on_busy: 'queue' });
    expect(await stateOf(waiting.turnId)).toBe('waiting');
    behind.stream.abort();
    await expect.poll(() => stateOf(behind.turnId)).toBe('cancelled');
    // The connection that has left is noticed by then.
    await expect
      .poll(async () => {
        const { body } = await server.chat(sessionId, { message: 'Second' });
        return body.message.content;
      })
      .toBe('Fine.');
    expect(await stateOf(waiting.turnId)).toBe('cancelled');
    expect(
      (await server.get(`/approvals?turn_id=${waiting.turnId}&status=all`)).body.approvals,
    ).toMatchObject([{ state: 'cancelled' }]);
    // It goes before those that wait.
    await expect
      .poll(() => contentsOf(sessionId))
      .toEqual(['Ask', '', CANCELLED, 'Second', 'Fine.', 'First']);
  });

  it.each(['cancel', 'leave'] as const)(
    '%s: it ends, and nothing of it can be decided any more',
    async (how) => {
      const sessionId = await askingSession(server);
      const { stream, turnId, confirmationId, seen } = await openWaiting(server, sessionId, {
        message: 'Ask 2',
      });
      if (how === 'leave') stream.abort();
      else await server.post(`/turns/${turnId}/cancel?wait=true`);
      await untilIdle(server, sessionId);
      expect(await contentsOf(sessionId)).toEqual(['Ask 2', '', CANCELLED, CANCELLED]);
      const confirm = { confirmation_id: confirmationId, approved: true };
      expect((await server.post(`/chat/${sessionId}/confirm-tool`, confirm)).status).toBe(404);
      const events = await watchAll(server, turnId);
      if (how === 'cancel') expect([...seen, ...(await stream.all())]).toEqual(events);
      expect(
        events.slice(-4).map(({ event, data }) => [event, data.arguments ?? data.error ?? data.state]),
      ).toEqual([
        ['tool_result', CANCELLED],
        ['tool_result', { a: 1, b: 1 }],
        ['error', undefined],
        ['done', 'cancelled'],
      ]);
      expect(await stateOf(turnId)).toBe('cancelled');
    },
  );

  it('lets its session be deleted, and no change of its path', async () => {
    const sessionId = await askingSession(server);
    const { stream, turnId, confirmationId } = await openWaiting(server, sessionId);
    const [user] = await server.messages(sessionId);
    const refused = await Promise.all([
      server.request('PUT', `/sessions/${sessionId}/messages/0`, { content: 'Other' }),
      server.request('PUT', `/sessions/${sessionId}/head`, { message_id: user.message_id }),
      server.request('PUT', `/sessions/${sessionId}/system-prompt`, { content: 'Be kind.' }),
    ]);
    expect(
      refused.map(({ status, body }) => [status, body.detail.error.code, body.detail.error.details.turn_id]),
    ).toEqual(refused.map(() => [409, 'session_busy', turnId]));
    for (const { body } of refused)
      expect(body.detail.error.message).toMatch(/ waits for an approval\. Decide it/);
    expect((await server.request('DELETE', `/sessions/${sessionId}`)).status).toBe(204);
    expect((await stream.all()).at(-1)?.data.state).toBe('cancelled');
    expect((await server.post(`/approvals/${confirmationId}/decide`, { decision: 'approve' })).status).toBe(
      404,
    );
  });

  it('is exported as waiting, and comes in as interrupted, every call answered', async () => {
    const sessionId = await askingSession(server);
    const { confirmationId, rest } = await openWaiting(server, sessionId);
    const exported = await server.get(`/sessions/${sessionId}/export?format=jsonl`);
    expect(exported.body).toContain('"state":"waiting"');
    await decide(server, confirmationId, { decision: 'deny' });
    await rest();
    const { body } = await server.post('/sessions/import', exported.body, {
      'content-type': 'application/x-ndjson',
    });
    const [{ session_id: copy }] = body.imported;
    const [turn] = (await server.get(`/sessions/${copy}/turns`)).body.turns;
    expect(turn).toMatchObject({ state: 'interrupted', approvals: [] });
    expect((await contentsOf(copy)).at(-1)).toBe("Tool 'add_numbers' was not run: the turn ended first");
  });
});

describe('on_approval', () => {
  it('fail: no tool of the round runs, every call is answered, the turn fails', async () => {
    const sessionId = await server.toolSession(['add_numbers'], {
      tool_settings: { execution_policy: 'always_confirm' },
    });
    const before = server.source.runs.length;
    const { status, body } = await server.post(`/chat/${sessionId}`, { message: 'Ask 2' });
    const { error } = body.detail;
    expect([status, error.code, error.details.tools]).toEqual([
      400,
      'tool_confirmation_requires_streaming',
      ['add_numbers'],
    ]);
    expect(await contentsOf(sessionId)).toEqual([
      'Ask 2',
      '',
      'Error: not run: it needs an approval',
      'Error: not run: it needs an approval',
    ]);
    expect(server.source.runs).toHaveLength(before);
    expect((await server.get(`/approvals?session_id=${sessionId}&status=all`)).body.approvals).toEqual([]);
    const events = await server.told(sessionId, { message: 'Ask', on_approval: 'fail' });
    expect(events.slice(-4).map(({ event }) => event)).toEqual(['tool_call', 'tool_result', 'error', 'done']);
    expect(await stateOf(error.details.turn_id)).toBe('failed');
  });

  it('return: the plain answer says what is to be decided; the same request again joins it', async () => {
    const sessionId = await askingSession(server);
    const ask = () =>
      server.post(
        `/chat/${sessionId}`,
        { message: 'Ask', on_approval: 'return' },
        { 'idempotency-key': 'ask' },
      );
    const first = await ask();
    const [asked] = await askedOf(server, sessionId);
    const turnId = first.headers.get('x-turn-id');
    expect(first.status).toBe(202);
    expect(first.headers.get('location')).toBe(`/api/v1/turns/${turnId}`);
    expect(first.body).toEqual({
      session_id: sessionId,
      turn_id: turnId,
      state: 'waiting',
      approvals: [asked],
    });
    expect([(await ask()).status, await stateOf(asked.turn_id)]).toEqual([202, 'waiting']);
    await decide(server, asked.confirmation_id, { decision: 'approve' });
    await untilIdle(server, sessionId);
    const last = await ask();
    expect([last.status, last.body.message.content, last.headers.get('x-turn-id')]).toEqual([
      200,
      'They said: 1',
      turnId,
    ]);
  });

  it('return is for plain answers alone', async () => {
    const sessionId = await askingSession(server);
    const { status, body } = await server.post(`/chat/${sessionId}/stream`, {
      message: 'Ask',
      on_approval: 'return',
    });
    expect([status, body.detail.error.details.errors[0].path]).toEqual([422, '/on_approval']);
    expect(await server.messages(sessionId)).toEqual([]);
  });
});
