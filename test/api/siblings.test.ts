// Branches as a switcher shows them: which of how many, what the others say, and to the end of one of them.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { text } from '../fake-ollama/chat-script.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { expectError, TIMESTAMP } from './wire-formats.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

const siblingsOf = (sessionId: string, messageId: string) =>
  server.get(`/sessions/${sessionId}/messages/${messageId}/siblings`);
const setHead = (sessionId: string, body: object) =>
  server.request('PUT', `/sessions/${sessionId}/head`, body);
const contents = async (sessionId: string) =>
  (await server.messages(sessionId)).map(({ content }) => content);

async function say(sessionId: string, message: string | null, answer: string): Promise<string> {
  server.ollama.reply(text(answer));
  return (await server.chat(sessionId, { message })).body.message.message_id;
}

/** u1 → a1, a1', a1''; a1' goes on with u2 → a2, and then a1'' with u3 → a3. */
async function branches(): Promise<{ sessionId: string; ids: Record<string, string> }> {
  const sessionId = await server.createSession({ system_prompt: 'S' });
  await say(sessionId, 'u1', 'a1');
  const second = await say(sessionId, null, "a1'");
  const third = await say(sessionId, null, "a1''");
  await setHead(sessionId, { message_id: second });
  await say(sessionId, 'u2', 'a2');
  await setHead(sessionId, { message_id: third });
  await say(sessionId, 'u3', 'a3');
  const { messages } = (await server.get(`/sessions/${sessionId}/tree`)).body;
  const ids = Object.fromEntries(
    messages.map(({ content, message_id: id }: Record<string, string>) => [content, id]),
  );
  return { sessionId, ids };
}

describe('sibling_index', () => {
  it('says which of its siblings a message is, in lists, in the tree, and on any page of it', async () => {
    const { sessionId } = await branches();
    const expected = {
      S: [1, 0],
      u1: [1, 0],
      a1: [3, 0],
      "a1'": [3, 1],
      "a1''": [3, 2],
      u2: [1, 0],
      a2: [1, 0],
      u3: [1, 0],
      a3: [1, 0],
    };
    const numbersOf = (messages: Record<string, unknown>[]) =>
      Object.fromEntries(
        messages.map((message) => [message['content'], [message['sibling_count'], message['sibling_index']]]),
      );
    const { messages } = (await server.get(`/sessions/${sessionId}/tree`)).body;
    expect(numbersOf(messages)).toEqual(expected);
    expect(expected).toMatchObject(numbersOf(await server.messages(sessionId)));
    let page = (await server.get(`/sessions/${sessionId}/tree?limit=2`)).body;
    const walked = [...page.messages];
    while (page.next_cursor !== null) {
      page = (await server.get(`/sessions/${sessionId}/tree?limit=2&cursor=${page.next_cursor}`)).body;
      walked.push(...page.messages);
    }
    expect(numbersOf(walked)).toEqual(expected);
  });

  it('leaves the system message apart from first messages, also one that was set later', async () => {
    const sessionId = await server.createSession();
    await say(sessionId, 'one', 'answer');
    await server.request('PUT', `/sessions/${sessionId}/system-prompt`, { content: 'Be brief.' });
    await server.request('PUT', `/sessions/${sessionId}/messages/1`, { content: 'two' });
    const { messages } = (await server.get(`/sessions/${sessionId}/tree`)).body;
    const first = messages.filter(({ role }: { role: string }) => role !== 'assistant');
    expect(
      first.map((message: Record<string, unknown>) => [message['content'], message['sibling_index']]),
    ).toEqual([
      ['one', 0],
      ['Be brief.', 0],
      ['two', 1],
    ]);
  });
});

describe('GET /sessions/{id}/messages/{id}/siblings', () => {
  it('lists the messages with the same parent in creation order, whichever of them is asked for', async () => {
    const { sessionId, ids } = await branches();
    const { status, body } = await siblingsOf(sessionId, ids["a1'"] ?? '');
    expect(status).toBe(200);
    expect(body).toEqual(
      ['a1', "a1'", "a1''"].map((content) => ({
        message_id: ids[content],
        role: 'assistant',
        preview: content,
        timestamp: expect.stringMatching(TIMESTAMP),
        model: 'llama3.2:latest',
        status: 'complete',
      })),
    );
    expect((await siblingsOf(sessionId, ids["a1''"] ?? '')).body).toEqual(body);
  });

  it('shows the beginning of a long text, in whole characters', async () => {
    const sessionId = await server.createSession();
    const messageId = await say(sessionId, 'Long', '😀'.repeat(5000));
    const [{ preview }] = (await siblingsOf(sessionId, messageId)).body;
    expect(preview).toBe(`${'😀'.repeat(197)}...`);
    const exact = await say(sessionId, 'Short', 'é'.repeat(200));
    expect((await siblingsOf(sessionId, exact)).body[0].preview).toBe('é'.repeat(200));
  });

  it('takes the first messages of a tree for siblings, and the system message for none of them', async () => {
    const sessionId = await server.createSession({ system_prompt: 'S' });
    await say(sessionId, 'one', 'answer');
    const { body } = await server.request('PUT', `/sessions/${sessionId}/messages/1`, { content: 'two' });
    const previews = async (id: string) =>
      (await siblingsOf(sessionId, id)).body.map(({ preview }: { preview: string }) => preview);
    expect(await previews(body.message.message_id)).toEqual(['one', 'two']);
    expect(await previews(body.message.parent_id)).toEqual(['S']);
  });

  it.each([
    ['message', 'nobody', 'message_not_found'],
    ['session', 'x', 'session_not_found'],
  ])('answers 404 for an unknown %s', async (what, id, code) => {
    const { sessionId, ids } = await branches();
    const answer = what === 'message' ? siblingsOf(sessionId, id) : siblingsOf('nobody', ids['u1'] ?? '');
    expectError(await answer, 404, code);
  });

  it('knows no message of another session', async () => {
    const { ids } = await branches();
    const other = await server.createSession();
    expectError(await siblingsOf(other, ids['u1'] ?? ''), 404, 'message_not_found');
  });
});

describe('PUT /sessions/{id}/head with descend', () => {
  it.each([
    ["a1'", ['S', 'u1', "a1'", 'u2', 'a2']],
    ["a1''", ['S', 'u1', "a1''", 'u3', 'a3']],
    ['a1', ['S', 'u1', 'a1']],
    // The branch that was written to last.
    ['u1', ['S', 'u1', "a1''", 'u3', 'a3']],
    ['S', ['S', 'u1', "a1''", 'u3', 'a3']],
  ])('goes from %s to the newest message below it', async (start, path) => {
    const { sessionId, ids } = await branches();
    const { status, body } = await setHead(sessionId, { message_id: ids[start], descend: true });
    const last = path.at(-1) ?? '';
    expect([status, body]).toEqual([
      200,
      { session_id: sessionId, head: ids[last], message_count: path.length },
    ]);
    expect(await contents(sessionId)).toEqual(path);
  });

  it('ends at the message without it, and where nothing but a system message is', async () => {
    const { sessionId, ids } = await branches();
    expect((await setHead(sessionId, { message_id: ids["a1'"], descend: false })).body.head).toBe(ids["a1'"]);
    const empty = await server.createSession({ system_prompt: 'S' });
    const [system] = await server.messages(empty);
    const { body } = await setHead(empty, { message_id: system.message_id, descend: true });
    expect([body.head, body.message_count]).toEqual([system.message_id, 1]);
  });

  it('refuses what is neither true nor false, and a message that is not there', async () => {
    const { sessionId, ids } = await branches();
    const wrong = await setHead(sessionId, { message_id: ids['u1'], descend: 'yes' });
    expect(expectError(wrong, 422, 'validation_error')).toMatchObject({ errors: [{ path: '/descend' }] });
    const missing = await setHead(sessionId, { message_id: 'nobody', descend: true });
    expectError(missing, 404, 'message_not_found');
  });
});
