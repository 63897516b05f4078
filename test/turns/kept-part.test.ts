// What the engine said before it broke is kept, also when the break comes in the same read as the words.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { tokens } from '../fake-ollama/chat-script.ts';
import { cutAfter, errorAfter, lineAfter, script, split } from '../fake-ollama/script-modifiers.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { spoken } from './behave.ts';
import { closingOf, namesOf, textOf } from './watching.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

it.each([
  ['an error line', errorAfter(3, 'CUDA error: out of memory'), 'ollama_error'],
  ['a line that is no JSON', lineAfter(3, '<html>'), 'ollama_error'],
  ['the end without a done', cutAfter(3), 'incomplete_response'],
])('%s', async (_name, broken, code) => {
  const sessionId = await server.createSession();
  server.ollama.reply(script(tokens(5), broken, split('joined')));
  const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'Go' });
  const events = await stream.all();
  expect(closingOf(events)).toMatchObject([
    { event: 'error', data: { code } },
    { event: 'done', data: { state: 'failed' } },
  ]);
  expect(namesOf(events)).not.toContain('message_complete');
  expect(textOf(events)).toBe(spoken(3));
  expect((await server.messages(sessionId)).at(-1)).toMatchObject({ content: spoken(3), status: 'partial' });
});
