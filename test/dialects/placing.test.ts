// Where a request belongs: to no session, to one by its name, or to the one that its history goes on from.
import { join } from 'node:path';
import SqliteDriver from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { text, toolCalls } from '../fake-ollama/chat-script.ts';
import { hangAfter, script } from '../fake-ollama/script-modifiers.ts';
import { decide } from '../support/deciding.ts';
import { readStore } from '../support/read-store.ts';
import { ADD, startToolServer, type ToolServer } from '../support/server-with-tools.ts';
import { answered, type ChatMessage, complete, user } from './front-end.ts';

let server: ToolServer;
beforeAll(async () => {
  server = await startToolServer([ADD]);
});
afterAll(() => server.close());

const said = async (sessionId: string | null) =>
  (await server.messages(sessionId ?? '')).map(({ role, content }: any) => [role, content]);
const tree = async (sessionId: string | null) => {
  const { body } = await server.request('GET', `/sessions/${sessionId}/tree`);
  return body.messages.map(({ content }: any) => content);
};
const listed = async (more = '') => {
  const { body } = await server.request('GET', `/sessions?limit=1000${more}`);
  return body.sessions.map(({ session_id: id }: any) => id);
};
const sent = (): any => server.ollama.requestsTo('/api/chat').at(-1)?.body;
let names = 0;
/** A name that nobody has used. */
const newName = () => `chat:${(names += 1)}`;
/** A conversation of so many questions, as a front end has it. */
const converse = async (session: string, ...questions: readonly string[]) => {
  const messages: ChatMessage[] = [];
  let sessionId: string | null = null;
  for (const question of questions) {
    messages.push(user(question));
    server.ollama.reply(text(`${question}!`));
    const turn = await complete(server, session, { messages });
    ({ sessionId } = turn);
    messages.push(answered(turn));
  }
  return { messages, sessionId };
};

it('a conversation whose answer waited for a person over a restart is recognised by it', async () => {
  const { messages, sessionId } = await converse('auto', 'Can you add?');
  const tool_settings = { tools: ['add_numbers'], execution_policy: 'always_confirm' };
  expect((await server.request('PATCH', `/sessions/${sessionId}`, { tool_settings })).status).toBe(200);
  const first = [...messages, user('Add, when you may')];
  server.ollama.reply(toolCalls([{ name: 'add_numbers', args: { a: 1, b: 2 } }]));
  const asking = fetch(`${server.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'x-mochi-session': 'auto', 'x-mochi-on-disconnect': 'continue' },
    body: JSON.stringify({ model: 'llama3.2', messages: first }),
  }).catch(() => null);
  const asked = async () => (await server.get('/approvals')).body.approvals;
  await expect.poll(asked).toHaveLength(1);
  const [approval] = await asked();
  await server.restart();
  await asking;
  server.ollama.reply(text('Three.'));
  await decide(server, approval.confirmation_id, { decision: 'approve' });
  const state = async () => (await server.get(`/turns/${approval.turn_id}`)).body.state;
  await expect.poll(state).toBe('completed');
  const answer = (await server.messages(sessionId ?? '')).at(-1);
  expect(answer).toMatchObject({ content: 'Three.' });
  const driver = new SqliteDriver(join(server.dataDir, 'mochi.db'), { readonly: true });
  const marked = driver.prepare('select count(*) as marks from history_marks where message_id = ?');
  expect(marked.get(answer.message_id)).toEqual({ marks: 1 });
  driver.close();
  server.ollama.reply(text('Four.'));
  const next = await complete(server, 'auto', {
    messages: [...first, { role: 'assistant', content: 'Three.' }, user('And one more?')],
  });
  expect(next.sessionId).toBe(sessionId);
  expect(await said(sessionId)).toHaveLength(8);
});

describe('no session', () => {
  it.each([null, 'none'])(
    'by the name %s: what the client sends is what the model sees, and nothing is kept',
    async (name) => {
      const before = await listed('&unlisted=true');
      server.ollama.reply(text('Fine.'));
      const messages = [
        { role: 'system', content: 'Be brief.' },
        user('Hi'),
        { role: 'assistant', content: 'Hello.' },
        user('How are you?'),
      ];
      const turn = await complete(server, name, { messages });
      expect(answered(turn)).toMatchObject({ content: 'Fine.' });
      expect(turn.sessionId).toBeNull();
      expect(sent().messages).toEqual(messages);
      expect(await listed('&unlisted=true')).toEqual(before);
    },
  );
});

describe('a session by its name', () => {
  it('is made at first use, and goes on with what a front end sends whole', async () => {
    const name = newName();
    const { sessionId, messages } = await converse(name, 'One', 'Two', 'Three');
    expect(await said(sessionId)).toEqual(messages.map(({ role, content }) => [role, content]));
    expect(await listed()).toContain(sessionId);
    expect(sent().messages).toHaveLength(5);
  });

  it('goes on with new messages alone', async () => {
    const name = newName();
    server.ollama.reply(text('a'), text('b'), text('c'));
    const first = await complete(server, name, { messages: [user('One')] });
    await complete(server, name, { messages: [user('Two')] });
    await complete(server, name, { messages: [user('Three'), user('Four')] });
    expect(await said(first.sessionId)).toEqual([
      ['user', 'One'],
      ['assistant', 'a'],
      ['user', 'Two'],
      ['assistant', 'b'],
      ['user', 'Three'],
      ['user', 'Four'],
      ['assistant', 'c'],
    ]);
  });

  it('by its id goes on where it was begun natively, and is not doubled by its whole history', async () => {
    const id = await server.toolSession([]);
    server.ollama.reply(text('a'), text('b'));
    await server.chat(id, { message: 'One' });
    const messages = [user('One'), { role: 'assistant', content: ' a ' }, user('Two')];
    expect((await complete(server, id, { messages })).sessionId).toBe(id);
    expect(await tree(id)).toEqual(['One', 'a', 'Two', 'b']);
  });

  it('answers the last message anew when nothing new comes, and shows that branch', async () => {
    const name = newName();
    const { sessionId, messages } = await converse(name, 'One', 'Two');
    server.ollama.reply(text('other'));
    await complete(server, name, { messages: messages.slice(0, -1) });
    expect(await said(sessionId)).toEqual([
      ['user', 'One'],
      ['assistant', 'One!'],
      ['user', 'Two'],
      ['assistant', 'other'],
    ]);
    expect(await tree(sessionId)).toEqual(['One', 'One!', 'Two', 'Two!', 'other']);
  });

  it('branches where a message was edited, and goes on with either branch', async () => {
    const name = newName();
    const { sessionId, messages } = await converse(name, 'One', 'Two', 'Three');
    server.ollama.reply(text('edited'), text('back'));
    const edited = [...messages.slice(0, 2), user('Zwei')];
    const turn = await complete(server, name, { messages: edited });
    expect((await said(sessionId)).at(-1)).toEqual(['assistant', 'edited']);
    await complete(server, name, { messages: [...messages, user('Four')] });
    expect(await tree(sessionId)).toEqual([
      'One',
      'One!',
      'Two',
      'Two!',
      'Three',
      'Three!',
      'Zwei',
      'edited',
      'Four',
      'back',
    ]);
    server.ollama.reply(text('on'));
    await complete(server, name, { messages: [...edited, answered(turn), user('Fünf')] });
    expect(await said(sessionId)).toEqual([
      ['user', 'One'],
      ['assistant', 'One!'],
      ['user', 'Zwei'],
      ['assistant', 'edited'],
      ['user', 'Fünf'],
      ['assistant', 'on'],
    ]);
  });

  it('takes a history of elsewhere as it is', async () => {
    server.ollama.reply(text('d'));
    const call = { id: 'x1', type: 'function', function: { name: 'look', arguments: '{"at":1}' } };
    const messages = [
      user('a'),
      { role: 'assistant', content: 'b', reasoning_content: 'Hm.', tool_calls: [call] },
      { role: 'tool', tool_call_id: 'x1', content: 'seen' },
      user('c'),
    ];
    const { sessionId } = await complete(server, newName(), { messages });
    const stored = await server.messages(sessionId ?? '');
    expect(stored).toMatchObject([
      { role: 'user', content: 'a' },
      {
        role: 'assistant',
        content: 'b',
        thinking: 'Hm.',
        tool_calls: [{ function: { name: 'look', arguments: { at: 1 } } }],
      },
      { role: 'tool', content: 'seen', tool_name: 'look' },
      { role: 'user', content: 'c' },
      { role: 'assistant', content: 'd' },
    ]);
    expect(sent().messages.map(({ role, tool_call_id: id }: any) => [role, id])).toEqual([
      ['user', undefined],
      ['assistant', undefined],
      ['tool', 'x1'],
      ['user', undefined],
    ]);
  });

  it('has the system prompt of a client that says all, and another one for a turn of a client that does not', async () => {
    const name = newName();
    const system = (content: string) => ({ role: 'system', content });
    server.ollama.reply(text('a'), text('b'), text('c'), text('d'));
    const first = await complete(server, name, { messages: [system('Be brief.'), user('One')] });
    const prompt = async () => (await server.messages(first.sessionId ?? ''))[0].content;
    expect(await prompt()).toBe('Be brief.');
    await complete(server, name, { messages: [system('In French.'), user('Two')] });
    expect(sent().messages[0]).toEqual(system('In French.'));
    expect(await prompt()).toBe('Be brief.');
    await complete(server, name, { messages: [user('Three')] });
    expect(sent().messages[0]).toEqual(system('Be brief.'));
    const all = [user('One'), { role: 'assistant', content: 'a' }, user('Four')];
    await complete(server, name, { messages: [system('In Greek.'), ...all] });
    expect(sent().messages[0]).toEqual(system('In Greek.'));
    expect(await prompt()).toBe('In Greek.');
  });

  it('takes the model of the request', async () => {
    const name = newName();
    server.ollama.reply(text('a'), text('b'));
    const { sessionId } = await complete(server, name, { messages: [user('One')] });
    await complete(server, name, { messages: [user('Two')], model: 'qwen3:14b' });
    expect(sent().model).toBe('qwen3:14b');
    expect((await server.request('GET', `/sessions/${sessionId}`)).body.model).toBe('qwen3:14b');
  });

  it('that answers keeps what waits in line on disk, and puts it in its place where it is cancelled', async () => {
    const name = newName();
    const { sessionId, messages } = await converse(name, 'One', 'Two');
    server.ollama.reply(script(text('a', 'b'), hangAfter(1)));
    const running = complete(server, name, { messages: [...messages, user('Three')] });
    await expect.poll(async () => (await said(sessionId)).length, { timeout: 10_000 }).toBe(6);
    const edited = [...messages.slice(0, 2), user('Zwei')];
    const waiting = complete(server, name, { messages: edited }, { 'x-mochi-on-busy': 'queue' });
    const turns = async () => (await server.get(`/sessions/${sessionId}/turns`)).body.turns;
    await expect.poll(async () => (await turns())[0]?.state, { timeout: 10_000 }).toBe('queued');
    const [queued, first] = await turns();
    const { turns: rows } = await readStore(server.dataDir, sessionId ?? '');
    const request = JSON.parse(rows.find(({ id }) => id === queued.turn_id)?.request ?? 'null');
    expect(request.placed.messages.at(-1)).toEqual({ role: 'user', content: 'Zwei' });
    await server.post(`/turns/${queued.turn_id}/cancel`);
    await server.post(`/turns/${first.turn_id}/cancel?wait=true`);
    expect([(await running).status, (await waiting).status]).toEqual([409, 409]);
    await expect
      .poll(() => said(sessionId), { timeout: 10_000 })
      .toEqual([
        ['user', 'One'],
        ['assistant', 'One!'],
        ['user', 'Zwei'],
      ]);
  });

  it.each([
    ['0123456789', 404, 'session_not_found'],
    ['a b', 400, 'invalid_request'],
    ['x'.repeat(129), 400, 'invalid_request'],
  ])('%s is %i', async (name, status, code) => {
    const turn = await complete(server, name, { messages: [user('One')] });
    expect([turn.status, turn.body.error.code]).toEqual([status, code]);
  });

  it('is not made where the request is refused', async () => {
    const before = await listed('&unlisted=true');
    const refused = [
      await complete(server, newName(), { messages: [user('One')], model: 'nobody' }),
      await complete(server, 'new', { messages: [{ role: 'system', content: 'Only that.' }] }),
      await complete(server, 'auto', { messages: [user('One '.repeat(200_000))] }),
    ];
    expect(refused.map(({ status, body }) => [status, body.error.code])).toEqual([
      [404, 'model_not_found'],
      [400, 'empty_history'],
      [400, 'context_length_exceeded'],
    ]);
    expect(await listed('&unlisted=true')).toEqual(before);
  });

  it('`new` is another one each time', async () => {
    server.ollama.reply(text('a'), text('b'));
    const [one, two] = [
      await complete(server, 'new', { messages: [user('Hi')] }),
      await complete(server, 'new', { messages: [user('Hi')] }),
    ];
    expect(one.sessionId).not.toBe(two.sessionId);
    expect(await listed()).toEqual(expect.arrayContaining([one.sessionId, two.sessionId]));
  });
});

describe('calls of the client', () => {
  const tools = [
    {
      type: 'function',
      function: { name: 'look', parameters: { type: 'object', properties: { at: { type: 'integer' } } } },
    },
  ];
  const asked = async (session: string) => {
    server.ollama.reply(
      toolCalls([
        { name: 'look', args: { at: 1 } },
        { name: 'look', args: { at: 2 } },
      ]),
    );
    const turn = await complete(server, session, { messages: [user('Look.')], tools });
    const answer: any = answered(turn);
    expect(turn.body.choices[0].finish_reason).toBe('tool_calls');
    const results = answer.tool_calls.map(({ id }: any, at: number) => ({
      role: 'tool',
      tool_call_id: id,
      content: `seen ${at}`,
    }));
    return { sessionId: turn.sessionId, answer, results };
  };

  it.each([
    ['with the whole history', true],
    ['alone', false],
  ])('get their results %s', async (_how, isWhole) => {
    const name = newName();
    const { sessionId, answer, results } = await asked(name);
    server.ollama.reply(text('Done.'));
    const messages = isWhole ? [user('Look.'), answer, ...results] : results;
    const turn = await complete(server, name, { messages, tools });
    expect(answered(turn)).toMatchObject({ content: 'Done.' });
    expect(await said(sessionId)).toEqual([
      ['user', 'Look.'],
      ['assistant', ''],
      ['tool', 'seen 0'],
      ['tool', 'seen 1'],
      ['assistant', 'Done.'],
    ]);
    expect(sent().messages.map(({ tool_call_id: id }: any) => id)).toEqual([
      undefined,
      undefined,
      ...results.map((one: any) => one.tool_call_id),
    ]);
  });

  it('without results are told that there are none, and other results are told by the user', async () => {
    const name = newName();
    const { sessionId, answer, results } = await asked(name);
    server.ollama.reply(text('Done.'), text('Well.'));
    await complete(server, name, { messages: [user('Look.'), answer, results[1], user('Never mind.')] });
    await complete(server, name, {
      messages: [{ role: 'tool', tool_call_id: 'of nobody', content: 'late' }],
    });
    expect(await said(sessionId)).toEqual([
      ['user', 'Look.'],
      ['assistant', ''],
      ['tool', 'Error: no result was given'],
      ['tool', 'seen 1'],
      ['user', 'Never mind.'],
      ['assistant', 'Done.'],
      ['user', 'late'],
      ['assistant', 'Well.'],
    ]);
  });

  it('are recognised by `auto`', async () => {
    const { sessionId, answer, results } = await asked('auto');
    server.ollama.reply(text('Done.'), text('Good.'));
    const messages = [user('Look.'), answer, ...results];
    const turn = await complete(server, 'auto', { messages, tools });
    expect(turn.sessionId).toBe(sessionId);
    const next = await complete(server, 'auto', {
      messages: [...messages, answered(turn), user('Thanks.')],
      tools,
    });
    expect(next.sessionId).toBe(sessionId);
    expect(await tree(sessionId)).toEqual(['Look.', '', 'seen 0', 'seen 1', 'Done.', 'Thanks.', 'Good.']);
  });
});

describe('auto', () => {
  it('begins a session in no list, and lists it when the conversation goes on', async () => {
    server.ollama.reply(text('a'), text('b'));
    const first = await complete(server, 'auto', { messages: [user('Hello there')] });
    expect(await listed()).not.toContain(first.sessionId);
    expect(await listed('&unlisted=true')).toContain(first.sessionId);
    const messages = [user('Hello there'), answered(first), user('And?')];
    const second = await complete(server, 'auto', { messages });
    expect(second.sessionId).toBe(first.sessionId);
    expect(await listed()).toContain(first.sessionId);
    expect(await tree(first.sessionId)).toEqual(['Hello there', 'a', 'And?', 'b']);
  });

  it('knows a history whatever its client does to white space and thoughts, and forgets system texts', async () => {
    server.ollama.reply(text('Café.\n'), text('b'));
    const first = await complete(server, 'auto', { messages: [user('Where?\n')] });
    const second = await complete(server, 'auto', {
      messages: [
        { role: 'system', content: 'It is noon.' },
        user('Where?'),
        { role: 'assistant', content: '<think>Hm.</think>\n Cafe\u0301.' },
        { role: 'system', content: 'It is one.' },
        user('And?'),
      ],
    });
    expect(second.sessionId).toBe(first.sessionId);
  });

  it('knows no other key, no other picture and no single message', async () => {
    const { sessionId, messages } = await converse('auto', 'Same', 'Again');
    server.ollama.reply(text('x'), text('y'));
    const alone = await complete(server, 'auto', { messages: [user('Same')] });
    expect(alone.sessionId).not.toBe(sessionId);
    const other = [user('Other'), ...messages.slice(1), user('More')];
    expect((await complete(server, 'auto', { messages: other })).sessionId).not.toBe(sessionId);
  });

  it('that answers anew or is edited stays one session', async () => {
    const { sessionId, messages } = await converse('auto', 'Start', 'Middle', 'End');
    server.ollama.reply(text('anew'), text('edited'), text('on'));
    const anew = await complete(server, 'auto', { messages: messages.slice(0, -1) });
    const edited = await complete(server, 'auto', { messages: [...messages.slice(0, 2), user('Mitte')] });
    const on = await complete(server, 'auto', {
      messages: [...messages.slice(0, 2), user('Mitte'), answered(edited), user('Ende')],
    });
    expect([anew, edited, on].map((turn) => turn.sessionId)).toEqual([sessionId, sessionId, sessionId]);
    expect(await tree(sessionId)).toEqual([
      'Start',
      'Start!',
      'Middle',
      'Middle!',
      'End',
      'End!',
      'anew',
      'Mitte',
      'edited',
      'Ende',
      'on',
    ]);
  });

  it('is forgotten when it was not used for long, unless it is listed', async () => {
    const [one, two, kept] = [
      await converse('auto', 'Forgotten'),
      await converse('auto', 'Still new'),
      await converse('auto', 'Gone on with', 'by its history'),
    ];
    const driver = new SqliteDriver(join(server.dataDir, 'mochi.db'));
    const old = driver.prepare(
      `update session_rows set updated_at = '2020-01-01T00:00:00.000000Z' where id = ?`,
    );
    for (const { sessionId } of [one, kept]) old.run(sessionId);
    driver.close();
    await server.restart();
    await expect.poll(() => listed('&unlisted=true'), { timeout: 15_000 }).not.toContain(one.sessionId);
    expect(await listed('&unlisted=true')).toEqual(expect.arrayContaining([two.sessionId, kept.sessionId]));
  });

  it('is listed by any write of our own API', async () => {
    const { sessionId } = await converse('auto', 'Only once');
    expect(await listed()).not.toContain(sessionId);
    await server.request('PATCH', `/sessions/${sessionId}`, { title: 'Kept' });
    expect(await listed()).toContain(sessionId);
  });
});

it('tools that run here are no part of what a client has, and its history goes on behind them', async () => {
  const id = await server.toolSession(['add_numbers']);
  await server.request('PATCH', `/sessions/${id}`, {
    tool_settings: { tools: ['add_numbers'], execution_policy: 'never_confirm' },
  });
  const calling = { ...toolCalls([{ name: 'add_numbers', args: { a: 1, b: 2 } }]) };
  server.ollama.reply(
    { ...calling, steps: [{ type: 'chunk', message: { content: 'One moment.' } }, ...calling.steps] },
    text('Three.'),
    text('Yes.'),
    text('Sure.'),
  );
  const first = await complete(server, id, { messages: [user('1 + 2?')] });
  expect(answered(first).content).toBe('One moment.\n\nThree.');
  const messages = [user('1 + 2?'), answered(first), user('Really?')];
  const second = await complete(server, id, { messages });
  const third = await complete(server, id, { messages: [...messages, answered(second), user('Sure?')] });
  expect(third.sessionId).toBe(id);
  expect(await tree(id)).toEqual([
    '1 + 2?',
    'One moment.',
    '3',
    'Three.',
    'Really?',
    'Yes.',
    'Sure?',
    'Sure.',
  ]);
  expect(sent().messages.map(({ role }: any) => role)).toEqual([
    'user',
    'assistant',
    'tool',
    'assistant',
    'user',
    'assistant',
    'user',
  ]);
});
