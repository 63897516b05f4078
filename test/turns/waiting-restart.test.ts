// Turns that wait for a person outlive the server: what watchers are told at its end, and how they go on.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askedOf, decide } from '../support/deciding.ts';
import type { ToolServer } from '../support/server-with-tools.ts';
import { askingSession, openQueued, openWaiting, startAsking } from './asking.ts';
import { isNamed, isPhase, readUntil, untilIdle, watchAll, watchTurn } from './watching.ts';

let server: ToolServer;
beforeAll(async () => {
  server = await startAsking();
});
afterAll(() => server.close());

const contentsOf = async (sessionId: string) =>
  (await server.messages(sessionId)).map(({ content }) => content);
const turnOf = async (turnId: string) => (await server.get(`/turns/${turnId}`)).body;
const chats = () => server.ollama.requests.filter(({ path }) => path === '/api/chat');

describe('a turn that waits when the server stops', () => {
  it('goes on when it is back: with its options, its rounds and what was decided', async () => {
    const sessionId = await askingSession(server);
    const options = { temperature: 0.25 };
    const waiting = await openWaiting(server, sessionId, { message: 'Ask 2', options });
    const [first, second] = await askedOf(server, sessionId, 2);
    await decide(server, second.confirmation_id, { decision: 'deny' });
    const before = chats().length;
    const stoppedAt = performance.now();
    await server.restart({ shutdownGraceSeconds: 20 });
    // It is not waited for.
    expect(performance.now() - stoppedAt).toBeLessThan(10_000);

    const closing = (await waiting.stream.all()).filter(({ event }) => event !== 'status');
    expect(closing.map(({ id, event }) => [id, event])).toEqual([
      [0, 'error'],
      [0, 'done'],
    ]);
    expect(closing[0]?.data).toMatchObject({
      code: 'turn_interrupted',
      details: { session_id: sessionId, turn_id: waiting.turnId, resumes: true },
    });
    expect(closing[1]?.data).toEqual({ session_id: sessionId, turn_id: waiting.turnId, state: 'waiting' });

    expect(await turnOf(waiting.turnId)).toMatchObject({
      state: 'waiting',
      finished_at: null,
      approvals: [first],
    });
    const lastSeen = Number(waiting.seen.at(-1)?.id);
    const watch = await watchTurn(server, waiting.turnId, { lastEventId: lastSeen });
    const [snapshot] = await readUntil(watch, isNamed('snapshot'));
    expect(Number(snapshot?.id)).toBeGreaterThan(lastSeen);
    expect(snapshot).toMatchObject({
      event: 'snapshot',
      data: {
        turn: { state: 'waiting', turn_id: waiting.turnId },
        message: { content: '', status: 'complete' },
        tool_calls: [{ call_index: 0, success: null, arguments: { a: 0, b: 1 } }],
        approvals: [first],
      },
    });

    await decide(server, first.confirmation_id, { decision: 'approve' });
    const events = await watch.all();
    expect(
      events.filter(({ event }) => /^(tool_|message|done)/.test(event)).map(({ event }) => event),
    ).toEqual(['tool_result', 'tool_result', 'tool_continuation_start', 'message_complete', 'done']);
    expect(await contentsOf(sessionId)).toEqual([
      'Ask 2',
      '',
      '1',
      "Tool 'add_numbers' was denied by user",
      "They said: 1 | Tool 'add_numbers' was denied by user",
    ]);
    const [request] = chats().slice(before);
    expect(request?.body?.options).toMatchObject(options);
    expect(await turnOf(waiting.turnId)).toMatchObject({
      state: 'completed',
      usage: { prompt_tokens: expect.any(Number) },
    });
    // From rows, as it was live.
    const live = [snapshot, ...events];
    await server.restart();
    const [replayed, ...end] = await watchAll(server, waiting.turnId);
    expect(end).toEqual(live.slice(-2));
    expect(replayed?.data.tool_calls.map(({ result }: any) => result)).toEqual([
      '1',
      "Tool 'add_numbers' was denied by user",
    ]);
  });

  it('a plain client is told which turn it is; it waits on, unwatched', async () => {
    const sessionId = await askingSession(server);
    const plain = server.post(`/chat/${sessionId}`, { message: 'Ask', on_approval: 'wait' });
    const [asked] = await askedOf(server, sessionId);
    const restarted = server.restart();
    const { status, body } = await plain;
    const { code, details } = body.detail.error;
    expect([status, code, details.turn_id, details.resumes]).toEqual([
      503,
      'turn_interrupted',
      asked.turn_id,
      true,
    ]);
    await restarted;
    const { body: answer } = await server.chat(sessionId, { message: 'Never mind.' });
    expect(answer.message.content).toBe('Fine.');
    expect((await turnOf(asked.turn_id)).state).toBe('cancelled');
  });

  it('those behind it are closed; their messages go on the path when it has ended', async () => {
    const sessionId = await askingSession(server);
    const waiting = await openWaiting(server, sessionId);
    const behind = await openQueued(server, sessionId, { message: 'Next' });
    await server.restart();
    const told = await behind.rest();
    expect(told.slice(-2)).toMatchObject([
      { event: 'error', data: { code: 'turn_interrupted' } },
      { event: 'done', data: { state: 'interrupted' } },
    ]);
    expect(await contentsOf(sessionId)).toEqual(['Ask', '']);
    await server.restart();
    const later = server.chat(sessionId, { message: 'Last', on_busy: 'queue' });
    await expect
      .poll(async () => (await server.get(`/sessions/${sessionId}/turns`)).body.turns.length)
      .toBe(3);
    await decide(server, waiting.confirmationId, { decision: 'approve' });
    await later;
    expect(await contentsOf(sessionId)).toEqual(['Ask', '', '1', 'They said: 1', 'Next', 'Last', 'Fine.']);
    await untilIdle(server, sessionId);
  });

  it('can be cancelled, deleted or let expire in another run of the server', async () => {
    const cancelled = await openWaiting(server, await askingSession(server));
    const deletedId = await askingSession(server);
    const deleted = await openWaiting(server, deletedId);
    await server.restart({ confirmTimeoutSeconds: 1 });
    expect((await server.post(`/turns/${cancelled.turnId}/cancel?wait=true`)).body.state).toBe('cancelled');
    expect((await server.request('DELETE', `/sessions/${deletedId}`)).status).toBe(204);
    expect((await server.get(`/turns/${deleted.turnId}`)).status).toBe(404);

    const sessionId = await askingSession(server);
    const expiring = await openWaiting(server, sessionId);
    await server.restart();
    await untilIdle(server, sessionId);
    expect((await turnOf(expiring.turnId)).state).toBe('completed');
    expect((await contentsOf(sessionId)).slice(2)).toEqual([
      "Tool 'add_numbers' was not approved in time",
      "They said: Tool 'add_numbers' was not approved in time",
    ]);
    await server.restart({ confirmTimeoutSeconds: 0 });
  });

  it('what has ended in line in an earlier run comes after it, too, when it is cancelled', async () => {
    const sessionId = await askingSession(server);
    const waiting = await openWaiting(server, sessionId);
    const behind = await openQueued(server, sessionId, { message: 'Gone' });
    await server.post(`/turns/${behind.turnId}/cancel?wait=true`);
    await server.restart();
    await server.post(`/turns/${waiting.turnId}/cancel?wait=true`);
    await expect
      .poll(() => contentsOf(sessionId))
      .toEqual(['Ask', '', "Tool 'add_numbers' was not run: the turn was cancelled", 'Gone']);
    expect(isPhase('queued')(behind.seen.at(-1) as any)).toBe(true);
  });
});
