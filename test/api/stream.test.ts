// The stream as bytes and headers: what a browser and a client of the original rely on.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mute, text, thinking, toolCall } from '../fake-ollama/chat-script.ts';
import { script, split } from '../fake-ollama/script-modifiers.ts';
import type { StreamedEvent } from '../support/read-events.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

/** Events that the original does not know: its clients see the rest as they always did. */
const ADDED = new Set(['turn_start', 'status', 'context', 'snapshot']);

const keysOf = (events: readonly StreamedEvent[], name: string) =>
  Object.keys(events.find(({ event }) => event === name)?.data ?? {}).sort();

describe('the stream', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server.close());

  async function streamAll(body: unknown, settings: Record<string, unknown> = {}) {
    const sessionId = await server.createSession(settings);
    const stream = await server.stream(`/chat/${sessionId}/stream`, body);
    return { sessionId, stream, events: await stream.all() };
  }

  it('has the headers of an event stream', async () => {
    const { stream } = await streamAll({ message: 'Hello' });
    expect(stream.status).toBe(200);
    expect(stream.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(stream.headers.get('cache-control')).toBe('no-store');
    expect(stream.headers.get('x-accel-buffering')).toBe('no');
    expect(stream.headers.get('x-request-id')).toBeTruthy();
    const turnId = stream.headers.get('x-turn-id');
    expect(turnId).toMatch(/^turn_[0-9a-f]{12}$/);
    expect(stream.headers.get('location')).toBe(`/api/v1/turns/${turnId}`);
  });

  it.each(['http://localhost:5173', 'http://127.0.0.1:3000', 'http://[::1]:8080'])(
    'may be read by a page from %s',
    async (origin) => {
      const sessionId = await server.createSession();
      const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'Hello' }, { origin });
      await stream.all();
      expect(stream.headers.get('access-control-allow-origin')).toBe(origin);
      expect(stream.headers.get('access-control-expose-headers')?.toLowerCase()).toContain('x-turn-id');
      expect(stream.headers.get('vary')?.toLowerCase()).toContain('origin');
    },
  );

  it('is refused to a page from elsewhere, before anything is stored', async () => {
    const sessionId = await server.createSession();
    const foreign = { origin: 'https://evil.example' };
    const { status, body } = await server.post(`/chat/${sessionId}/stream`, { message: 'Hello' }, foreign);
    expect([status, body.detail.error.code]).toEqual([403, 'host_not_allowed']);
    expect(await server.messages(sessionId)).toEqual([]);
  });

  it('tells a plain answer in the order and with the payloads of the contract', async () => {
    const { sessionId, stream, events } = await streamAll({ message: 'Hello' });
    expect(events.map(({ id }) => id)).toEqual(events.map((_, index) => index + 1));
    const names = events.map(({ event }) => event);
    expect(names[0]).toBe('turn_start');
    expect(names.indexOf('context')).toBeGreaterThan(0);
    expect(names.indexOf('context')).toBeLessThan(names.indexOf('content_delta'));
    expect(names.filter((name) => !ADDED.has(name))).toEqual([
      'content_delta',
      'content_delta',
      'content_delta',
      'message_complete',
      'done',
    ]);

    const turnId = stream.headers.get('x-turn-id');
    const [user, answer] = await server.messages(sessionId);
    expect(events[0]?.data).toEqual({
      turn_id: turnId,
      session_id: sessionId,
      user_message_id: user.message_id,
    });
    expect(events.filter(({ event }) => event === 'content_delta').map(({ data }) => data)).toEqual([
      { content: 'The capital of France is', role: 'assistant' },
      { content: ' Paris', role: 'assistant' },
      { content: '.', role: 'assistant' },
    ]);
    const complete = events.find(({ event }) => event === 'message_complete')?.data;
    expect(complete).toMatchObject({
      message_id: answer.message_id,
      model: 'llama3.2:latest',
      eval_count: 7,
      prompt_eval_count: 31,
      context_window: { current_window: 8192, usage_tokens: 38, reason: 'initial_setup' },
    });
    const { source_file, tool_name, parent_id, turn_id, status, sibling_count, sibling_index, ...told } =
      answer;
    expect([source_file, tool_name, parent_id, turn_id, status, sibling_count, sibling_index]).toEqual([
      null,
      null,
      user.message_id,
      turnId,
      'complete',
      1,
      0,
    ]);
    expect(complete.message).toEqual(told);
    expect(events.at(-1)?.data).toEqual({ session_id: sessionId, turn_id: turnId, state: 'completed' });
  });

  it('names each change of phase', async () => {
    const { events } = await streamAll({ message: 'Hello' });
    const phases = events.filter(({ event }) => event === 'status').map(({ data }) => data.phase);
    expect(phases.at(-1)).toBe('generating');
    expect(['loading_model', 'evaluating_prompt']).toContain(phases[0]);
  });

  it('tells a round of tools: call and result, then the next answer', async () => {
    server.ollama.reply(toolCall('get_weather', { city: 'Paris' }, { id: 'call_1' }), text('No weather.'));
    const { events } = await streamAll({ message: 'Weather?' });
    const known = events.filter(({ event }) => !ADDED.has(event));
    expect(known.map(({ event }) => event)).toEqual([
      'tool_call',
      'tool_result',
      'tool_continuation_start',
      'content_delta',
      'message_complete',
      'done',
    ]);
    const named = { tool_name: 'get_weather', tool_call_id: 'call_1', call_index: 0 };
    expect(known[0]?.data).toEqual({ ...named, execution_id: null, arguments: { city: 'Paris' } });
    expect(known[1]?.data).toMatchObject({ ...named, success: false });
    expect(known[1]?.data.error).toBe(known[1]?.data.error_message);
    expect(keysOf(events, 'tool_result')).toEqual(
      [
        'call_index',
        'error',
        'error_message',
        'execution_id',
        'result',
        'success',
        'tool_call_id',
        'tool_name',
      ].sort(),
    );
    expect(known[2]?.data).toEqual({ tool_count: 1, message: 'Processing tool results...' });
  });

  it('tells thinking before the text, in pieces of its own', async () => {
    server.ollama.reply(thinking(['Hm', '…'], ['Paris', '.']));
    const { events } = await streamAll({ message: 'Capital?', think: true }, { model: 'qwen3:14b' });
    const known = events.filter(({ event }) => !ADDED.has(event));
    expect(known.map(({ event, data }) => [event, data.content])).toEqual([
      ['thinking_delta', 'Hm'],
      ['thinking_delta', '…'],
      ['content_delta', 'Paris'],
      ['content_delta', '.'],
      ['message_complete', undefined],
      ['done', undefined],
    ]);
    expect(known[0]?.data).toEqual({ content: 'Hm' });
  });

  it('has no delta for an empty answer', async () => {
    server.ollama.reply(text());
    const { events } = await streamAll({ message: 'Nothing.' });
    expect(events.map(({ event }) => event).filter((name) => !ADDED.has(name))).toEqual([
      'message_complete',
      'done',
    ]);
  });

  it('writes frames of LF lines that no text can break out of', async () => {
    const answer = 'a\r\n\ndata: {"x":1}\n\nevent: done\nid: 99\n\n\u2028\u2029\u0000🦙';
    server.ollama.reply(script(text(...Array.from(answer)), split(3)));
    const sessionId = await server.createSession();
    const response = await fetch(`${server.url}/api/v1/chat/${sessionId}/stream`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ message: 'Break out.' }),
    });
    const bytes = await response.text();
    expect(bytes).not.toContain('\r');
    expect(bytes.endsWith('\n\n')).toBe(true);
    const frames = bytes.slice(0, -2).split('\n\n');
    for (const frame of frames) expect(frame).toMatch(/^id: \d+\nevent: [a-z_]+\ndata: \{[^\n]*\}$/);
    const said = frames
      .filter((frame) => frame.includes('\nevent: content_delta\n'))
      .map((frame) => JSON.parse(frame.slice(frame.indexOf('data: ') + 6)).content);
    expect(said.join('')).toBe(answer);
  });

  it('has stored the question before it tells of the turn, and the answer before it tells that', async () => {
    const sessionId = await server.createSession();
    const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'Hello' });
    const seen: Record<string, unknown> = {};
    for await (const { event } of stream.events) {
      if (event !== 'turn_start' && event !== 'message_complete') continue;
      seen[event] = (await server.messages(sessionId)).map(({ role, status }) => `${role} ${status}`);
    }
    expect(seen['turn_start']).toContain('user complete');
    expect(seen['message_complete']).toEqual(['user complete', 'assistant complete']);
  });

  it('opens at once, while the engine is still silent', async () => {
    const sessionId = await server.createSession();
    server.ollama.reply(mute());
    const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'Anybody?' });
    const first = await stream.events.next();
    expect(first.value?.event).toBe('turn_start');
    expect((await server.messages(sessionId)).map(({ content }) => content)).toEqual(['Anybody?']);
    stream.abort();
  });

  it.each([
    ['an unknown session', { id: 'nobody1234', body: { message: 'Hello' } }, 404, 'session_not_found'],
    ['nothing to answer', { body: {} }, 400, 'empty_history'],
    ['a blank message', { body: { message: ' \n' } }, 422, 'validation_error'],
    ['a message that cannot fit', { body: { message: 'x'.repeat(600_000) } }, 400, 'context_overflow'],
  ])('answers plain JSON for %s', async (_name, request, status, code) => {
    const sessionId = 'id' in request ? request.id : await server.createSession();
    const answer = await server.post(`/chat/${sessionId}/stream`, request.body);
    expect(answer.headers.get('content-type')).toContain('application/json');
    expect([answer.status, answer.body.detail.error.code]).toEqual([status, code]);
  });
});
