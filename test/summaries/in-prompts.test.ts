// A summary stands in the prompt for what is left out of it, and changes only when the prompt breaks anyway.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { text } from '../fake-ollama/chat-script.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

let server: TestServer;
beforeAll(async () => {
  const models = [{ name: 'small:latest', capabilities: ['completion'], contextLength: 4096 }];
  server = await startTestServer({ ollama: { models } });
});
afterAll(() => server.close());

const long = 'word '.repeat(400);
const lastPrompt = () => server.ollama.requestsTo('/api/chat').at(-1)?.body?.messages ?? [];

async function chat(sessionId: string, message: string | null = long): Promise<any> {
  server.ollama.reply(text('Fine.'));
  return (await server.chat(sessionId, { message })).body.context;
}

async function summarize(sessionId: string, summary: string): Promise<void> {
  server.ollama.reply(text(JSON.stringify({ summary, topics: [] })));
  expect((await server.post(`/sessions/${sessionId}/summarize`)).status).toBe(200);
}

it('tells what is not shown, and stays as it is until something else has to go', async () => {
  const sessionId = await server.createSession({ model: 'small', system_prompt: 'Be brief.' });
  for (let turn = 0; turn < 3; turn += 1) await chat(sessionId);
  await summarize(sessionId, 'They said word, often.');
  expect((await chat(sessionId)).summary_used).toBe(false);

  let receipt = await chat(sessionId);
  while (receipt.cache_break !== 'left_out') receipt = await chat(sessionId);
  expect(receipt).toMatchObject({ summary_used: true, messages_left_out: expect.any(Number) });
  const [system] = lastPrompt();
  expect(system?.content).toMatch(/^Be brief\.\n\n.+\nThey said word, often\.$/);

  // A newer one waits: it would make the engine read everything anew.
  await summarize(sessionId, 'They went on.');
  receipt = await chat(sessionId, 'Short.');
  expect(receipt).toMatchObject({ summary_used: true, cache_break: null });
  expect(lastPrompt()[0]).toEqual(system);
  while (receipt.cache_break !== 'left_out') receipt = await chat(sessionId);
  expect(lastPrompt()[0]?.content).toContain('They went on.');
});

it('is not told where it is of another branch', async () => {
  const sessionId = await server.createSession({ model: 'small' });
  await chat(sessionId, 'Hello');
  await chat(sessionId, 'On this branch');
  await summarize(sessionId, 'They were on that branch.');
  await server.request('PUT', `/sessions/${sessionId}/messages/2`, { content: 'On another one' });
  let receipt = await chat(sessionId, null);
  while (receipt.messages_left_out === 0) receipt = await chat(sessionId);
  expect(receipt.summary_used).toBe(false);
  expect(JSON.stringify(lastPrompt())).not.toContain('They were');
});
