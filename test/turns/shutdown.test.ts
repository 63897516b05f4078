// The server stops while turns run: they may finish for a while, then they are closed with what they have.
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { tokens } from '../fake-ollama/chat-script.ts';
import { gateAfter, script } from '../fake-ollama/script-modifiers.ts';
import { useGates } from '../support/gates.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { askedOf, behave, spoken } from './behave.ts';
import { closingOf, expectWhole, isNamed, isPhase, readUntil, watchAll, watchTurn } from './watching.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  server.ollama.setDefault(behave);
});
afterAll(() => server.close());

const gates = useGates();

async function open(sessionId: string, message: string, reached = isNamed('content_delta')) {
  const stream = await server.stream(`/chat/${sessionId}/stream`, { message });
  const seen = await readUntil(stream, reached);
  return { seen, stream, turnId: stream.headers.get('x-turn-id') ?? '' };
}

const textsOf = async (sessionId: string) =>
  (await server.messages(sessionId)).map(
    ({ content, status }) => `${content}${status === 'partial' ? '…' : ''}`,
  );

describe('a stop with turns under way', () => {
  it('lets them finish within the grace time', async () => {
    await server.restart({ shutdownGraceSeconds: 10 });
    const sessionId = await server.createSession();
    const gate = gates.make();
    server.ollama.reply(script(tokens(50), gateAfter(1, gate.opened)));
    const { seen, stream, turnId } = await open(sessionId, 'Speak');
    const [queued, watch, plain] = [
      await open(sessionId, 'Waiting', isPhase('queued')),
      await watchTurn(server, turnId),
      server.post(`/chat/${sessionId}`, { message: 'Waiting too' }),
    ];
    await expect
      .poll(async () => (await server.get(`/sessions/${sessionId}/turns`)).body.turns.length)
      .toBe(3);
    const restarted = server.restart();
    gate.open();
    const events = [...seen, ...(await stream.all())];
    expectWhole(events);
    expect(events.at(-1)?.data.state).toBe('completed');
    expect(await watch.all()).toEqual(events);
    expect((await queued.stream.all()).at(-1)?.data.state).toBe('completed');
    expect((await plain).status).toBe(200);
    await restarted;
    expect(await textsOf(sessionId)).toEqual([
      'Speak',
      spoken(50),
      'Waiting',
      'Fine.',
      'Waiting too',
      'Fine.',
    ]);
  });

  it('then closes them as interrupted: parts and messages are kept, everyone is told', async () => {
    await server.restart({ shutdownGraceSeconds: 0.1 });
    const sessionId = await server.createSession();
    const silentId = await server.createSession();
    const speaking = await open(sessionId, 'hang 3', ({ data }) => data.content === 't2 ');
    const queued = await open(sessionId, 'Waiting', isPhase('queued'));
    const plain = server.post(`/chat/${silentId}`, { message: 'mute' });
    await server.ollama.waitForRequest('/api/chat', (request) => askedOf(request) === 'mute');
    const watch = await watchTurn(server, speaking.turnId);
    const restarted = server.restart();

    const events = [...speaking.seen, ...(await speaking.stream.all())];
    expectWhole(events);
    expect(await watch.all()).toEqual(events);
    for (const list of [events, await queued.stream.all()]) {
      expect(closingOf(list)).toMatchObject([
        { event: 'error', data: { code: 'turn_interrupted' } },
        { event: 'done', data: { state: 'interrupted' } },
      ]);
    }
    const answer = await plain;
    expect([answer.status, answer.body.detail.error.code]).toEqual([503, 'turn_interrupted']);
    await restarted;

    expect(await textsOf(sessionId)).toEqual(['hang 3', `${spoken(3)}…`, 'Waiting']);
    expect(await textsOf(silentId)).toEqual(['mute']);
    const turns = [speaking.turnId, queued.turnId, answer.headers.get('x-turn-id')];
    for (const turnId of turns) {
      expect((await server.get(`/turns/${turnId}`)).body).toMatchObject({
        state: 'interrupted',
        error: { code: 'turn_interrupted' },
      });
    }
    expect((await watchAll(server, speaking.turnId)).at(-1)).toEqual(events.at(-1));
    expect((await server.get(`/sessions/${sessionId}`)).body.active_turn).toBeNull();
    // The message that never ran is answered when somebody asks.
    await server.chat(sessionId, { message: null });
    expect((await textsOf(sessionId)).at(-1)).toBe('Fine.');
  });

  it('closes the connections to the engine', async () => {
    const sessionId = await server.createSession();
    const message = 'mute until the stop';
    const { stream } = await open(sessionId, message, isNamed('status'));
    const isOurs = (request: Parameters<typeof askedOf>[0]) => askedOf(request) === message;
    await server.ollama.waitForRequest('/api/chat', isOurs);
    await server.restart();
    expect((await stream.all()).at(-1)?.data.state).toBe('interrupted');
    await server.ollama.waitForAbort(isOurs);
  });

  it('holds no connection of a watcher whose turn has ended', async () => {
    // Far longer than the test may take.
    await server.restart({ shutdownGraceSeconds: 3600 });
    const sessionId = await server.createSession();
    const { turn_id: turnId } = (await server.chat(sessionId, { message: 'Hello' })).body;
    const watch = await watchTurn(server, turnId);
    await server.restart({ shutdownGraceSeconds: 0.1 });
    expectWhole(await watch.all());
  });

  it('never runs a request that it was still accepting', async () => {
    const sessionId = await server.createSession();
    // The server does not know the model yet, and the engine is slow to tell.
    await server.restart({ engineInfoTimeoutSeconds: 3 });
    server.ollama.fault('/api/tags', 'mute');
    onTestFinished(() => server.ollama.fault('/api/tags', null));
    const asked = server.ollama.requestsTo('/api/tags').length;
    const answer = server.post(`/chat/${sessionId}`, { message: 'Just in time' }).catch(() => null);
    await expect.poll(() => server.ollama.requestsTo('/api/tags').length).toBe(asked + 1);
    await server.restart({ shutdownGraceSeconds: 0.1 });
    // A connection that was cut has acknowledged nothing.
    expect((await answer)?.status ?? 503).toBe(503);
    const { turns } = (await server.get(`/sessions/${sessionId}/turns`)).body;
    expect(turns.filter(({ state }: any) => state !== 'interrupted')).toEqual([]);
    expect(server.ollama.requestsTo('/api/chat').map(askedOf)).not.toContain('Just in time');
    expect((await server.get(`/sessions/${sessionId}`)).body.active_turn).toBeNull();
  });
});
