// A repeated request joins the turn of the first: one turn, one request to the engine, one answer for all.
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { askedOf, behave, spoken } from './behave.ts';
import { collectAnswers } from './collect-answers.ts';
import { expectWhole, isNamed, isPhase, readUntil, textOf } from './watching.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({
    config: { maxConcurrentTurns: 2, maxQueuedTurns: 3, engineInfoTimeoutSeconds: 0.5 },
  });
  server.ollama.setDefault(behave);
});
afterAll(() => server.close());

const key = (name: string) => ({ 'idempotency-key': name });
const callsFor = (message: string) =>
  server.ollama.requestsTo('/api/chat').filter((request) => askedOf(request) === message).length;
const turnsOf = async (sessionId: string) => (await server.get(`/sessions/${sessionId}/turns`)).body.turns;

describe('twenty at once', () => {
  it('plain: one turn, one request to the engine, one answer', async () => {
    const sessionId = await server.createSession();
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => server.post(`/chat/${sessionId}`, { message: 'pace 21' }, key('a'))),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    for (const { body, headers } of answers) {
      expect(body).toEqual(answers[0]?.body);
      expect(headers.get('x-turn-id')).toBe(body.turn_id);
    }
    expect(answers[0]?.body.message.content).toBe(spoken(21));
    expect([callsFor('pace 21'), (await turnsOf(sessionId)).length]).toEqual([1, 1]);
    expect(await server.messages(sessionId)).toHaveLength(2);
  });

  it('streams: one turn, one request to the engine, one list', async () => {
    const sessionId = await server.createSession();
    const streams = await Promise.all(
      Array.from({ length: 20 }, () =>
        server.stream(`/chat/${sessionId}/stream`, { message: 'pace 22' }, key('a')),
      ),
    );
    const lists = await Promise.all(streams.map((stream) => stream.all()));
    expectWhole(lists[0] ?? []);
    for (const events of lists) expect(events).toEqual(lists[0]);
    expect(textOf(lists[0] ?? [])).toBe(spoken(22));
    expect([callsFor('pace 22'), (await turnsOf(sessionId)).length]).toEqual([1, 1]);
  });

  it('also when the first of them was refused: those that waited for it are one', async () => {
    const sessionId = await server.createSession({ model: 'qwen3:14b' });
    const others = await Promise.all(Array.from({ length: 5 }, () => server.createSession()));
    await server.restart();
    // Every place and every seat is taken.
    const stops: (() => void)[] = [];
    for (const [index, other] of others.entries()) {
      const stream = await server.stream(`/chat/${other}/stream`, { message: 'hang 1' });
      await readUntil(stream, index < 2 ? isNamed('content_delta') : isPhase('queued'));
      stops.push(() => stream.abort());
    }
    // The engine is slow to tell of the model, so that all come while the first is being accepted.
    server.ollama.fault('/api/tags', 'mute');
    onTestFinished(() => server.ollama.fault('/api/tags', null));
    const post = () => server.post(`/chat/${sessionId}`, { message: 'Once' }, key('b'));
    const waiting = Array.from({ length: 20 }, post);
    const first = await Promise.race(waiting);
    expect([first.status, first.body.detail.error.code]).toEqual([503, 'overloaded']);
    for (const stop of stops) stop();
    const answers = await Promise.all(waiting);
    const last = await post();
    expect(last.status).toBe(200);
    for (const { status, body } of answers.filter(({ status }) => status !== 503)) {
      expect([status, body]).toEqual([200, last.body]);
    }
    expect([callsFor('Once'), (await turnsOf(sessionId)).length]).toEqual([1, 1]);
  });
});

describe('a repeated request', () => {
  it('while the turn runs: joins it, whatever it says of busy sessions', async () => {
    const sessionId = await server.createSession();
    for (const policy of ['reject', 'interrupt']) {
      const body = { message: `pace 30 ${policy}`, on_busy: policy };
      const first = await server.stream(`/chat/${sessionId}/stream`, body, key(policy));
      const seen = await readUntil(first, isNamed('content_delta'));
      const second = await server.stream(`/chat/${sessionId}/stream`, body, key(policy));
      const all = await second.all();
      expect(all).toEqual([...seen, ...(await first.all())]);
      expect(textOf(all)).toBe(spoken(30));
    }
  });

  it('of a turn that waits in line: waits with it', async () => {
    const sessionId = await server.createSession();
    const holder = await server.stream(`/chat/${sessionId}/stream`, { message: 'hang 1' });
    await readUntil(holder, isNamed('content_delta'));
    const body = { message: 'Patient' };
    const first = await server.stream(`/chat/${sessionId}/stream`, body, key('c'));
    await readUntil(first, isPhase('queued'));
    const second = await server.stream(`/chat/${sessionId}/stream`, body, key('c'));
    expect(second.headers.get('x-turn-id')).toBe(first.headers.get('x-turn-id'));
    holder.abort();
    expect((await second.all()).at(-1)?.data.state).toBe('completed');
    await first.all();
    expect(await turnsOf(sessionId)).toHaveLength(2);
  });

  it('after the end: the same answer, the engine is not asked', async () => {
    const sessionId = await server.createSession();
    const body = { message: 'tool and then answer' };
    const plain = await server.post(`/chat/${sessionId}`, body, key('d'));
    expect(plain.body.tool_calls_executed).toEqual([
      { name: 'look', arguments: { at: 'it' }, success: false },
    ]);
    const again = await server.post(`/chat/${sessionId}`, body, key('d'));
    expect([again.status, again.body]).toEqual([200, plain.body]);
    expect(again.headers.get('location')).toBe(plain.headers.get('location'));
    const stream = await server.stream(`/chat/${sessionId}/stream`, body, key('d'));
    const events = await stream.all();
    const repeated = await server.stream(`/chat/${sessionId}/stream`, body, key('d'));
    expect(await repeated.all()).toEqual(events);
    // Two steps for the plain turn, two for the streamed one: routes do not share keys.
    expect([callsFor(body.message), (await turnsOf(sessionId)).length]).toEqual([4, 2]);
  });

  it('of a failed or a cancelled turn: the same failure', async () => {
    const sessionId = await server.createSession();
    const failed = await server.post(`/chat/${sessionId}`, { message: 'fail 2' }, key('e'));
    expect(failed.status).toBe(502);
    const again = await server.post(`/chat/${sessionId}`, { message: 'fail 2' }, key('e'));
    expect([again.status, again.body]).toEqual([502, failed.body]);
    expect(callsFor('fail 2')).toBe(1);

    const body = { message: 'hang 1 and be cancelled' };
    const answer = server.post(`/chat/${sessionId}`, body, key('f'));
    await server.ollama.waitForRequest('/api/chat', (request) => askedOf(request) === body.message);
    await server.post(`/chat/${sessionId}/cancel?wait=true`);
    const cancelled = await answer;
    expect(cancelled.status).toBe(409);
    const repeated = await server.post(`/chat/${sessionId}`, body, key('f'));
    expect([repeated.status, repeated.body]).toEqual([409, cancelled.body]);
  });

  it('is told apart by session, route and key, and from one without a key', async () => {
    const [one, two] = [await server.createSession(), await server.createSession()];
    const body = { message: 'Told apart' };
    const turnIds = [
      (await server.post(`/chat/${one}`, body, key('g'))).headers.get('x-turn-id'),
      (await server.post(`/chat/${two}`, body, key('g'))).headers.get('x-turn-id'),
      (await server.post(`/chat/${one}`, body, key('G'))).headers.get('x-turn-id'),
      (await server.post(`/chat/${one}/stream`, body, key('g'))).headers.get('x-turn-id'),
      (await server.post(`/chat/${one}`, body)).headers.get('x-turn-id'),
    ];
    expect(new Set(turnIds).size).toBe(5);
  });
});

describe('a key', () => {
  it.each(['', '/stream'])('with another body is refused: /chat/{id}%s', async (path) => {
    const sessionId = await server.createSession();
    const first = await server.post(`/chat/${sessionId}${path}`, { message: 'One' }, key('h'));
    for (const body of [
      { message: 'Two' },
      { message: 'One', think: true },
      { message: 'One', options: { seed: 1 } },
      {},
    ]) {
      const { status, body: refusal } = await server.post(`/chat/${sessionId}${path}`, body, key('h'));
      expect([status, refusal.detail.error.code]).toEqual([422, 'idempotency_mismatch']);
      expect(refusal.detail.error.details.turn_id).toBe(first.headers.get('x-turn-id'));
    }
    expect(await turnsOf(sessionId)).toHaveLength(1);
    // Defaults that are spelled out are no other body.
    const same = { message: 'One', think: false, mode: 'regenerate', on_busy: 'queue' };
    const again = await server.post(`/chat/${sessionId}${path}`, same, key('h'));
    expect(again.headers.get('x-turn-id')).toBe(first.headers.get('x-turn-id'));
  });

  it.each(['', '/stream'])('says nothing about the connection: /chat/{id}%s', async (path) => {
    const sessionId = await server.createSession();
    const turnIds = new Set<string | null>();
    for (const policy of [{}, { on_disconnect: 'continue' }, { on_disconnect: 'cancel' }]) {
      const body = { message: 'One', ...policy };
      const { status, headers } = await server.post(`/chat/${sessionId}${path}`, body, key('c'));
      expect(status).toBe(200);
      turnIds.add(headers.get('x-turn-id'));
    }
    expect(turnIds.size).toBe(1);
  });

  it.each([
    ['cancel', 'continue', 'running'],
    ['continue', 'cancel', 'cancelled'],
  ])('held by %s, then by %s: the last one to leave decides', async (first, last, state) => {
    const { answers, stop } = collectAnswers('POST');
    onTestFinished(stop);
    const sessionId = await server.createSession();
    const send = (policy: string) =>
      server.stream(`/chat/${sessionId}/stream`, { message: 'hang 2', on_disconnect: policy }, key('l'));
    const streams = [await send(first), await send(last)];
    const turnId = streams[0]?.headers.get('x-turn-id');
    for (const stream of streams) await readUntil(stream, isNamed('content_delta'));
    const turn = async () => (await server.get(`/turns/${turnId}`)).body.state;
    for (const [index, stream] of streams.entries()) {
      expect(await turn()).toBe('running');
      stream.abort();
      await expect.poll(() => answers[index]?.destroyed).toBe(true);
    }
    await expect.poll(turn).toBe(state);
    await server.post(`/turns/${turnId}/cancel?wait=true`);
  });

  it('that came with a refused request can be used again', async () => {
    const sessionId = await server.createSession();
    const holder = await server.stream(`/chat/${sessionId}/stream`, { message: 'hang 1' });
    onTestFinished(() => holder.abort());
    await readUntil(holder, isNamed('content_delta'));
    const body = { message: 'Now', on_busy: 'reject' };
    expect((await server.post(`/chat/${sessionId}`, body, key('i'))).status).toBe(409);
    // Its row says that it has ended a moment before its place is given back.
    await server.post(`/turns/${holder.headers.get('x-turn-id')}/cancel?wait=true`);
    expect((await server.post(`/chat/${sessionId}`, body, key('i'))).status).toBe(200);
  });

  it.each(['', '/stream'])('must be short and plain: /chat/{id}%s', async (path) => {
    const sessionId = await server.createSession();
    for (const bad of ['', 'x'.repeat(256), 'two words', 'caf\u00e9', '\t']) {
      const { status, body } = await server.post(`/chat/${sessionId}${path}`, { message: 'Hello' }, key(bad));
      expect([status, body.detail.error.code]).toEqual([422, 'validation_error']);
    }
    expect(await server.messages(sessionId)).toEqual([]);
    const { status } = await server.post(
      `/chat/${sessionId}${path}`,
      { message: 'Hello' },
      key('x'.repeat(255)),
    );
    expect(status).toBe(200);
  });
});
