// A turn as a thing with an address: its state at every moment, and the list of a session's turns.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { behave, spoken } from './behave.ts';
import { isNamed, isPhase, readUntil, untilIdle } from './watching.ts';

const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  server.ollama.setDefault(behave);
});
afterAll(() => server.close());

const turnOf = async (turnId: string) => (await server.get(`/turns/${turnId}`)).body;

async function startTurn(sessionId: string, message: string, until: string) {
  const stream = await server.stream(`/chat/${sessionId}/stream`, { message });
  const seen = await readUntil(stream, (event) => event.event === until || event.data.phase === until);
  return { stream, turnId: stream.headers.get('x-turn-id') ?? '', seen };
}

describe('GET /turns/{id}', () => {
  it('queued: accepted, not begun', async () => {
    const sessionId = await server.createSession();
    const first = await startTurn(sessionId, 'mute', 'turn_start');
    const second = await startTurn(sessionId, 'Me too', 'queued');
    expect(await turnOf(second.turnId)).toEqual({
      turn_id: second.turnId,
      session_id: sessionId,
      state: 'queued',
      created_at: expect.stringMatching(TIMESTAMP),
      finished_at: null,
      error: null,
      message_id: null,
      finish_reason: null,
      usage: null,
      context: null,
      last_event_id: 2,
      agent_name: null,
      phase: null,
      round: null,
      parent_turn_id: null,
      agent_turns: [],
      approvals: [],
    });
    first.stream.abort();
    second.stream.abort();
    await untilIdle(server, sessionId);
  });

  it('running: the message that is being written, and how far the events have come', async () => {
    const sessionId = await server.createSession();
    const { stream, turnId, seen } = await startTurn(sessionId, 'hang 2', 'generating');
    const deltas = await readUntil(stream, ({ data }) => data.content === 't1 ');
    const turn = await turnOf(turnId);
    expect(turn).toMatchObject({ state: 'running', finished_at: null, error: null, usage: null });
    expect(turn.message_id).toBe(seen.find(isPhase('generating'))?.data.message_id);
    expect(turn.last_event_id).toBe(deltas.at(-1)?.id);
    stream.abort();
    await untilIdle(server, sessionId);
  });

  it('completed: its answer, its cost, its receipt', async () => {
    const sessionId = await server.createSession();
    const { body } = await server.chat(sessionId, { message: 'Hello' });
    const turn = await turnOf(body.turn_id);
    expect(turn).toMatchObject({ state: 'completed', error: null, message_id: body.message.message_id });
    expect(turn.finished_at).toMatch(TIMESTAMP);
    expect(turn.finished_at > turn.created_at).toBe(true);
    expect(turn.context).toEqual(body.context);
    const { prompt_tokens: prompt, output_tokens: output, total_tokens: total, ...times } = turn.usage;
    expect([prompt, output]).toEqual([body.message.prompt_eval_count, body.message.eval_count]);
    expect(total).toBe(prompt + output);
    expect(Object.keys(times).sort()).toEqual(['eval_ms', 'load_ms', 'prompt_eval_ms']);
  });

  it('completed with tools: the cost of every step', async () => {
    const sessionId = await server.createSession();
    const { body } = await server.chat(sessionId, { message: 'tool and then' });
    const { usage } = await turnOf(body.turn_id);
    expect(usage.output_tokens).toBeGreaterThan(body.message.eval_count);
    expect(usage.prompt_tokens).toBeGreaterThan(body.message.prompt_eval_count);
  });

  it('failed: what went wrong, and the part', async () => {
    const sessionId = await server.createSession();
    const { status, headers, body } = await server.post(`/chat/${sessionId}`, { message: 'fail 2' });
    const turn = await turnOf(headers.get('x-turn-id') ?? '');
    const { code, message } = body.detail.error;
    expect([status, turn.state]).toEqual([502, 'failed']);
    expect(turn.error).toMatchObject({ code, message });
    const part = (await server.messages(sessionId)).at(-1);
    expect(part).toMatchObject({ content: spoken(2), status: 'partial', message_id: turn.message_id });
  });

  it('cancelled: as it was left', async () => {
    const sessionId = await server.createSession();
    const { stream, turnId } = await startTurn(sessionId, 'hang 2', 'content_delta');
    stream.abort();
    await untilIdle(server, sessionId);
    expect(await turnOf(turnId)).toMatchObject({ state: 'cancelled', error: { code: 'turn_cancelled' } });
  });

  it('interrupted: the server stopped', async () => {
    const sessionId = await server.createSession();
    const { stream, turnId } = await startTurn(sessionId, 'hang 2', 'content_delta');
    void stream.all();
    await server.restart();
    expect(await turnOf(turnId)).toMatchObject({ state: 'interrupted', error: { code: 'turn_interrupted' } });
  });

  it.each(['turn_000000000000', 'nobody', '%2e%2e', 'a'.repeat(65), "x'or'1"])(
    '404 for %s',
    async (turnId) => {
      for (const [method, path] of [
        ['GET', ''],
        ['GET', '/stream'],
        ['POST', '/cancel'],
      ] as const) {
        const { status, body } = await server.request(method, `/turns/${turnId}${path}`);
        expect([status, body.detail.error.code]).toEqual([404, expect.stringMatching(/^(turn_)?not_found$/)]);
      }
    },
  );
});

describe('the address of a turn', () => {
  it('is in the headers of both answers and in the first event', async () => {
    const sessionId = await server.createSession();
    const plain = await server.chat(sessionId, { message: 'One' });
    const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'Two' });
    const streamed = (await stream.all()).find(isNamed('turn_start'))?.data.turn_id;
    for (const [headers, turnId] of [
      [plain.headers, plain.body.turn_id],
      [stream.headers, streamed],
    ] as const) {
      expect(headers.get('x-turn-id')).toBe(turnId);
      const location = headers.get('location') ?? '';
      expect(location).toBe(`/api/v1/turns/${turnId}`);
      expect((await server.get(location)).body.turn_id).toBe(turnId);
    }
  });

  it('is on the session while it is answering, and only then', async () => {
    const sessionId = await server.createSession();
    const active = async () => [
      (await server.get(`/sessions/${sessionId}`)).body.active_turn,
      (await server.get('/sessions')).body.sessions.find((item: any) => item.session_id === sessionId)
        .active_turn,
    ];
    expect(await active()).toEqual([null, null]);
    const { stream, turnId } = await startTurn(sessionId, 'hang 1', 'content_delta');
    expect(await active()).toEqual([turnId, turnId]);
    stream.abort();
    await untilIdle(server, sessionId);
    expect(await active()).toEqual([null, null]);
    await server.chat(sessionId, { message: 'Hello' });
    expect(await active()).toEqual([null, null]);
  });
});

describe('GET /sessions/{id}/turns', () => {
  it('lists them newest first, page by page', async () => {
    const sessionId = await server.createSession();
    const turnIds: string[] = [];
    for (let index = 0; index < 7; index += 1) {
      const { headers } = await server.post(`/chat/${sessionId}`, {
        message: index === 3 ? 'fail 1' : `${index}`,
      });
      turnIds.unshift(headers.get('x-turn-id') ?? '');
    }
    const all = (await server.get(`/sessions/${sessionId}/turns`)).body;
    expect(all.turns.map((turn: any) => turn.turn_id)).toEqual(turnIds);
    expect(all.turns.map((turn: any) => turn.state)).toEqual([
      ...Array(3).fill('completed'),
      'failed',
      ...Array(3).fill('completed'),
    ]);
    expect(all.next_cursor).toBeNull();
    expect(await turnOf(turnIds[0] ?? '')).toEqual(all.turns[0]);

    const paged: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const query: string = cursor === '' ? '' : `&cursor=${cursor}`;
      const { body } = await server.get(`/sessions/${sessionId}/turns?limit=3${query}`);
      paged.push(...body.turns.map((turn: any) => turn.turn_id));
      cursor = body.next_cursor;
    }
    expect(paged).toEqual(turnIds);
  });

  it('is empty for a new session, and refuses what it cannot read', async () => {
    const sessionId = await server.createSession();
    const { body } = await server.get(`/sessions/${sessionId}/turns`);
    expect(body).toEqual({ turns: [], next_cursor: null });
    const answers = await Promise.all(
      ['nobody1234/turns', `${sessionId}/turns?cursor=x`, `${sessionId}/turns?limit=0`].map((path) =>
        server.get(`/sessions/${path}`),
      ),
    );
    expect(answers.map(({ status, body }) => [status, body.detail.error.code])).toEqual([
      [404, 'session_not_found'],
      [400, 'invalid_cursor'],
      [422, 'validation_error'],
    ]);
  });
});
