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
