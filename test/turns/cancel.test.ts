// Stopping a turn wherever it is: the engine hears of it at once, the part is kept, everyone is told.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StreamedEvent } from '../support/read-events.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { askedOf, behave, spoken } from './behave.ts';
import {
  closingOf,
  expectWhole,
  isNamed,
  isPhase,
  readUntil,
  untilIdle,
  watchAll,
  watchTurn,
} from './watching.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  server.ollama.setDefault(behave);
  await server.chat(await server.createSession(), { message: 'The model is loaded now' });
});
afterAll(() => server.close());

interface Moment {
  readonly message: string;
  readonly options?: Record<string, unknown>;
  /** The turn is there when it has told this. */
  readonly reached: (event: StreamedEvent) => boolean;
  /** Requests to the engine by then; the last one is to be closed. */
  readonly calls: number;
  /** Role and text of the path then. */
  readonly path: readonly (readonly [string, string, string])[];
}

const moments: [string, Moment][] = [
  [
    'loading',
    {
      message: 'Load for me',
      // Another window makes the engine load anew.
      options: { num_ctx: 5000 },
      reached: isPhase('loading_model'),
      calls: 1,
      path: [['user', 'Load for me', 'complete']],
    },
  ],
  [
    'evaluating the prompt',
    {
      message: 'mute',
      reached: isPhase('evaluating_prompt'),
      calls: 1,
      path: [['user', 'mute', 'complete']],
    },
  ],
  [
    'streaming',
    {
      message: 'hang 3',
      reached: ({ data }) => data.content === 't2 ',
      calls: 1,
      path: [
        ['user', 'hang 3', 'complete'],
        ['assistant', spoken(3), 'partial'],
      ],
    },
  ],
  [
    'between tool and next word',
    {
      message: 'tool mute',
      reached: isNamed('tool_continuation_start'),
      calls: 2,
      path: [
        ['user', 'tool mute', 'complete'],
        ['assistant', '', 'complete'],
        ['tool', expect.stringContaining('not available') as never, 'complete'],
      ],
    },
  ],
  [
    'streaming after a tool',
    {
      message: 'tool hang 2',
      reached: ({ data }) => data.content === 't1 ',
      calls: 2,
      path: [
        ['user', 'tool hang 2', 'complete'],
        ['assistant', '', 'complete'],
        ['tool', expect.stringContaining('not available') as never, 'complete'],
        ['assistant', spoken(2), 'partial'],
      ],
    },
  ],
];

describe.each(moments)('cancel while %s', (name, moment) => {
  it('closes the connection to the engine, and keeps what came', async () => {
    const { calls, message, options, path, reached } = moment;
    const sessionId = await server.createSession();
    const isOurs = (request: Parameters<typeof askedOf>[0]) => askedOf(request) === message;
    const before = server.ollama.requestsTo('/api/chat').length;
    server.ollama.loadDelayMs = 60_000;
    const stream = await server.stream(`/chat/${sessionId}/stream`, { message, ...(options && { options }) });
    const turnId = stream.headers.get('x-turn-id') ?? '';
    const seen = await readUntil(stream, reached);
    const called = () => server.ollama.requestsTo('/api/chat').slice(before);
    await expect.poll(() => called().length).toBe(calls);
    const watching = watchAll(server, turnId);

    const { status, body } = await server.post(`/turns/${turnId}/cancel?wait=true`);
    server.ollama.loadDelayMs = 0;
    expect([status, body.state, body.error.code]).toEqual([200, 'cancelled', 'turn_cancelled']);
    expect(body.finished_at).not.toBeNull();
    await server.ollama.waitForAbort((request) => request === called().at(-1) && isOurs(request));

    const messages = await server.messages(sessionId);
    expect(messages.map(({ role, content, status }) => [role, content, status])).toEqual(path);
    const part = messages.findLast((message) => message.role === 'assistant')?.message_id;
    expect(body.message_id).toBe(part ?? null);

    const all = [...seen, ...(await stream.all())];
    expectWhole(all);
    expect(await watching).toEqual(all);
    expect(body.last_event_id).toBe(all.length);
    expect(closingOf(all)).toMatchObject([
      {
        event: 'error',
        data: {
          code: 'turn_cancelled',
          details: {
            session_id: sessionId,
            turn_id: turnId,
            ...(part !== undefined && { message_id: part }),
          },
        },
      },
      { event: 'done', data: { session_id: sessionId, turn_id: turnId, state: 'cancelled' } },
    ]);
    // Idempotent, and the session is free.
    expect((await server.post(`/turns/${turnId}/cancel`)).body).toEqual(body);
    await server.chat(sessionId, { message: `After ${name}` });
    expect((await server.post(`/turns/${turnId}/cancel?wait=true`)).body).toEqual(body);
  });
});

describe('cancel', () => {
  async function startPlain(sessionId: string, message: string) {
    const answer = server.post(`/chat/${sessionId}`, { message });
    await server.ollama.waitForRequest('/api/chat', (request) => askedOf(request) === message);
    return { answer, turnId: (await server.get(`/sessions/${sessionId}`)).body.active_turn };
  }

  it('answers a waiting plain client 409 with the turn, and the part where there is one', async () => {
    const sessionId = await server.createSession();
    const silent = await startPlain(sessionId, 'mute plainly');
    await server.post(`/turns/${silent.turnId}/cancel`);
    const unanswered = await silent.answer;
    expect([unanswered.status, unanswered.body.detail.error]).toEqual([
      409,
      {
        code: 'turn_cancelled',
        message: expect.any(String),
        details: { session_id: sessionId, turn_id: silent.turnId },
      },
    ]);

    const speaking = await startPlain(sessionId, 'hang 2');
    await expect.poll(async () => (await server.messages(sessionId)).at(-1)?.content).toContain('t0');
    const { body: turn } = await server.post(`/turns/${speaking.turnId}/cancel?wait=true`);
    const { status, body } = await speaking.answer;
    expect([status, body.detail.error.details]).toEqual([
      409,
      { session_id: sessionId, turn_id: speaking.turnId, message_id: turn.message_id },
    ]);
    expect((await server.messages(sessionId)).at(-1)).toMatchObject({
      message_id: turn.message_id,
      content: spoken(2),
      status: 'partial',
    });
  });

  it('without ?wait answers at once; the end follows', async () => {
    const sessionId = await server.createSession();
    const { answer, turnId } = await startPlain(sessionId, 'mute without waiting');
    const { status, body } = await server.post(`/turns/${turnId}/cancel?wait=false`);
    expect(status).toBe(200);
    expect(['running', 'cancelled']).toContain(body.state);
    await answer;
    expect((await server.get(`/turns/${turnId}`)).body.state).toBe('cancelled');
  });

  it('leaves an ended turn as it ended', async () => {
    const sessionId = await server.createSession();
    const completed = (await server.chat(sessionId, { message: 'Hello' })).body.turn_id;
    const failed = (await server.post(`/chat/${sessionId}`, { message: 'fail 1' })).headers.get('x-turn-id');
    for (const wait of ['', '?wait=true']) {
      expect((await server.post(`/turns/${completed}/cancel${wait}`)).body.state).toBe('completed');
      expect((await server.post(`/turns/${failed}/cancel${wait}`)).body.state).toBe('failed');
    }
    await server.restart();
    expect((await server.post(`/turns/${completed}/cancel?wait=true`)).body.state).toBe('completed');
  });

  it('cannot hit a later turn of the session', async () => {
    const sessionId = await server.createSession();
    const { turn_id: earlier } = (await server.chat(sessionId, { message: 'Hello' })).body;
    const answer = server.post(`/chat/${sessionId}`, { message: 'pace 20' });
    await server.ollama.waitForRequest('/api/chat', (request) => askedOf(request) === 'pace 20');
    await server.post(`/turns/${earlier}/cancel?wait=true`);
    expect((await answer).body.message.content).toBe(spoken(20));
  });

  it('by session: stops the turn that holds it, 404 when none does', async () => {
    const sessionId = await server.createSession();
    const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'hang 1' });
    await readUntil(stream, isNamed('content_delta'));
    const next = server.post(`/chat/${sessionId}`, { message: 'And me?' });
    await expect
      .poll(async () => (await server.get(`/sessions/${sessionId}/turns`)).body.turns.length)
      .toBe(2);
    const { status, body } = await server.post(`/chat/${sessionId}/cancel?wait=true`);
    expect([status, body.turn_id, body.state]).toEqual([200, stream.headers.get('x-turn-id'), 'cancelled']);
    expect((await next).body.message.content).toBe('Fine.');
    const idle = await server.post(`/chat/${sessionId}/cancel`);
    expect([idle.status, idle.body.detail.error.code]).toEqual([404, 'no_active_turn']);
    const unknown = await server.post('/chat/nobody1234/cancel');
    expect([unknown.status, unknown.body.detail.error.code]).toEqual([404, 'session_not_found']);
  });

  it.each(['/turns/TURN/cancel?wait=perhaps', '/chat/SESSION/cancel?wait=perhaps'])(
    '422 for %s',
    async (path) => {
      const sessionId = await server.createSession();
      const { turn_id: turnId } = (await server.chat(sessionId, { message: 'Hello' })).body;
      const { status } = await server.post(path.replace('TURN', turnId).replace('SESSION', sessionId));
      expect(status).toBe(422);
    },
  );

  it('many at once are one', async () => {
    const sessionId = await server.createSession();
    const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'hang 2' });
    const turnId = stream.headers.get('x-turn-id') ?? '';
    await readUntil(stream, isNamed('content_delta'));
    const watch = await watchTurn(server, turnId);
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => server.post(`/turns/${turnId}/cancel?wait=true`)),
    );
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expectWhole(await watch.all());
    await untilIdle(server, sessionId);
  });
});
