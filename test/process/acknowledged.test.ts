// The id that a client was told for its message names that message, also when the message waited in line.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mute, text } from '../fake-ollama/chat-script.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

describe('the message id of turn_start', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server.close());

  it.each(['another text', 'the same text'])(
    'is that of a stored message: %s waits behind a cancelled turn',
    async (second) => {
      const sessionId = await server.createSession();
      server.ollama.requests.length = 0;
      server.ollama.reply(mute(), text('Here.'));
      const holder = await server.stream(`/chat/${sessionId}/stream`, { message: 'the same text' });
      await server.ollama.waitForRequest('/api/chat', ({ rawBody }) => rawBody.includes('the same text'));
      const waiting = await server.stream(`/chat/${sessionId}/stream`, { message: second });
      const { value: started } = await waiting.events.next();
      expect(started).toMatchObject({ event: 'turn_start', data: { user_message_id: expect.any(String) } });
      await server.post(`/turns/${holder.headers.get('x-turn-id')}/cancel`);
      expect((await waiting.all()).at(-1)).toMatchObject({ data: { state: 'completed' } });

      const messages = await server.messages(sessionId);
      const named = messages.find(({ message_id: id }) => id === started?.data.user_message_id);
      expect(named).toMatchObject({ role: 'user', content: second });
    },
  );
});
