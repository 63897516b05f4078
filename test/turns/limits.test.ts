// The whole server has a limit: turns beyond it wait, sessions take turns, and past the queue it says so.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { askedOf, behave } from './behave.ts';
import { expectWhole, isNamed, isPhase, phasesOf, readUntil } from './watching.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ config: { maxConcurrentTurns: 2, maxQueuedTurns: 4 } });
  server.ollama.setDefault(behave);
});
beforeEach(() => {
  server.ollama.requests.length = 0;
});
// A place that a failed test left taken would fail the others.
afterEach(() => Promise.all(opened.splice(0).map((turnId) => cancel(turnId))));
afterAll(() => server.close());

const opened: string[] = [];

async function open(sessionId: string, message: string, reached: 'speaking' | 'queued') {
  const stream = await server.stream(`/chat/${sessionId}/stream`, { message });
  const turnId = stream.headers.get('x-turn-id') ?? '';
  opened.push(turnId);
  const seen = await readUntil(stream, reached === 'queued' ? isPhase('queued') : isNamed('content_delta'));
  return { stream, turnId, rest: async () => [...seen, ...(await stream.all())] };
}

const sessions = (count: number) => Promise.all(Array.from({ length: count }, () => server.createSession()));
const cancel = (turnId: string) => server.post(`/turns/${turnId}/cancel?wait=true`);
const asked = () => server.ollama.requestsTo('/api/chat').map(askedOf);

describe('more turns than places', () => {
  it('wait, whatever their session, and run when a place is free', async () => {
    const [one = '', two = '', three = ''] = await sessions(3);
    const first = await open(one, 'hang 1', 'speaking');
    const second = await open(two, 'hang 2', 'speaking');
    const third = await open(three, 'Third', 'queued');
    expect((await server.get(`/turns/${third.turnId}`)).body.state).toBe('queued');
    expect((await server.get(`/sessions/${three}`)).body.active_turn).toBe(third.turnId);
    expect(asked()).toEqual(['hang 1', 'hang 2']);
    await cancel(second.turnId);
    const events = await third.rest();
    expectWhole(events);
    expect(phasesOf(events)).toEqual([
      'queued',
      expect.stringMatching(/^(loading_model|evaluating_prompt)$/),
      'generating',
    ]);
    expect((await server.get(`/turns/${first.turnId}`)).body.state).toBe('running');
    await cancel(first.turnId);
  });

  it('sessions take turns: a busy one does not starve the others', async () => {
    const [busy = '', other = '', another = '', holder = ''] = await sessions(4);
    const held = await open(holder, 'hang 1', 'speaking');
    const running = await open(busy, 'hang 2', 'speaking');
    const waiting = [
      await open(busy, 'busy 2', 'queued'),
      await open(busy, 'busy 3', 'queued'),
      await open(other, 'other 1', 'queued'),
      await open(another, 'another 1', 'queued'),
    ];
    await cancel(running.turnId);
    for (const { rest } of waiting) expectWhole(await rest());
    expect(asked()).toEqual(['hang 1', 'hang 2', 'other 1', 'another 1', 'busy 2', 'busy 3']);
    await cancel(held.turnId);
  });

  it('a cancelled one leaves at once, and takes no place', async () => {
    const [one = '', two = '', three = '', four = ''] = await sessions(4);
    const running = [await open(one, 'hang 1', 'speaking'), await open(two, 'hang 2', 'speaking')];
    const leaving = await open(three, 'Leaving', 'queued');
    const staying = await open(four, 'Staying', 'queued');
    expect((await cancel(leaving.turnId)).body.state).toBe('cancelled');
    expectWhole(await leaving.rest());
    // Its session is free: what it was asked is there at once, without a slot.
    await expect
      .poll(async () => (await server.messages(three)).map(({ content }) => content))
      .toEqual(['Leaving']);
    for (const { turnId } of running) await cancel(turnId);
    expect((await staying.rest()).at(-1)?.data.state).toBe('completed');
    expect(asked()).not.toContain('Leaving');
    await Promise.all([three, four, one].map((sessionId) => server.chat(sessionId, { message: 'Again' })));
  });

  it('can be changed while they wait only by what needs no idle session', async () => {
    const [one = '', two = '', three = ''] = await sessions(3);
    const running = [await open(one, 'hang 1', 'speaking'), await open(two, 'hang 2', 'speaking')];
    const queued = await open(three, 'Waiting', 'queued');
    const refused = await server.request('PUT', `/sessions/${three}/system-prompt`, { content: 'Be brief.' });
    expect([refused.status, refused.body.detail.error.details.turn_id]).toEqual([409, queued.turnId]);
    const patched = await server.request('PATCH', `/sessions/${three}`, { model: 'qwen3:14b' });
    expect(patched.status).toBe(200);
    for (const { turnId } of running) await cancel(turnId);
    // It begins with the settings of the moment in which it begins.
    const complete = (await queued.rest()).find(isNamed('message_complete'));
    expect(complete?.data.model).toBe('qwen3:14b');
  });
});

describe('more turns than the queue holds', () => {
  it('503 overloaded with retry-after on both routes, nothing is stored, and later it is fine', async () => {
    const all = await sessions(6);
    const running = await Promise.all(
      all.slice(0, 2).map((sessionId, index) => open(sessionId, `hang ${index + 1}`, 'speaking')),
    );
    const waiting = await Promise.all(all.slice(2).map((sessionId) => open(sessionId, 'Waiting', 'queued')));
    const refused = await server.createSession();
    for (const [sessionId, path] of [
      [refused, ''],
      [refused, '/stream'],
      [all[0], ''],
      [all[2], '/stream'],
    ]) {
      const { status, body, headers } = await server.post(`/chat/${sessionId}${path}`, { message: 'Me too' });
      expect([status, body.detail.error.code]).toEqual([503, 'overloaded']);
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    }
    expect(await server.messages(refused)).toEqual([]);
    expect((await server.get(`/sessions/${refused}/turns`)).body.turns).toEqual([]);
    // Reading, watching and stopping go on.
    expect((await server.get('/sessions')).status).toBe(200);
    for (const { turnId } of running) expect((await cancel(turnId)).status).toBe(200);
    for (const { rest } of waiting) expect((await rest()).at(-1)?.data.state).toBe('completed');
    await server.chat(refused, { message: 'Now' });
    expect(await server.messages(refused)).toHaveLength(2);
  });
});
