// Turns that have ended: replayed from memory as they were, and after a restart told by a snapshot and their end.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StreamedEvent } from '../support/read-events.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { behave, spoken } from './behave.ts';
import { closingOf, expectWhole, namesOf, turnOf, untilIdle, watchAll, watchTurn } from './watching.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  server.ollama.setDefault(behave);
});
afterAll(() => server.close());

interface Ended {
  readonly sessionId: string;
  readonly turnId: string;
  readonly events: readonly StreamedEvent[];
}

async function runTurn(message: string, body: Record<string, unknown> = {}): Promise<Ended> {
  const sessionId = await server.createSession({
    system_prompt: 'Be brief.',
    ...(body['think'] === true && { model: 'qwen3:14b' }),
  });
  const stream = await server.stream(`/chat/${sessionId}/stream`, { message, ...body });
  const turnId = stream.headers.get('x-turn-id') ?? '';
  const events = await stream.all();
  expectWhole(events);
  return { sessionId, turnId, events };
}

/** A turn that somebody cancels while it speaks. */
async function runCancelled(message: string): Promise<Ended> {
  const sessionId = await server.createSession();
  const stream = await server.stream(`/chat/${sessionId}/stream`, { message });
  const turnId = stream.headers.get('x-turn-id') ?? '';
  const events: StreamedEvent[] = [];
  for await (const event of stream.events) {
    events.push(event);
    if (event.data.content === 't1 ') await server.post(`/turns/${turnId}/cancel`);
  }
  return { sessionId, turnId, events };
}

describe('from memory', () => {
  it('is the list that was seen live, from wherever a watcher was', async () => {
    const { turnId, events } = await runTurn('tool pace 5');
    const last = events.length;
    expect(await watchAll(server, turnId)).toEqual(events);
    for (const after of [1, 4, last - 2, last - 1]) {
      expect(await watchAll(server, turnId, { after })).toEqual(events.slice(after));
      expect(await watchAll(server, turnId, { lastEventId: after })).toEqual(events.slice(after));
    }
    expect(await watchAll(server, turnId, { after: 2, lastEventId: 5 })).toEqual(events.slice(5));
    expect(await watchAll(server, turnId, { after: 5, lastEventId: 2 })).toEqual(events.slice(5));
  });

  it('is nothing, 204, for who has seen everything', async () => {
    const { turnId, events } = await runTurn('Hello');
    const last = events.length;
    for (const seen of [
      { after: last },
      { lastEventId: last },
      { after: last + 99 },
      { after: 1, lastEventId: last },
    ]) {
      const watch = await watchTurn(server, turnId, seen);
      expect(watch.status).toBe(204);
      expect(await watch.all()).toEqual([]);
    }
  });

  it('takes a Last-Event-ID that is no number of ours for none, and refuses such an `after`', async () => {
    const { turnId, events } = await runTurn('Hello');
    for (const id of ['', 'x', '-3', '1.5', 'NaN', '9'.repeat(30)]) {
      const response = await fetch(`${server.url}/api/v1/turns/${turnId}/stream`, {
        headers: { 'last-event-id': id },
      });
      const text = await response.text();
      expect([response.status, text.match(/^id: /gm)?.length]).toEqual([200, events.length]);
    }
    for (const after of ['x', '-1', '1.5', '']) {
      const { status, body } = await server.get(`/turns/${turnId}/stream?after=${after}`);
      expect([status, body.detail.error.code]).toEqual([422, 'validation_error']);
    }
  });

  it('has the headers of an event stream', async () => {
    const { turnId } = await runTurn('Hello');
    const watch = await watchTurn(server, turnId);
    await watch.all();
    expect(watch.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(watch.headers.get('cache-control')).toBe('no-store');
    expect(watch.headers.get('x-accel-buffering')).toBe('no');
  });
});

describe('after a restart', () => {
  let completed: Ended;
  let withTools: Ended;
  let thoughtful: Ended;
  let failedWithPart: Ended;
  let failedAtOnce: Ended;
  let cancelled: Ended;
  beforeAll(async () => {
    completed = await runTurn('Hello');
    withTools = await runTurn('tool pace 3');
    server.ollama.reply({
      steps: [
        { type: 'chunk', message: { thinking: 'Hm' } },
        { type: 'final', message: { content: 'So' }, fields: {} },
      ],
    });
    thoughtful = await runTurn('Think', { think: true });
    failedWithPart = await runTurn('fail 3');
    failedAtOnce = await runTurn('fail 0');
    cancelled = await runCancelled('hang 2');
    await untilIdle(server, cancelled.sessionId);
    await server.restart();
  });

  it.each<[string, () => Ended]>([
    ['an answer', () => completed],
    ['an answer after tools', () => withTools],
    ['an answer with thinking', () => thoughtful],
    ['a failure with a part', () => failedWithPart],
    ['a failure without one', () => failedAtOnce],
    ['a cancelled turn', () => cancelled],
  ])('tells a snapshot, then the end as it was told live: %s', async (_name, which) => {
    const { sessionId, turnId, events } = which();
    const last = events.length;
    const told = await watchAll(server, turnId);
    expect(namesOf(told)).toEqual(['snapshot', ...namesOf(closingOf(events))]);
    expect(told.map(({ id }) => id)).toEqual([last - 2, last - 1, last]);
    expect(closingOf(told)).toEqual(closingOf(events));

    const [snapshot] = told;
    const turn = await turnOf(server, turnId);
    expect(turn.last_event_id).toBe(last);
    expect(snapshot?.data.turn).toEqual({
      ...turn,
      state: 'running',
      finished_at: null,
      error: null,
      last_event_id: last - 2,
    });
    const stored = (await server.messages(sessionId)).find(
      (message) => message.message_id === turn.message_id,
    );
    if (stored === undefined) {
      expect(snapshot?.data.message).toBeNull();
      return;
    }
    const { source_file, tool_name, turn_id, ...inTree } = stored;
    const { parent_id: _parent, sibling_count: _count, sibling_index: _index, ...shown } = inTree;
    expect([source_file, tool_name, turn_id]).toEqual([null, null, turnId]);
    expect(snapshot?.data.message).toEqual(shown);
  });

  it('goes on for who was further: the closing events, the last one, nothing', async () => {
    const { turnId, events } = completed;
    const last = events.length;
    expect(namesOf(await watchAll(server, turnId, { after: 3 }))).toEqual([
      'snapshot',
      'message_complete',
      'done',
    ]);
    expect(await watchAll(server, turnId, { lastEventId: last - 2 })).toEqual(events.slice(-2));
    expect(await watchAll(server, turnId, { after: last - 1 })).toEqual(events.slice(-1));
    expect((await watchTurn(server, turnId, { after: last })).status).toBe(204);
  });

  it('shows the calls as they were told live', async () => {
    const { turnId, events } = withTools;
    const [snapshot] = await watchAll(server, turnId);
    const { execution_id: _run, ...call } = events.find(({ event }) => event === 'tool_call')?.data ?? {};
    const result = events.find(({ event }) => event === 'tool_result')?.data;
    expect(snapshot?.data.tool_calls).toEqual([{ ...call, success: false, result: result.error }]);
  });

  it('keeps the part of an answer', async () => {
    expect((await watchAll(server, failedWithPart.turnId))[0]?.data.message).toMatchObject({
      content: spoken(3),
      status: 'partial',
    });
    expect((await watchAll(server, cancelled.turnId))[0]?.data.message).toMatchObject({
      content: spoken(2),
      status: 'partial',
    });
  });
});
