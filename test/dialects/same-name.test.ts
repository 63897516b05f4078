// Many requests at once that name a session which is not there yet: one makes it, all are answered in it.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { text } from '../fake-ollama/chat-script.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { answered, complete, user } from './front-end.ts';

const AT_ONCE = 6;

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  server.ollama.setDefault(text('Fine.'));
});
afterAll(() => server.close());

const questions = Array.from({ length: AT_ONCE }, (_, index) => `Question ${index}`);

async function sessionCount(): Promise<number> {
  return (await server.get('/sessions')).body.sessions.length;
}

it('chats of the AI SDK', async () => {
  const before = await sessionCount();
  const answers = await Promise.all(
    questions.map(async (question) => {
      const messages = [{ id: question, role: 'user', parts: [{ type: 'text', text: question }] }];
      const response = await fetch(`${server.url}/ai/chat`, {
        method: 'POST',
        body: JSON.stringify({ id: 'chat-new', model: 'llama3.2', messages, on_busy: 'queue' }),
      });
      return `${response.status} ${(await response.text()).includes('Fine.')}`;
    }),
  );
  expect(answers).toEqual(questions.map(() => '200 true'));
  expect(await sessionCount()).toBe(before + 1);
});

it('chat completions', async () => {
  const before = await sessionCount();
  const answers = await Promise.all(
    questions.map((question) => complete(server, 'chat:new', { messages: [user(question)] })),
  );
  for (const answer of answers) expect(answered(answer)).toMatchObject({ content: 'Fine.' });
  expect(await sessionCount()).toBe(before + 1);
});
