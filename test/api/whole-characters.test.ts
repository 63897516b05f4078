// What is stored is what was answered, also where an engine sends halves of characters; errors are cut between them.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ChatScript, httpError, text, thinking } from '../fake-ollama/chat-script.ts';
import { errorAfter, script } from '../fake-ollama/script-modifiers.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { watchAll } from '../turns/watching.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

async function stream(reply: ChatScript, body: Record<string, unknown> = {}) {
  const sessionId = await server.createSession({ model: 'qwen3:14b' });
  server.ollama.reply(reply);
  const answer = await server.stream(`/chat/${sessionId}/stream`, { message: 'Hello', ...body });
  const turnId = answer.headers.get('x-turn-id') ?? '';
  return { sessionId, turnId, events: await answer.all() };
}

it.each([
  ['a character in two pieces', ['Hi \ud83d', '\ude00!'], 'Hi 😀!'],
  ['a half that never gets the other one', ['Hi \ud83d', ' there'], 'Hi \ufffd there'],
  ['halves in the wrong order', ['\ude00\ud83d'], '\ufffd\ufffd'],
  ['a half at the very end', ['Hi \ud83d'], 'Hi \ufffd'],
])('%s is answered as it is stored', async (_what, pieces, expected) => {
  for (const kind of ['content', 'thinking'] as const) {
    const reply = kind === 'content' ? text(...pieces) : thinking(pieces, ['Fine.']);
    const { sessionId, turnId, events } = await stream(reply, { think: kind === 'thinking' });
    const deltas = events.filter(({ event }) => event === `${kind}_delta`).map(({ data }) => data.content);
    expect(deltas.join('')).toBe(expected);
    expect(deltas.every((delta) => delta.isWellFormed())).toBe(true);
    const complete = events.find(({ event }) => event === 'message_complete');
    expect(complete?.data.message[kind]).toBe(expected);
    expect((await server.messages(sessionId)).at(-1)[kind]).toBe(expected);
    await server.restart();
    expect((await watchAll(server, turnId)).find(({ event }) => event === 'message_complete')).toEqual(
      complete,
    );
  }
});

it('an error is cut between characters, wherever the limit falls', async () => {
  const faces = '😀'.repeat(2000);
  for (const words of [faces, `x${faces}`]) {
    for (const reply of [httpError(500, words), script(text('Half'), errorAfter(1, words))]) {
      const { turnId, events } = await stream(reply);
      const error = events.find(({ event }) => event === 'error')?.data;
      expect(error.message).toContain('😀');
      expect(error.message.isWellFormed()).toBe(true);
      expect((await server.get(`/turns/${turnId}`)).body.error).toEqual(error);
    }
  }
});

it('a name that an error repeats is cut between characters', async () => {
  for (const name of ['😀'.repeat(300), `x${'😀'.repeat(300)}`]) {
    const { body } = await server.get(`/models/${encodeURIComponent(name)}`);
    const { message, details } = body.detail.error;
    expect([message.isWellFormed(), details.model.isWellFormed()]).toEqual([true, true]);
  }
});
