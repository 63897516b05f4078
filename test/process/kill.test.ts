// kill -9 with turns in every state, then a start on the same folder: what was acknowledged is there, nothing hangs.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import SqliteDriver from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RequestBody } from '../fake-ollama/chat-request.ts';
import { type ChatScript, mute, text, toolCall } from '../fake-ollama/chat-script.ts';
import { type FakeOllama, startFakeOllama } from '../fake-ollama/fake-ollama.ts';
import { hangAfter, script } from '../fake-ollama/script-modifiers.ts';
import { eventually } from '../support/eventually.ts';
import type { StreamedEvent } from '../support/read-events.ts';
import { faultsOf, readStore, type StoredRows } from '../support/read-store.ts';
import { type SpawnedServer, spawnServer } from '../support/spawned-server.ts';

/** Refuses a history that strict templates refuse: a result without its call, a second system message. */
const MODEL = { name: 'strict:latest', capabilities: ['completion', 'tools'], strictTemplate: true };

/** The last user message says how the model behaves. */
function behave({ messages = [] }: RequestBody): ChatScript {
  const asked = messages.findLast(({ role }) => role === 'user')?.content ?? '';
  const hasResult = messages.at(-1)?.role === 'tool';
  if (asked.startsWith('stay silent')) return mute();
  if (asked.startsWith('stop after three')) return script(text('one ', 'two ', 'three '), hangAfter(3));
  if (asked.startsWith('use a tool')) {
    return hasResult ? script(text('So ', 'far'), hangAfter(1)) : toolCall('look', { at: 'it' });
  }
  return text('Fine', '.');
}

describe('kill -9 and a new start', () => {
  let ollama: FakeOllama;
  let dataDir: string;
  let server: SpawnedServer;
  /** As the kill left it. */
  let killed: StoredRows;
  /** As the new start left it, before anything else happened. */
  let rows: StoredRows;
  const session = { cut: '', silent: '', queued: '', placed: '', tools: '', gap: '', edited: '', fork: '' };
  const turn = { cut: '', silent: '', first: '', second: '', tools: '', plain: '' };
  const acknowledged: { sessionId: string; messageId: string; content: string }[] = [];
  let editedId = '';

  /** Streams a message until an event of this name; the connection stays open, as a client's would. */
  async function streamUntil(sessionId: string, message: string | null, until: string): Promise<string> {
    const stream = await server.stream(`/chat/${sessionId}/stream`, { message });
    // The kill cuts the stream in the middle of whatever it was sending.
    const next = async () => (await stream.events.next()).value as StreamedEvent;
    const { data } = await next();
    if (message !== null) acknowledged.push({ sessionId, messageId: data.user_message_id, content: message });
    let event: StreamedEvent;
    do event = await next();
    while (event.event !== until);
    void stream.all().catch(() => undefined);
    return data.turn_id;
  }

  beforeAll(async () => {
    ollama = await startFakeOllama({ models: [MODEL] });
    ollama.setDefault(behave);
    dataDir = await mkdtemp(join(tmpdir(), 'mochi-kill-'));
    server = await spawnServer({ dataDir, ollamaHost: ollama.url });
    for (const name of Object.keys(session) as (keyof typeof session)[]) {
      session[name] = await server.createSession({ model: MODEL.name, system_prompt: `You are ${name}.` });
    }

    turn.cut = await streamUntil(session.cut, 'stop after three', 'content_delta');
    await checkpointOf(session.cut, 'one two three ');
    turn.silent = await streamUntil(session.silent, 'stay silent', 'status');
    turn.first = await streamUntil(session.queued, 'stay silent 1', 'status');
    turn.second = await streamUntil(session.queued, 'stay silent 2', 'status');
    await streamUntil(session.placed, 'stay silent 3', 'status');
    await queuePlaced(session.placed, 'stay silent 4');
    turn.tools = await streamUntil(session.tools, 'use a tool', 'tool_result');
    await checkpointOf(session.tools, 'So ');
    await streamUntil(session.gap, 'use a tool', 'tool_result');
    await checkpointOf(session.gap, 'So ');

    await server.chat(session.edited, { message: 'first wording' });
    const edit = await server.request('PUT', `/sessions/${session.edited}/messages/1`, {
      content: 'stay silent, second wording',
    });
    editedId = edit.body.message.message_id;
    await streamUntil(session.edited, null, 'status');

    const waiting = server.post(`/chat/${session.fork}`, { message: 'stay silent, plainly' });
    await Promise.all([
      expect(waiting).rejects.toThrow(),
      ollama
        .waitForRequest('/api/chat', ({ rawBody }) => rawBody.includes('plainly'))
        .then(() => server.kill('SIGKILL')),
    ]);
    undoTheAnswerTo(session.gap);
    killed = await readStore(dataDir);
    server = await spawnServer({ dataDir, ollamaHost: ollama.url });
    rows = await readStore(dataDir);
    // Processes start slowly on a machine that does much else.
  }, 90_000);
  afterAll(async () => {
    await server.kill('SIGTERM');
    await ollama.close();
    await rm(dataDir, { recursive: true });
  });

  /** A message of another API that waits in line; its answer comes with the kill, which is none. */
  async function queuePlaced(sessionId: string, content: string): Promise<void> {
    const body = { model: MODEL.name, stream: true, messages: [{ role: 'user', content }] };
    const url = `${server.url}/s/${sessionId}/v1/chat/completions`;
    void fetch(url, { method: 'POST', body: JSON.stringify(body) }).catch(() => undefined);
    const states = async () =>
      (await server.get(`/sessions/${sessionId}/turns`)).body.turns.map(({ state }: any) => state);
    await eventually(async () => expect(await states()).toEqual(['queued', 'running']));
  }

  /** Waits until the text is on disk: about once a second while it is written. */
  async function checkpointOf(sessionId: string, content: string): Promise<void> {
    await eventually(async () => expect((await server.messages(sessionId)).at(-1)?.content).toBe(content));
  }

  /** The instant between two commits, too short to hit with a kill: the call is stored, its result is not. */
  function undoTheAnswerTo(sessionId: string): void {
    const driver = new SqliteDriver(join(dataDir, 'mochi.db'));
    driver.transaction(() => {
      driver.prepare('delete from messages where session_id = ? and depth > 1').run(sessionId);
      driver
        .prepare(
          `update session_rows set head_depth = 1,
             head_id = (select id from messages where session_id = session_rows.id and depth = 1)
           where id = ?`,
        )
        .run(sessionId);
      driver
        .prepare("update tool_calls set state = 'pending', result_message_id = null where session_id = ?")
        .run(sessionId);
    })();
    driver.close();
  }

  const pathOf = async (sessionId: string) =>
    (await server.messages(sessionId)).map(({ role, content, status }) => [role, content, status]);

  it('leaves nothing open, half done or out of order', () => {
    expect(faultsOf(killed).length).toBeGreaterThan(8);
    expect(faultsOf(rows)).toEqual([]);
  });

  it('keeps every message that was acknowledged, in its session', async () => {
    expect(acknowledged).toHaveLength(7);
    for (const { sessionId, messageId, content } of acknowledged) {
      const found = (await server.messages(sessionId)).find(({ message_id }) => message_id === messageId);
      expect(found).toMatchObject({ role: 'user', content, status: 'complete' });
    }
  });

  it('closes the turns as interrupted, with the error and the part', async () => {
    const interrupted = rows.turns.filter(({ state }) => state === 'interrupted');
    expect(interrupted).toHaveLength(10);
    for (const { error } of interrupted)
      expect(JSON.parse(error ?? '')).toMatchObject({ code: 'turn_interrupted' });
    const { body } = await server.get(`/turns/${turn.cut}`);
    const [, , part] = await server.messages(session.cut);
    expect(body).toMatchObject({
      state: 'interrupted',
      error: { code: 'turn_interrupted' },
      message_id: part.message_id,
    });
    expect(await server.get(`/sessions/${session.cut}`)).toMatchObject({ body: { active_turn: null } });
  });

  it('keeps the text of the last checkpoint as a partial message', async () => {
    expect(await pathOf(session.cut)).toEqual([
      ['system', 'You are cut.', 'complete'],
      ['user', 'stop after three', 'complete'],
      ['assistant', 'one two three ', 'partial'],
    ]);
  });

  it('has no answer where none had begun', async () => {
    expect(await pathOf(session.silent)).toEqual([
      ['system', 'You are silent.', 'complete'],
      ['user', 'stay silent', 'complete'],
    ]);
    expect(await pathOf(session.fork)).toEqual([
      ['system', 'You are fork.', 'complete'],
      ['user', 'stay silent, plainly', 'complete'],
    ]);
  });

  it('puts a message that waited in line after the one before it', async () => {
    expect(await pathOf(session.queued)).toEqual([
      ['system', 'You are queued.', 'complete'],
      ['user', 'stay silent 1', 'complete'],
      ['user', 'stay silent 2', 'complete'],
    ]);
    expect(await server.get(`/turns/${turn.second}`)).toMatchObject({
      body: { state: 'interrupted', message_id: null },
    });
  });

  it('puts what a client of another API has said in line after the one before it', async () => {
    expect(await pathOf(session.placed)).toEqual([
      ['system', 'You are placed.', 'complete'],
      ['user', 'stay silent 3', 'complete'],
      ['user', 'stay silent 4', 'complete'],
    ]);
    const { turns } = (await server.get(`/sessions/${session.placed}/turns`)).body;
    expect(turns).toMatchObject([{ state: 'interrupted' }, { state: 'interrupted' }]);
  });

  it('keeps the results of tools, and gives one to a call that had none', async () => {
    expect(await pathOf(session.tools)).toEqual([
      ['system', 'You are tools.', 'complete'],
      ['user', 'use a tool', 'complete'],
      ['assistant', '', 'complete'],
      ['tool', "Error: Tool 'look' is not available.", 'complete'],
      ['assistant', 'So ', 'partial'],
    ]);
    expect(await pathOf(session.gap)).toEqual([
      ['system', 'You are gap.', 'complete'],
      ['user', 'use a tool', 'complete'],
      ['assistant', '', 'complete'],
      ['tool', "Tool 'look' was not run: the turn ended first", 'complete'],
    ]);
  });

  it('shows the edited message, and keeps the old branch in the tree', async () => {
    expect(await pathOf(session.edited)).toEqual([
      ['system', 'You are edited.', 'complete'],
      ['user', 'stay silent, second wording', 'complete'],
    ]);
    const { body } = await server.get(`/sessions/${session.edited}/tree`);
    expect(body.head).toBe(editedId);
    expect(body.messages.map(({ content }: { content: string }) => content)).toEqual([
      'You are edited.',
      'first wording',
      'Fine.',
      'stay silent, second wording',
    ]);
  });

  it.each(Object.keys(session) as (keyof typeof session)[])('chats on in the session "%s"', async (name) => {
    const before = await server.messages(session[name]);
    const { body } = await server.chat(session[name], { message: `go on, ${name}` });
    expect(body.message.content).toBe('Fine.');
    const after = await server.messages(session[name]);
    expect(after.slice(0, before.length)).toEqual(before);
    expect(after.slice(before.length).map(({ content }) => content)).toEqual([`go on, ${name}`, 'Fine.']);
    const sent = ollama.requestsTo('/api/chat').at(-1)?.body?.messages ?? [];
    expect(sent.map(({ content }) => content)).toEqual(
      after.slice(0, -1).map(({ content }: { content: string }) => content),
    );
  });

  it('answers a cut message anew, and goes on after its part', async () => {
    const [, question, part] = await server.messages(session.cut);
    const anew = await server.request('PUT', `/sessions/${session.cut}/head`, {
      message_id: part.message_id,
    });
    expect(anew.status).toBe(200);
    ollama.reply(text('anew'), text('four'));
    await server.chat(session.cut, { message: null });
    const sibling = (await server.messages(session.cut)).at(-1);
    expect(sibling).toMatchObject({ content: 'anew', parent_id: question.message_id, sibling_count: 2 });
    await server.request('PUT', `/sessions/${session.cut}/head`, { message_id: part.message_id });
    await server.chat(session.cut, { message: null, mode: 'continue' });
    const next = (await server.messages(session.cut)).at(-1);
    expect(next).toMatchObject({ content: 'four', parent_id: part.message_id });
  });
});
