// Messages of a session are dated in the order in which they stand in it.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { toolCall } from '../fake-ollama/chat-script.ts';
import { firstTokenMs, script } from '../fake-ollama/script-modifiers.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { behave } from './behave.ts';
import { isNamed, readUntil, untilIdle } from './watching.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  server.ollama.setDefault(behave);
});
afterAll(() => server.close());

it('also a message that waited while the one before it was answered in several steps', async () => {
  const sessionId = await server.createSession();
  server.ollama.reply(script(toolCall('look', {}), firstTokenMs(500)));
  const first = await server.stream(`/chat/${sessionId}/stream`, { message: 'Look' });
  await readUntil(first, ({ data }) => data.phase !== undefined);
  // Accepted now, and on the path after an answer that is yet to begin.
  const second = await server.stream(`/chat/${sessionId}/stream`, { message: 'Me too' });
  await readUntil(second, isNamed('turn_start'));
  await Promise.all([first.all(), second.all()]);
  await untilIdle(server, sessionId);
  const messages = await server.messages(sessionId);
  expect(messages.at(-2)).toMatchObject({ role: 'user', content: 'Me too' });
  const times = messages.map(({ timestamp }) => timestamp);
  expect(times.every((time, index) => index === 0 || times[index - 1] <= time)).toBe(true);
});

it('the time that a stream tells of an answer is the one that is stored', async () => {
  const sessionId = await server.createSession();
  const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'tool pace 3' });
  const told = (await stream.all()).flatMap(({ data }) => (data.phase === 'generating' ? [data] : []));
  const stored = await server.messages(sessionId);
  expect(told).toHaveLength(2);
  for (const { message_id: id, timestamp } of told) {
    expect(stored.find((message) => message.message_id === id).timestamp).toBe(timestamp);
  }
});
