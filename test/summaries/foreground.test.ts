// A model that answers one request at a time, as Ollama does: work in the background must be gone before a client's
// request comes, or that would have to wait for it.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mute, text } from '../fake-ollama/chat-script.ts';
import { hangAfter, script } from '../fake-ollama/script-modifiers.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { isKind, json, kindOf, requestsOf, summaryOf, titleOf, write } from './writer.ts';

const PATIENT = { timeout: 10_000, interval: 20 };

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({
    config: { summarizationEnabled: true, titlesEnabled: true, summaryMinBillions: 0 },
    ollama: { parallel: 1 },
  });
});
afterAll(() => server.close());

describe('a turn that arrives while the model writes in the background', () => {
  it.each([
    ['and has not said a word', mute()],
    ['and is in the middle of it', script(text('{"title":"Cap', 'ital'), hangAfter(1))],
  ])('%s: that request is closed before the chat is sent, and made again later', async (_what, stuck) => {
    const sessionId = await server.createSession();
    const titlesBefore = requestsOf(server.ollama, 'title').length;
    const titles = () => requestsOf(server.ollama, 'title').slice(titlesBefore);
    const stillOpen: boolean[] = [];
    server.ollama.setDefault(
      write({
        title: () => stuck,
        chat: () => {
          stillOpen.push(titles().some(({ aborted }) => !aborted));
          return text('Yes.');
        },
      }),
    );
    for (const round of [1, 2, 3, 4]) {
      await server.chat(sessionId, { message: `Question ${round}?` });
      await expect.poll(() => titles().length, PATIENT).toBe(round);
    }
    expect(stillOpen).toEqual([false, false, false, false]);
    server.ollama.setDefault(write());
    await server.chat(sessionId, { message: 'The last one?' });
    await expect.poll(() => summaryOf(server, sessionId), PATIENT).toBe('Of 11 messages.');
    expect(await titleOf(server, sessionId)).toBe('Capital of France');
    expect(titles()).toHaveLength(5);
  });

  it('of any session, streamed or not', async () => {
    const [sessionId, otherId] = [await server.createSession(), await server.createSession()];
    server.ollama.setDefault(write({ summary: mute }));
    await server.chat(sessionId, { message: 'Hello' });
    const before = requestsOf(server.ollama, 'summary').length;
    await expect.poll(() => requestsOf(server.ollama, 'summary').length, PATIENT).toBe(before + 1);
    const stream = await server.stream(`/chat/${otherId}/stream`, { message: 'Hello' });
    expect((await stream.all()).at(-1)?.data.state).toBe('completed');
    expect(requestsOf(server.ollama, 'summary')[before]?.aborted).toBe(true);
    server.ollama.setDefault(write());
    await server.chat(otherId, { message: 'Bye' });
    await expect.poll(() => summaryOf(server, sessionId), PATIENT).not.toBeNull();
  });

  it('and is refused lets it begin again', async () => {
    const sessionId = await server.createSession({ model: 'tiny' });
    server.ollama.setDefault(write({ summary: mute }));
    await server.chat(sessionId, { message: 'Hello' });
    const before = requestsOf(server.ollama, 'summary').length;
    await expect.poll(() => requestsOf(server.ollama, 'summary').length, PATIENT).toBe(before + 1);
    server.ollama.setDefault(write({ summary: () => json({ summary: 'Second.', topics: [] }) }));
    const refused = await server.post(`/chat/${sessionId}`, { message: 'why '.repeat(40_000) });
    expect(refused.body.detail.error.code).toBe('context_overflow');
    await expect.poll(() => summaryOf(server, sessionId), PATIENT).toBe('Second.');
    expect(server.ollama.requestsTo('/api/chat').filter(isKind('summary')).at(-1)?.aborted).toBe(false);
  });

  it('reads nothing that was read before: nobody loads the model anew', () => {
    expect(server.ollama.reloads).toEqual({});
    expect(server.ollama.requestsTo('/api/chat').some(({ body }) => kindOf(body) === 'title')).toBe(true);
  });
});
