// A turn that is asked about again and again, by clients to whom a stream only arrives when it has ended.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectError } from '../api/wire-formats.ts';
import { sequence, text } from '../fake-ollama/chat-script.ts';
import { hangAfter, script } from '../fake-ollama/script-modifiers.ts';
import type { StreamedEvent } from '../support/read-events.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { behave } from './behave.ts';
import { expectWhole, isNamed, readUntil, textOf, watchTurn } from './watching.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  server.ollama.setDefault(behave);
});
afterAll(() => server.close());

const poll = (turnId: string, after?: number) =>
  watchTurn(server, turnId, { follow: false, ...(after !== undefined && { after }) });

async function begin(message: string): Promise<{ sessionId: string; turnId: string }> {
  const sessionId = await server.createSession();
  const body = { message, on_disconnect: 'continue' };
  const stream = await server.stream(`/chat/${sessionId}/stream`, body);
  const turnId = stream.headers.get('x-turn-id') ?? '';
  await readUntil(stream, isNamed('content_delta'));
  stream.abort();
  return { sessionId, turnId };
}

describe('GET /turns/{id}/stream?follow=false', () => {
  it('is what there is, then ends, while the turn goes on', async () => {
    server.ollama.reply(script(sequence(text('Once upon'), text(' a time')), hangAfter(1)));
    const { turnId } = await begin('Tell me');
    const watch = await poll(turnId);
    expect([watch.status, watch.headers.get('content-type')]).toEqual([
      200,
      'text/event-stream; charset=utf-8',
    ]);
    const events = await watch.all();
    expect([events[0]?.event, textOf(events)]).toEqual(['turn_start', 'Once upon']);
    // Nothing new: an empty stream, and not the end.
    const next = await poll(turnId, events.at(-1)?.id);
    expect([next.status, await next.all()]).toEqual([200, []]);
    expect((await server.get(`/turns/${turnId}`)).body.state).toBe('running');
    await server.post(`/turns/${turnId}/cancel?wait=true`);
  });

  it('tells a turn whole to who asks until nothing is left, in order, each event once', async () => {
    const { turnId } = await begin('tool pace 5');
    const seen: StreamedEvent[] = [];
    for (;;) {
      const watch = await poll(turnId, seen.at(-1)?.id ?? 0);
      seen.push(...(await watch.all()));
      if (watch.status === 204) break;
    }
    expectWhole(seen);
  });

  it('goes on after a restart: a snapshot and the end, then 204', async () => {
    const { sessionId, turnId } = await begin('Hello');
    await server.post(`/turns/${turnId}/cancel?wait=true`);
    const last = (await server.get(`/sessions/${sessionId}/turns`)).body.turns[0].last_event_id;
    await server.restart();
    const events = await (await poll(turnId, 1)).all();
    expect([events[0]?.event, events.at(-1)?.event, events.at(-1)?.id]).toEqual(['snapshot', 'done', last]);
    expect((await poll(turnId, last)).status).toBe(204);
  });

  it.each(['no', '0', '', '2'])('refuses follow=%s', async (follow) => {
    const { turnId } = await begin('Hello');
    const answer = await server.get(`/turns/${turnId}/stream?follow=${follow}`);
    expect(expectError(answer, 422, 'validation_error')).toMatchObject({ errors: [{ path: '/follow' }] });
  });
});

describe('POST /chat/{id}/stream?follow=false', () => {
  const ask = (sessionId: string, body: object, key = '') =>
    server.stream(
      `/chat/${sessionId}/stream?follow=false`,
      body,
      key === '' ? {} : { 'idempotency-key': key },
    );

  it('accepts the turn, tells its id and what there is, and leaves it going', async () => {
    const sessionId = await server.createSession();
    const stream = await ask(sessionId, { message: 'tool pace 5' });
    const turnId = stream.headers.get('x-turn-id') ?? '';
    const seen = await stream.all();
    expect([stream.status, seen[0]?.event, seen[0]?.data.turn_id]).toEqual([200, 'turn_start', turnId]);
    for (;;) {
      const watch = await poll(turnId, seen.at(-1)?.id ?? 0);
      seen.push(...(await watch.all()));
      if (watch.status === 204) break;
    }
    expectWhole(seen);
    expect((await server.get(`/turns/${turnId}`)).body.state).toBe('completed');
  });

  it('asked again with its key tells what there is by then, of the same turn', async () => {
    const sessionId = await server.createSession();
    server.ollama.reply(script(sequence(text('Once upon'), text(' a time')), hangAfter(1)));
    const first = await ask(sessionId, { message: 'Tell me' }, 'once');
    const turnId = first.headers.get('x-turn-id') ?? '';
    await first.all();
    const watch = await watchTurn(server, turnId);
    await readUntil(watch, isNamed('content_delta'));
    const again = await ask(sessionId, { message: 'Tell me' }, 'once');
    expect([again.headers.get('x-turn-id'), textOf(await again.all())]).toEqual([turnId, 'Once upon']);
    expect((await server.get(`/turns/${turnId}`)).body.state).toBe('running');
    watch.abort();
    await server.post(`/turns/${turnId}/cancel?wait=true`);
  });

  it('refuses to be cancelled by its own end', async () => {
    const sessionId = await server.createSession();
    const body = { message: 'Hello', on_disconnect: 'cancel' };
    const answer = await server.post(`/chat/${sessionId}/stream?follow=false`, body);
    expect(expectError(answer, 422, 'validation_error')).toMatchObject({
      errors: [{ path: '/on_disconnect' }],
    });
    expect(await server.messages(sessionId)).toEqual([]);
  });
});
