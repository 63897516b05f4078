// How an answer ended is told everywhere alike: live, in the rows, in a replay, in a file.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ChatScript, text, thinking, toolCall } from '../fake-ollama/chat-script.ts';
import { finalFields, script } from '../fake-ollama/script-modifiers.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { watchAll } from '../turns/watching.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

const ending = (reason: string | null, reply: ChatScript) =>
  script(reply, finalFields({ done_reason: reason }));

async function stream(sessionId: string, body: Record<string, unknown>) {
  const answer = await server.stream(`/chat/${sessionId}/stream`, body);
  return { turnId: answer.headers.get('x-turn-id') ?? '', events: await answer.all() };
}

const completeOf = (events: readonly { readonly event: string; readonly data: any }[]) =>
  events.find(({ event }) => event === 'message_complete')?.data;

it.each([
  ['length', 'length'],
  ['stop', 'stop'],
  // What we do not know is not told as an end that we know.
  [null, null],
  ['a_new_reason', null],
])(
  'done_reason %s: told by the plain answer, the turn, the message and its tree as %s',
  async (told, expected) => {
    const sessionId = await server.createSession();
    server.ollama.reply(ending(told, text('One', ' two')));
    const { body } = await server.chat(sessionId, { message: 'Count', options: { num_predict: 2 } });
    expect(body.message).toMatchObject({ content: 'One two', finish_reason: expected });
    const turn = (await server.get(`/turns/${body.turn_id}`)).body;
    expect(turn).toMatchObject({ state: 'completed', finish_reason: expected });
    expect((await server.get(`/sessions/${sessionId}/turns`)).body.turns).toEqual([turn]);
    const [question, answer] = await server.messages(sessionId);
    expect([question.finish_reason, answer.finish_reason]).toEqual([null, expected]);
    const { messages: tree } = (await server.get(`/sessions/${sessionId}/tree`)).body;
    expect(tree.map((message: any) => message.finish_reason)).toEqual([null, expected]);
    const { session_id: copy } = (await server.post(`/sessions/${sessionId}/fork`, {})).body;
    expect((await server.messages(copy)).at(-1)).toMatchObject({ finish_reason: expected });
  },
);

it('is the same in message_complete, in a replay from memory, and after a restart', async () => {
  const sessionId = await server.createSession();
  server.ollama.reply(ending('length', text('One', ' two')));
  const { turnId, events } = await stream(sessionId, { message: 'Count' });
  const complete = completeOf(events);
  expect(complete).toMatchObject({ finish_reason: 'length', message: { finish_reason: 'length' } });
  expect(completeOf(await watchAll(server, turnId))).toEqual(complete);
  await server.restart();
  const replayed = await watchAll(server, turnId);
  expect(completeOf(replayed)).toEqual(complete);
  expect(replayed[0]?.data).toMatchObject({
    turn: { finish_reason: 'length' },
    message: { finish_reason: 'length' },
  });
});

it('says of a message that asked for tools that it did', async () => {
  const sessionId = await server.createSession();
  server.ollama.reply(toolCall('add', { a: 1 }));
  server.ollama.reply(text('Two'));
  const { body } = await server.chat(sessionId, { message: 'Add' });
  expect(body.message.finish_reason).toBe('stop');
  const messages = await server.messages(sessionId);
  expect(messages.map(({ role, finish_reason }) => [role, finish_reason])).toEqual([
    ['user', null],
    ['assistant', 'tool_calls'],
    ['tool', null],
    ['assistant', 'stop'],
  ]);
});

it.each([true, false])(
  'keeps the thoughts of an answer that got no further, with think: %s',
  async (think) => {
    const sessionId = await server.createSession({ model: 'qwen3:14b' });
    server.ollama.reply(ending('length', thinking(['Let me', ' see'])));
    const { turnId, events } = await stream(sessionId, { message: 'Think', think });
    const { message } = completeOf(events);
    expect(message).toMatchObject({ content: '', thinking: 'Let me see', finish_reason: 'length' });
    const deltas = events.filter(({ event }) => event === 'thinking_delta');
    expect(deltas.map(({ data }) => data.content).join('')).toBe('Let me see');
    expect((await server.messages(sessionId)).at(-1)).toMatchObject({ ...message, status: 'complete' });
    expect((await server.get(`/turns/${turnId}`)).body.finish_reason).toBe('length');
  },
);

it('does not show thoughts that nobody asked for beside an answer', async () => {
  const sessionId = await server.createSession({ model: 'qwen3:14b' });
  server.ollama.reply(thinking(['Hm'], ['So']));
  const { events } = await stream(sessionId, { message: 'Think' });
  expect(completeOf(events).message).toMatchObject({ content: 'So', thinking: null });
  expect(events.some(({ event }) => event === 'thinking_delta')).toBe(false);
});

it('has no reason for what did not end: a cut part', async () => {
  const sessionId = await server.createSession();
  server.ollama.reply({ steps: [...text('One').steps.slice(0, 1), { type: 'destroy' }] });
  const { headers } = await server.post(`/chat/${sessionId}`, { message: 'Count' });
  expect((await server.messages(sessionId)).at(-1)).toMatchObject({ status: 'partial', finish_reason: null });
  const turn = (await server.get(`/turns/${headers.get('x-turn-id')}`)).body;
  expect(turn).toMatchObject({ state: 'failed', finish_reason: null });
});

it('says that structured output was cut', async () => {
  const sessionId = await server.createSession();
  server.ollama.reply(ending('length', text('{"city": "Par')));
  const { status, body } = await server.post(`/chat/${sessionId}`, { message: 'City', format: 'json' });
  expect([status, body.detail.error.code]).toEqual([502, 'invalid_structured_output']);
  expect(body.detail.error.message).toContain('it was cut');
  expect(body.detail.error.details.finish_reason).toBe('length');
  expect((await server.messages(sessionId)).at(-1)).toMatchObject({ finish_reason: 'length' });
});

it('goes through a file of lines and back; a session of the original has none', async () => {
  const sessionId = await server.createSession();
  server.ollama.reply(ending('length', text('One')));
  await server.chat(sessionId, { message: 'Count' });
  const before = await server.messages(sessionId);
  const lines = await (await fetch(`${server.url}/api/v1/sessions/${sessionId}/export?format=jsonl`)).text();
  expect(JSON.parse(lines.split('\n')[2] ?? '')).toMatchObject({ finish_reason: 'length' });
  const original = (await server.get(`/sessions/${sessionId}/export?format=json`)).body;
  await server.request('DELETE', `/sessions/${sessionId}`);
  await importText(lines, 'application/x-ndjson');
  expect(await server.messages(sessionId)).toEqual(before);
  await server.request('DELETE', `/sessions/${sessionId}`);
  await importText(JSON.stringify(original), 'application/json');
  expect((await server.messages(sessionId)).at(-1)).toMatchObject({ content: 'One', finish_reason: null });
});

async function importText(body: string, type: string): Promise<void> {
  const response = await fetch(`${server.url}/api/v1/sessions/import`, {
    method: 'POST',
    headers: { 'content-type': type },
    body,
  });
  expect([response.status, await response.json()]).toEqual([201, expect.objectContaining({ skipped: [] })]);
}
