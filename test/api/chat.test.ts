// The seed's flows over real sockets: the plain answer and the stream are one turn.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../support/test-server.ts';

describe('chat', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server.close());

  it("answers in the seed's shape", async () => {
    const sessionId = await server.createSession();
    const { body, headers } = await server.chat(sessionId, { message: 'What is the capital of France?' });
    expect(body).toMatchObject({
      session_id: sessionId,
      message: {
        role: 'assistant',
        content: 'The capital of France is Paris.',
        model: 'llama3.2:latest',
        eval_count: 7,
        prompt_eval_count: 31,
        tool_calls: null,
      },
      tool_calls_executed: [],
      context_window: { current_window: 8192, usage_tokens: 38, reason: 'initial_setup' },
    });
    expect(headers.get('location')).toBe(`/api/v1/turns/${headers.get('x-turn-id')}`);
  });

  it('streams the same turn as events', async () => {
    const sessionId = await server.createSession();
    const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'Hello' });
    const events = await stream.all();
    expect(events.map(({ id }) => id)).toEqual(events.map((_, index) => index + 1));
    expect(events.map(({ event }) => event)).toEqual([
      'turn_start',
      'context',
      'status',
      'status',
      'content_delta',
      'content_delta',
      'content_delta',
      'message_complete',
      'done',
    ]);
  });
});
