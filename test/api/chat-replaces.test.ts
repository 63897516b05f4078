// `replaces`: edit and answer, or regenerate any answer, in one request that is accepted whole or not at all.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { httpError, text } from '../fake-ollama/chat-script.ts';
import { exceedContextError } from '../fake-ollama/http-answer.ts';
import { hangAfter, script } from '../fake-ollama/script-modifiers.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { isNamed, isPhase, readUntil, untilIdle } from '../turns/watching.ts';
import { expectError } from './wire-formats.ts';

const ROUTES = ['/chat/SESSION', '/chat/SESSION/stream'];

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

const post = (route: string, sessionId: string, body: unknown, headers?: Record<string, string>) =>
  server.post(route.replace('SESSION', sessionId), body, headers);
const treeOf = async (sessionId: string): Promise<any[]> =>
  (await server.get(`/sessions/${sessionId}/tree`)).body.messages;
const contents = async (sessionId: string) =>
  (await server.messages(sessionId)).map(({ content }) => content);
const sentLast = () =>
  server.ollama
    .requestsTo('/api/chat')
    .at(-1)
    ?.body?.messages?.map(({ content }) => content);

async function say(sessionId: string, message: string, answer: string): Promise<void> {
  server.ollama.reply(text(answer));
  await server.chat(sessionId, { message });
}

interface Conversation {
  readonly sessionId: string;
  /** Of the message with this text. */
  idOf(content: string): Promise<string>;
}

/** S, u1 → a1 → u2 → a2. */
async function converse(settings: Record<string, unknown> = {}): Promise<Conversation> {
  const sessionId = await server.createSession({ system_prompt: 'S', ...settings });
  await say(sessionId, 'u1', 'a1');
  await say(sessionId, 'u2', 'a2');
  const idOf = async (content: string) =>
    (await treeOf(sessionId)).find((message) => message.content === content)?.message_id;
  return { sessionId, idOf };
}

describe.each(ROUTES)('replaces on %s', (route) => {
  /** For what changes nothing. */
  let still: Conversation;
  beforeAll(async () => {
    still = await converse();
  });

  it.each([
    ['u1', ['S', "u1'", 'new']],
    ['u2', ['S', 'u1', 'a1', "u2'", 'new']],
  ])('puts a message beside %s and answers it', async (old, path) => {
    const { sessionId, idOf } = await converse();
    server.ollama.reply(text('new'));
    const { status } = await post(route, sessionId, { message: `${old}'`, replaces: await idOf(old) });
    expect(status).toBe(200);
    expect([await contents(sessionId), sentLast()]).toEqual([path, path.slice(0, -1)]);
    const tree = await treeOf(sessionId);
    const [before, after] = [old, `${old}'`].map((content) =>
      tree.find((message) => message.content === content),
    );
    expect([after.parent_id, after.sibling_count, before.sibling_count]).toEqual([before.parent_id, 2, 2]);
    expect([before.active, after.active]).toEqual([false, true]);
    expect(tree).toHaveLength(7);
  });

  it.each([
    ['a1', ['S', 'u1', 'new']],
    ['a2', ['S', 'u1', 'a1', 'u2', 'new']],
  ])('makes the answer %s anew, wherever it lies', async (old, path) => {
    const { sessionId, idOf } = await converse();
    server.ollama.reply(text('new'));
    const { status } = await post(route, sessionId, { message: null, replaces: await idOf(old) });
    expect(status).toBe(200);
    expect([await contents(sessionId), sentLast()]).toEqual([path, path.slice(0, -1)]);
    const siblings = (await server.get(`/sessions/${sessionId}/messages/${await idOf('new')}/siblings`)).body;
    expect(siblings.map(({ preview }: { preview: string }) => preview)).toEqual([old, 'new']);
  });

  it('finds what it replaces on another branch, and shows that one', async () => {
    const { sessionId, idOf } = await converse();
    const [u2, a1] = [await idOf('u2'), await idOf('a1')];
    server.ollama.reply(text('elsewhere'));
    await server.chat(sessionId, { message: "u1'", replaces: await idOf('u1') });
    server.ollama.reply(text('back'));
    expect((await post(route, sessionId, { message: "u2'", replaces: u2 })).status).toBe(200);
    expect(await contents(sessionId)).toEqual(['S', 'u1', 'a1', "u2'", 'back']);
    server.ollama.reply(text('there'));
    await server.request('PUT', `/sessions/${sessionId}/head`, { message_id: await idOf('elsewhere') });
    expect((await post(route, sessionId, { replaces: a1 })).status).toBe(200);
    expect([await contents(sessionId), sentLast()]).toEqual([
      ['S', 'u1', 'there'],
      ['S', 'u1'],
    ]);
  });

  it.each([
    ['edit', 'u1', "u1'"],
    ['regeneration', 'a1', null],
  ])('a repeated %s with a key is one turn', async (_what, old, message) => {
    const { sessionId, idOf } = await converse();
    const body = { message, replaces: await idOf(old) };
    const key = { 'idempotency-key': 'once' };
    server.ollama.reply(text('new'));
    const [first, second] = await Promise.all([1, 2].map(() => post(route, sessionId, body, key)));
    expect([first?.status, second?.body]).toEqual([200, first?.body]);
    expect((await post(route, sessionId, body, key)).body).toEqual(first?.body);
    expect((await server.get(`/sessions/${sessionId}/turns`)).body.turns).toHaveLength(3);
    const other = await post(route, sessionId, { message, replaces: await idOf('u2') }, key);
    expectError(other, 422, 'idempotency_mismatch');
  });

  it('the same edit again, while nobody has answered it, makes no twin', async () => {
    const { sessionId, idOf } = await converse();
    const body = { message: "u1'", replaces: await idOf('u1') };
    server.ollama.reply(httpError(500, 'no'), text('new'));
    await post(route, sessionId, body);
    expect(await contents(sessionId)).toEqual(['S', "u1'"]);
    await post(route, sessionId, body);
    expect(await contents(sessionId)).toEqual(['S', "u1'", 'new']);
    expect(await treeOf(sessionId)).toHaveLength(7);
  });

  it.each([
    ['nobody', { message: 'm' }, 404, 'message_not_found'],
    ['nobody', { message: null }, 404, 'message_not_found'],
    ['a1', { message: 'm' }, 422, 'validation_error'],
    ['S', { message: 'm' }, 422, 'validation_error'],
    ['u1', { message: null }, 422, 'validation_error'],
    ['S', {}, 422, 'validation_error'],
    ['a1', { message: null, mode: 'continue' }, 422, 'validation_error'],
  ])('refuses %s with %j, and stores nothing', async (old, asked, status, code) => {
    const { sessionId, idOf } = still;
    const before = await treeOf(sessionId);
    const replaces = (await idOf(old)) ?? old;
    expectError(await post(route, sessionId, { ...asked, replaces }), status, code);
    expect(await treeOf(sessionId)).toEqual(before);
    expect((await server.get(`/sessions/${sessionId}/turns`)).body.turns).toHaveLength(2);
  });

  it.each(['', 7, ['u1'], 'x'.repeat(65)])('refuses the id %j', async (replaces) => {
    const answer = await post(route, still.sessionId, { message: 'm', replaces });
    expect(expectError(answer, 422, 'validation_error')).toMatchObject({ errors: [{ path: '/replaces' }] });
  });

  it('knows no message of another session', async () => {
    const other = await converse();
    const answer = await post(route, still.sessionId, { message: 'm', replaces: await other.idOf('u1') });
    expectError(answer, 404, 'message_not_found');
  });
});

describe('images of what is replaced', () => {
  const [cat, dog] = ['Y2F0', 'ZG9n'];
  it.each([
    ['stay where none are given', {}, [cat]],
    ['go with an empty list', { images: [] }, undefined],
    ['are those that are given', { images: [dog] }, [dog]],
  ])('%s', async (_what, given, expected) => {
    const sessionId = await server.createSession({ model: 'llava:7b' });
    await server.chat(sessionId, { message: 'What is it?', images: [cat] });
    const [{ message_id: replaces }] = (await server.messages(sessionId)) as [any];
    const { status } = await server.post(`/chat/${sessionId}`, { message: 'Who is it?', replaces, ...given });
    expect([status, (await server.messages(sessionId))[0].images]).toEqual([200, expected]);
    expect(server.ollama.requestsTo('/api/chat').at(-1)?.body?.messages?.at(-1)?.images).toEqual(expected);
  });

  it('are refused like others where the model cannot see', async () => {
    const sessionId = await server.createSession({ model: 'llava:7b' });
    await server.chat(sessionId, { message: 'What is it?', images: [cat] });
    const [{ message_id: replaces }] = (await server.messages(sessionId)) as [any];
    await server.request('PATCH', `/sessions/${sessionId}`, { model: 'llama3.2:latest' });
    const answer = await server.post(`/chat/${sessionId}`, { message: 'Who is it?', replaces });
    expectError(answer, 400, 'images_not_supported');
    expect(await server.messages(sessionId)).toHaveLength(2);
  });
});

describe('a busy session', () => {
  async function busy(): Promise<Conversation & { readonly turnId: string }> {
    const conversation = await converse();
    server.ollama.reply(script(text('so far'), hangAfter(1)));
    const { sessionId } = conversation;
    const stream = await server.stream(`/chat/${sessionId}/stream`, {
      message: 'u3',
      on_disconnect: 'continue',
    });
    const turnId = stream.headers.get('x-turn-id') ?? '';
    await readUntil(stream, isNamed('content_delta'));
    stream.abort();
    return { ...conversation, turnId };
  }
  const edit = async ({ sessionId, idOf }: Conversation, extra: object = {}) =>
    server.stream(`/chat/${sessionId}/stream`, { message: "u1'", replaces: await idOf('u1'), ...extra });

  it('is edited when its turn has come', async () => {
    const conversation = await busy();
    const waiting = await edit(conversation);
    const [start] = await readUntil(waiting, isPhase('queued'));
    server.ollama.reply(text('new'));
    await server.post(`/turns/${conversation.turnId}/cancel?wait=true`);
    await waiting.all();
    expect(await contents(conversation.sessionId)).toEqual(['S', "u1'", 'new']);
    expect(await conversation.idOf("u1'")).toBe(start?.data.user_message_id);
  });

  it('is interrupted for it', async () => {
    const conversation = await busy();
    server.ollama.reply(text('new'));
    await (await edit(conversation, { on_busy: 'interrupt' })).all();
    expect(await contents(conversation.sessionId)).toEqual(['S', "u1'", 'new']);
  });

  it('refuses at once what it can never do', async () => {
    const { sessionId, turnId } = await busy();
    const answer = await server.post(`/chat/${sessionId}`, { message: 'm', replaces: 'nobody' });
    expectError(answer, 404, 'message_not_found');
    await server.post(`/turns/${turnId}/cancel?wait=true`);
  });

  it('has the edit beside the old message, unanswered, when it was cancelled in line', async () => {
    const conversation = await busy();
    const waiting = await edit(conversation);
    const [start] = await readUntil(waiting, isPhase('queued'));
    await server.post(`/turns/${start?.data.turn_id}/cancel?wait=true`);
    await server.post(`/turns/${conversation.turnId}/cancel?wait=true`);
    await untilIdle(server, conversation.sessionId);
    await expect.poll(() => contents(conversation.sessionId)).toEqual(['S', "u1'"]);
  });

  it('has it, too, when the server was stopped meanwhile', async () => {
    const conversation = await busy();
    const waiting = await edit(conversation);
    await readUntil(waiting, isPhase('queued'));
    await server.restart();
    expect(await contents(conversation.sessionId)).toEqual(['S', "u1'"]);
    const [left, right] = [await conversation.idOf('u1'), await conversation.idOf("u1'")];
    const tree = await treeOf(conversation.sessionId);
    const parents = [left, right].map((id) => tree.find((message) => message.message_id === id)?.parent_id);
    expect(parents[0]).toBe(parents[1]);
  });
});

it('an edit that only the engine finds too long leaves the conversation as it was', async () => {
  const { sessionId, idOf } = await converse();
  const before = [await server.messages(sessionId), await treeOf(sessionId)];
  server.ollama.reply(httpError(400, exceedContextError(9000, 4096)));
  const answer = await server.post(`/chat/${sessionId}`, { message: "u1'", replaces: await idOf('u1') });
  expect(expectError(answer, 400, 'context_overflow')).toMatchObject({ message_taken_back: true });
  expect([await server.messages(sessionId), await treeOf(sessionId)]).toEqual(before);
});

it('a first message that is taken back leaves nothing behind it, and the next one is a first message', async () => {
  const sessionId = await server.createSession({ system_prompt: 'S' });
  server.ollama.reply(httpError(400, exceedContextError(9000, 4096)));
  expectError(await server.post(`/chat/${sessionId}`, { message: 'long' }), 400, 'context_overflow');
  await say(sessionId, 'one', 'answer');
  const { body } = await server.request('PUT', `/sessions/${sessionId}/messages/1`, { content: 'two' });
  expect([body.message.sibling_count, body.message.sibling_index]).toEqual([2, 1]);
});

it('a preview shows what an edit and a regeneration would send, and leaves nothing', async () => {
  const { sessionId, idOf } = await converse();
  const before = await treeOf(sessionId);
  const preview = async (body: object) => {
    const answer = await server.post(`/chat/${sessionId}/preview`, body);
    expect(answer.status).toBe(200);
    return answer.body.engine_request.messages.map(({ content }: { content: string }) => content);
  };
  expect(await preview({ message: "u1'", replaces: await idOf('u1') })).toEqual(['S', "u1'"]);
  expect(await preview({ replaces: await idOf('a1') })).toEqual(['S', 'u1']);
  expect(await treeOf(sessionId)).toEqual(before);
  const unknown = await server.post(`/chat/${sessionId}/preview`, { message: 'm', replaces: 'nobody' });
  expectError(unknown, 404, 'message_not_found');
});
