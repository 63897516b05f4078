// What may happen to a session while it answers: settings change, and it may be deleted.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tokens } from '../fake-ollama/chat-script.ts';
import { gateAfter, script } from '../fake-ollama/script-modifiers.ts';
import { useGates } from '../support/gates.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { askedOf, behave, spoken } from './behave.ts';
import { closingOf, expectWhole, isNamed, isPhase, readUntil, watchTurn } from './watching.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  server.ollama.setDefault(behave);
});
afterAll(() => server.close());

const gates = useGates();
/** So many tokens, of which the first is followed by nothing until `gates.openAll()`. */
const held = (count: number) => script(tokens(count), gateAfter(1, gates.make().opened));

async function open(sessionId: string, message: string, reached = isNamed('content_delta')) {
  const stream = await server.stream(`/chat/${sessionId}/stream`, { message });
  await readUntil(stream, reached);
  return { stream, turnId: stream.headers.get('x-turn-id') ?? '' };
}

describe('PATCH during a turn', () => {
  it('is applied at once, holds for the next turn, and is not overwritten by the end of this one', async () => {
    const sessionId = await server.createSession();
    server.ollama.reply(held(30));
    const { stream, turnId } = await open(sessionId, 'Speak');
    const patch = {
      model: 'qwen3:14b',
      title: 'Renamed',
      metadata: { colour: 'red' },
      context_window: { manual_override: true, current_window: 4096 },
    };
    const { body: patched } = await server.request('PATCH', `/sessions/${sessionId}`, patch);
    expect(patched).toMatchObject({ ...patch, active_turn: turnId });
    gates.openAll();
    const complete = (await stream.all()).find(isNamed('message_complete'));
    expect(complete?.data).toMatchObject({ model: 'llama3.2:latest', message: { content: spoken(30) } });
    const after = (await server.get(`/sessions/${sessionId}`)).body;
    expect(after).toMatchObject({ ...patch, active_turn: null, message_count: 2 });
    const next = (await server.chat(sessionId, { message: 'And now' })).body;
    expect(next.message.model).toBe('qwen3:14b');
    expect(next.context_window).toMatchObject({ current_window: 4096, reason: 'manual_override' });
  });

  it('of a setting that is refused changes nothing', async () => {
    const sessionId = await server.createSession();
    server.ollama.reply(held(10));
    const { stream } = await open(sessionId, 'Speak');
    const { status } = await server.request('PATCH', `/sessions/${sessionId}`, {
      model: 'nobody',
      title: 'No',
    });
    expect(status).toBe(400);
    gates.openAll();
    expect((await stream.all()).at(-1)?.data.state).toBe('completed');
    expect((await server.get(`/sessions/${sessionId}`)).body).toMatchObject({
      title: null,
      model: 'llama3.2:latest',
    });
  });
});

describe('edit, branch and system prompt during a turn', () => {
  it('409 with the turn; afterwards they are done', async () => {
    const sessionId = await server.createSession();
    await server.chat(sessionId, { message: 'Hello' });
    const [{ message_id: first }] = await server.messages(sessionId);
    const changes = [
      ['PUT', '/messages/0', { content: 'Edited' }],
      ['PUT', '/head', { message_id: first }],
      ['PUT', '/system-prompt', { content: 'Be brief.' }],
      ['DELETE', '/system-prompt', undefined],
    ] as const;
    server.ollama.reply(held(20));
    const { stream, turnId } = await open(sessionId, 'Speak');
    for (const [method, path, body] of changes) {
      const { status, body: refusal } = await server.request(method, `/sessions/${sessionId}${path}`, body);
      expect([status, refusal.detail.error.code]).toEqual([409, 'session_busy']);
      expect(refusal.detail.error.details).toEqual({ session_id: sessionId, turn_id: turnId });
    }
    gates.openAll();
    expect((await stream.all()).at(-1)?.data.state).toBe('completed');
    for (const [method, path, body] of changes) {
      expect((await server.request(method, `/sessions/${sessionId}${path}`, body)).status).toBeLessThan(300);
    }
  });
});

describe('DELETE during a turn', () => {
  it('stops the turn and those in line, tells everyone, and leaves nothing', async () => {
    const sessionId = await server.createSession();
    const running = await open(sessionId, 'hang 1 and be deleted');
    const queued = await open(sessionId, 'Waiting', isPhase('queued'));
    const plain = server.post(`/chat/${sessionId}`, { message: 'Waiting too' });
    await expect
      .poll(async () => (await server.get(`/sessions/${sessionId}/turns`)).body.turns.length)
      .toBe(3);
    const watch = await watchTurn(server, running.turnId);

    expect((await server.request('DELETE', `/sessions/${sessionId}`)).status).toBe(204);
    const isOurs = (request: Parameters<typeof askedOf>[0]) => askedOf(request) === 'hang 1 and be deleted';
    await server.ollama.waitForAbort(isOurs);
    const watched = await watch.all();
    expectWhole(watched);
    for (const events of [watched, await running.stream.all(), await queued.stream.all()]) {
      expect(closingOf(events)).toMatchObject([
        { event: 'error', data: { code: 'turn_cancelled' } },
        { event: 'done', data: { state: 'cancelled' } },
      ]);
    }
    const refused = await plain;
    expect([refused.status, refused.body.detail.error.code]).toEqual([409, 'turn_cancelled']);
    for (const path of [
      `/sessions/${sessionId}`,
      `/sessions/${sessionId}/turns`,
      `/turns/${running.turnId}`,
      `/turns/${running.turnId}/stream`,
      `/turns/${queued.turnId}/stream`,
    ]) {
      expect((await server.get(path)).status).toBe(404);
    }
    expect((await server.post(`/turns/${running.turnId}/cancel`)).status).toBe(404);
  });

  it('leaves no words in memory either: the turns of a deleted session cannot be replayed', async () => {
    const sessionId = await server.createSession();
    const { turn_id: turnId } = (await server.chat(sessionId, { message: 'A secret' })).body;
    await server.request('DELETE', `/sessions/${sessionId}`);
    const { status, body } = await server.get(`/turns/${turnId}/stream`);
    expect([status, body.detail?.error.code]).toEqual([404, 'turn_not_found']);
  });

  it('with a message on its way: 404 for it, or a turn that was stopped; nothing is left', async () => {
    for (let round = 0; round < 5; round += 1) {
      const sessionId = await server.createSession();
      const running = await open(sessionId, 'hang 1');
      const deleted = server.request('DELETE', `/sessions/${sessionId}`);
      const late = server.post(`/chat/${sessionId}`, { message: 'Late' });
      expect((await deleted).status).toBe(204);
      expect([404, 409]).toContain((await late).status);
      expect((await running.stream.all()).at(-1)?.event).toBe('done');
      expect((await server.get(`/sessions/${sessionId}`)).status).toBe(404);
    }
  });
});
