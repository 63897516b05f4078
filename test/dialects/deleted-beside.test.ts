// A response that is deleted while somebody who goes on from it waits in line: nothing of theirs is on the path yet.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { text } from '../fake-ollama/chat-script.ts';
import { hangAfter, script } from '../fake-ollama/script-modifiers.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ config: { maxConcurrentTurns: 1 } });
});
afterAll(() => server.close());

async function respond(body: object): Promise<string> {
  const response = await fetch(`${server.url}/v1/responses`, {
    method: 'POST',
    body: JSON.stringify({ model: 'llama3.2', background: true, ...body }),
  });
  const { id, error } = (await response.json()) as { id: string; error: unknown };
  expect([response.status, error]).toEqual([200, null]);
  return id;
}

async function read(id: string): Promise<{ readonly status: string; readonly output_text?: string }> {
  const response = await fetch(`${server.url}/v1/responses/${id}`);
  return { ...((await response.json()) as { readonly status: string }) };
}

const stateOf = async (id: string) => (await read(id)).status;

it('leaves those who wait behind it', async () => {
  server.ollama.reply(
    script(text('Par', 'is.'), hangAfter(1)),
    script(text('Ro', 'me.'), hangAfter(1)),
    text('Berlin.'),
  );
  const first = await respond({ input: 'What is the capital of France?' });
  await expect.poll(() => stateOf(first)).toBe('in_progress');
  // Of another session: it takes the place that becomes free.
  const other = await respond({ input: 'And of Italy?' });
  const behind = await respond({ input: 'And of Germany?', previous_response_id: first });
  const { status } = await fetch(`${server.url}/v1/responses/${first}`, { method: 'DELETE' });
  expect(status).toBe(200);
  await server.ollama.waitForRequest('/api/chat', ({ rawBody }) => rawBody.includes('And of Italy?'));
  await fetch(`${server.url}/v1/responses/${other}/cancel`, { method: 'POST' });
  await expect.poll(() => stateOf(behind)).toBe('completed');
  expect((await fetch(`${server.url}/v1/responses/${first}`)).status).toBe(404);
});
