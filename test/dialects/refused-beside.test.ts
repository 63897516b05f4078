// Two requests that name a session which is not there yet: one makes it and is refused, the other is answered.
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { text } from '../fake-ollama/chat-script.ts';
import { HeldDisk } from '../support/held-disk.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { answered, complete, user } from './front-end.ts';

describe.skipIf(process.platform === 'darwin')('a session by a name', () => {
  const disk = new HeldDisk();
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ disk });
  });
  afterAll(() => server.close());

  /** Both find the session made and not yet on the disk: the second is accepted before the first is refused. */
  async function together<T>(ask: (message: string) => Promise<T>): Promise<readonly [T, T]> {
    server.ollama.setDefault(text('Fine.'));
    disk.hold();
    const begun = disk.syncs;
    const refused = ask('One '.repeat(200_000));
    await disk.began(begun + 1);
    const kept = ask('Two');
    // Until it has found the name; where it has not, it makes no difference.
    await setTimeout(300);
    disk.release();
    return Promise.all([refused, kept]);
  }

  it('stays where somebody has said something in it, though who made it is refused', async () => {
    const [refused, kept] = await together((message) =>
      complete(server, 'chat:1', { messages: [user(message)] }),
    );
    expect(refused.status).toBe(400);
    expect(answered(kept)).toMatchObject({ content: 'Fine.' });
    const messages = await server.messages(kept.sessionId ?? '');
    expect(messages.map(({ content }) => content)).toEqual(['Two', 'Fine.']);
  });

  it('stays in a chat of the AI SDK, too', async () => {
    const [refused, kept] = await together(async (message) => {
      const messages = [{ id: message.slice(0, 3), role: 'user', parts: [{ type: 'text', text: message }] }];
      const response = await fetch(`${server.url}/ai/chat`, {
        method: 'POST',
        body: JSON.stringify({ id: 'chat-2', model: 'llama3.2', messages, on_busy: 'queue' }),
      });
      return { status: response.status, body: await response.text() };
    });
    expect(refused.status).toBe(400);
    expect(kept.body).toContain('Fine.');
    const chat = (await (await fetch(`${server.url}/ai/chat/chat-2`)).json()) as { messages: unknown[] };
    expect(chat.messages).toHaveLength(2);
  });
});
