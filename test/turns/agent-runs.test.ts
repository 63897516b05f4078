// Agents that work for a turn: what the run and its parent tell, what is stored, and how it ends.
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { EVENT_GAP } from '../../src/chat/recover-turns.ts';
import type { RequestBody } from '../fake-ollama/chat-request.ts';
import { type ChatScript, text, tokens, toolCall } from '../fake-ollama/chat-script.ts';
import { hangAfter, script } from '../fake-ollama/script-modifiers.ts';
import { askedOf, decide } from '../support/deciding.ts';
import { readStore } from '../support/read-store.ts';
import { ScriptedSource, succeeded } from '../support/scripted-source.ts';
import { openDatabaseOf } from '../support/test-database.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { expectWhole, isNamed, readUntil, untilIdle, watchAll, watchTurn } from './watching.ts';

const SKILL = `---
description: Counts things.
allowed-tools: count asks
---
You are a counter.`;

const source = new ScriptedSource('test', {
  tools: [
    { name: 'count', run: async ({ of }) => succeeded(`${String(of).length}`) },
    { name: 'asks', run: async () => succeeded('asked and done') },
  ],
});

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ toolSources: [source], config: { maxConcurrentTurns: 1 } });
  await mkdir(join(server.config.agentsDir, 'counter'), { recursive: true });
  await writeFile(join(server.config.agentsDir, 'counter', 'SKILL.md'), SKILL);
  await server.post('/agents/reload');
  server.ollama.setDefault(behave);
});
afterAll(() => server.close());

/** The main model calls the agent with the user's words; the agent does what its instruction says. */
function behave({ messages = [], tools = [] }: RequestBody): ChatScript {
  const isAgent = messages[0]?.role === 'system' && messages[0].content?.startsWith('You are a counter');
  const last = messages.at(-1);
  if (!isAgent) {
    if (last?.role === 'tool') return text('The agent said: ', last.content ?? '');
    return toolCall('agent', { agent: 'counter', instruction: last?.content ?? '' }, { id: 'call_agent' });
  }
  const task =
    messages.findLast(({ role, content }) => role === 'user' && content?.startsWith('do '))?.content ?? '';
  const results = messages.filter(({ role }) => role === 'tool').length;
  if (tools.length === 0) return text('1. Count.');
  if (task.includes('hang')) return script(tokens(1), hangAfter(1));
  const name = task.includes('ask') ? 'asks' : 'count';
  if (results < (task.includes('twice') ? 2 : 1))
    return toolCall(name, { of: 'abc' }, { id: `call_${results}` });
  return text('It is done.');
}

const parentSession = (policies: Record<string, string> = {}) =>
  server.createSession({
    agent_settings: { enabled_agents: ['counter'] },
    tool_settings: { execution_policy: 'never_confirm', tool_policies: policies },
  });

const told = async (sessionId: string, message: string) =>
  (await server.stream(`/chat/${sessionId}/stream`, { message })).all();

/** Without what is told now and then. */
const shownRun = (events: readonly any[]) =>
  events
    .filter(({ event }) => !['agent_status', 'status', 'context', 'turn_start'].includes(event))
    .map(({ event, data }) => [
      event,
      data.tool_name ?? data.reason ?? data.state ?? data.instruction ?? data.content ?? data.code ?? null,
    ]);

const contentsOf = async (sessionId: string) =>
  (await server.messages(sessionId)).map(({ content }) => content);
const chatOf = (events: readonly any[]) => events.find(isNamed('agent_start'))?.data.session_id;
const runOf = (events: readonly any[]) => events.find(isNamed('agent_start'))?.data.turn_id;
const turnOf = async (turnId: string) => (await server.get(`/turns/${turnId}`)).body;

const WORK = [
  ['agent_start', 'do it'],
  ['agent_planning', '1. Count.'],
  ['agent_tool_call', 'count'],
  ['agent_tool_result', 'count'],
  ['agent_execution', 'It is done.'],
  ['agent_complete', 'completed'],
];
const reportOf = (chatId: string) =>
  [`Session ID: ${chatId}`, '1. Count.', 'Tool call: count {"of":"abc"}', 'Result: 3', 'It is done.'].join(
    '\n',
  );

describe('a run of an agent', () => {
  it('is told by its parent in its order, live, again, from rows and plain; both histories are whole', async () => {
    const sessionId = await parentSession();
    const events = await told(sessionId, 'do it');
    expectWhole(events);
    const chatId = chatOf(events);
    const shown = shownRun(events).filter(([event]) => event !== 'content_delta');
    expect(shown).toEqual([
      ...WORK,
      ['tool_continuation_start', null],
      ['message_complete', null],
      ['done', 'completed'],
    ]);
    const base = { agent_name: 'counter', session_id: chatId, turn_id: runOf(events) };
    for (const { event, data } of events.filter(({ event }) => event.startsWith('agent_'))) {
      expect([event, data]).toEqual([
        event,
        expect.objectContaining({ ...base, agent_call_id: 'call_agent', agent_call_index: 0 }),
      ]);
    }
    expect(events.find(isNamed('agent_complete'))?.data.output).toBe(reportOf(chatId));
    const parentId = events[0]?.data.turn_id;
    expect(await watchAll(server, parentId)).toEqual(events);
    expect(await contentsOf(sessionId)).toEqual([
      'do it',
      '',
      reportOf(chatId),
      `The agent said: ${reportOf(chatId)}`,
    ]);
    expect(await contentsOf(chatId)).toEqual([
      'You are a counter.',
      'do it',
      '1. Count.',
      '',
      '3',
      'It is done.',
    ]);

    const run = await watchAll(server, base.turn_id);
    expectWhole(run);
    expect(run.filter(({ event }) => event.startsWith('agent_')).map(({ event }) => event)).toEqual([
      'agent_start',
      'agent_complete',
    ]);
    expect(await turnOf(base.turn_id)).toMatchObject({
      state: 'completed',
      agent_name: 'counter',
      phase: 'executing',
      parent_turn_id: parentId,
      usage: { prompt_tokens: expect.any(Number) },
    });
    expect((await turnOf(parentId)).agent_turns).toMatchObject([
      { ...base, session_id: chatId, state: 'completed' },
    ]);
    const [execution] = (await server.get(`/tool-executions?session_id=${sessionId}`)).body.executions;
    expect(execution).toMatchObject({
      tool_name: 'agent',
      source: { kind: 'agent' },
      state: 'succeeded',
      attempt: 1,
      turn_id: parentId,
    });

    const { body } = await server.chat(await parentSession(), { message: 'do it' });
    expect(body.tool_calls_executed).toEqual([
      { name: 'agent', arguments: { agent: 'counter', instruction: 'do it' }, success: true },
    ]);
    await server.restart();
    const [snapshot, ...closing] = await watchAll(server, parentId);
    expect(closing).toEqual(events.slice(-2));
    expect(snapshot?.data.tool_calls).toMatchObject([
      { tool_name: 'agent', success: true, result: reportOf(chatId) },
    ]);
  });

  it('plans without tools, and sees nothing of its parent; the last prompt of a phase is not stored', async () => {
    const before = server.ollama.requests.length;
    await told(await parentSession(), 'do it');
    const bodies: any[] = server.ollama.requests
      .slice(before)
      .filter(({ path }) => path === '/api/chat')
      .map(({ body }) => body);
    const [asking, planning, first, second, answering] = bodies;
    expect(bodies).toHaveLength(5);
    expect(asking.tools.map((tool: any) => tool.function.name)).toEqual(['agent']);
    expect(planning.tools).toBeUndefined();
    expect(planning.messages.map(({ role }: any) => role)).toEqual(['system', 'user', 'user']);
    expect(planning.messages.at(-1).content).toContain('count');
    for (const working of [first, second]) {
      expect(working.tools.map((tool: any) => tool.function.name)).toEqual(['count', 'asks']);
      expect(working.messages.at(-1).role).toBe('user');
    }
    expect(second.messages.map(({ role }: any) => role)).toEqual([
      'system',
      'user',
      'assistant',
      'assistant',
      'tool',
      'user',
    ]);
    expect(answering.messages.at(-1)).toMatchObject({ role: 'tool', tool_name: 'agent' });
  });

  it('is asked about like any call; denied, nothing begins', async () => {
    const sessionId = await parentSession({ agent: 'always_confirm' });
    for (const decision of ['approve', 'deny']) {
      const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'do it' });
      const seen = await readUntil(stream, isNamed('tool_call_confirmation_required'));
      expect(seen.at(-1)?.data).toMatchObject({ tool_name: 'agent', agent_name: null, kind: 'tool' });
      await decide(server, seen.at(-1)?.data.confirmation_id, { decision });
      const rest = shownRun(await stream.all());
      expect(rest[0]).toEqual(decision === 'approve' ? ['agent_start', 'do it'] : ['tool_result', 'agent']);
    }
  });

  it('goes on in a chat of its own when it is told to, and in no other', async () => {
    const sessionId = await parentSession();
    const chatId = chatOf(await told(sessionId, 'do it'));
    const call = (chat: string) =>
      server.ollama.reply(
        toolCall(
          'agent',
          { agent: 'counter', instruction: 'do more', session_id: chat },
          { id: 'call_agent' },
        ),
      );
    call(chatId);
    const again = await told(sessionId, 'Again.');
    expect(again.find(isNamed('agent_start'))?.data).toMatchObject({ session_id: chatId, continued: true });
    expect((await contentsOf(chatId)).filter((content) => content.startsWith('do '))).toEqual([
      'do it',
      'do more',
    ]);
    for (const chat of [sessionId, 'nothing']) {
      call(chat);
      const events = await told(sessionId, 'Elsewhere.');
      const tools = events.filter(({ event }) => event.startsWith('tool_') || event.startsWith('agent_'));
      expect(tools.map(({ event, data }) => [event, data.success])).toEqual([
        ['tool_call', undefined],
        ['tool_result', false],
        ['tool_continuation_start', undefined],
      ]);
      expect(tools[1]?.data.error).toContain('has no conversation');
    }
  });
});

describe('a person in a run', () => {
  const openAsking = async (sessionId: string, body: Record<string, unknown> = {}) => {
    const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'do ask twice', ...body });
    const seen = await readUntil(stream, isNamed('tool_call_confirmation_required'));
    return { stream, seen, rest: async () => [...seen, ...(await stream.all())] };
  };
  const asking = () => parentSession({ asks: 'always_confirm' });

  it('is asked in the session of the parent; both turns wait, their slot is free, and both go on', async () => {
    const sessionId = await asking();
    const { seen, stream } = await openAsking(sessionId);
    const [chatId, runId, parentId] = [chatOf(seen), runOf(seen), seen[0]?.data.turn_id];
    const [asked] = await askedOf(server, sessionId);
    expect(asked).toMatchObject({
      session_id: sessionId,
      turn_id: runId,
      agent_name: 'counter',
      agent_session_id: chatId,
      tool_name: 'asks',
    });
    expect(seen.at(-1)?.data).toMatchObject({
      confirmation_id: asked.confirmation_id,
      agent_name: 'counter',
      agent_session_id: chatId,
    });
    for (const id of [parentId, runId]) {
      expect(await turnOf(id)).toMatchObject({ state: 'waiting', approvals: [asked] });
    }
    expect((await server.get(`/sessions/${sessionId}/status`)).body.approvals).toEqual([asked]);
    const late = await watchTurn(server, parentId);
    // The one slot is free.
    server.ollama.reply(text('Fine.'));
    await server.chat(await server.createSession(), { message: 'Hello' });
    const confirm = { confirmation_id: asked.confirmation_id, approved: true };
    expect((await server.post(`/chat/${sessionId}/confirm-tool`, confirm)).status).toBe(200);
    const more = await readUntil(stream, isNamed('tool_call_confirmation_required'));
    await decide(server, more.at(-1)?.data.confirmation_id, { decision: 'deny' });
    const events = [...seen, ...more, ...(await stream.all())];
    expectWhole(events);
    expect(await late.all()).toEqual(events);
    expect(shownRun(events).filter(([event]) => /tool_(call|result)|confirmation/.test(event))).toEqual([
      ['tool_call_confirmation_required', 'asks'],
      ['agent_tool_result', 'asks'],
      ['tool_call_confirmation_required', 'asks'],
      ['agent_tool_result', 'asks'],
    ]);
    expect((await contentsOf(chatId)).slice(-3)).toEqual([
      '',
      "Tool 'asks' was denied by user",
      'It is done.',
    ]);
    expect((await turnOf(parentId)).state).toBe('completed');
  });

  it('is waited for over restarts; then the run goes on, and its parent after it', async () => {
    const sessionId = await asking();
    const { seen, stream } = await openAsking(sessionId);
    const [chatId, runId, parentId] = [chatOf(seen), runOf(seen), seen[0]?.data.turn_id];
    const restarted = server.restart();
    expect((await stream.all()).at(-1)).toMatchObject({ id: 0, event: 'done', data: { state: 'waiting' } });
    await restarted;
    for (const round of [0, 1]) {
      const watch = await watchTurn(server, parentId, { lastEventId: Number(seen.at(-1)?.id) });
      const [snapshot] = await readUntil(watch, isNamed('snapshot'));
      const [asked] = await askedOf(server, sessionId);
      expect(snapshot?.data).toMatchObject({ turn: { state: 'waiting' }, approvals: [asked] });
      expect(await turnOf(runId)).toMatchObject({ state: 'waiting', phase: 'executing', round: round + 1 });
      await decide(server, asked.confirmation_id, { decision: 'approve' });
      if (round === 0) {
        const told = await readUntil(watch, isNamed('tool_call_confirmation_required'));
        expect(told.map(({ event }) => event)).toContain('agent_tool_result');
        await server.restart();
      } else {
        const rest = shownRun(await watch.all()).filter(([event]) => event !== 'content_delta');
        expect(rest).toEqual([
          ['agent_tool_result', 'asks'],
          ['agent_execution', 'It is done.'],
          ['agent_complete', 'completed'],
          ['tool_continuation_start', null],
          ['message_complete', null],
          ['done', 'completed'],
        ]);
      }
    }
    expect(await contentsOf(chatId)).toEqual([
      'You are a counter.',
      'do ask twice',
      '1. Count.',
      '',
      'asked and done',
      '',
      'asked and done',
      'It is done.',
    ]);
    expect((await contentsOf(sessionId)).at(-1)).toContain(`The agent said: Session ID: ${chatId}`);
  });

  describe('whose agent cannot work any more when the server is back', () => {
    const folder = () => join(server.config.agentsDir, 'counter');
    const GONE = 'The agent counter is not there any more, or cannot be used.';
    const breakings = {
      gone: () => rm(folder(), { recursive: true }),
      broken: () => writeFile(join(folder(), 'SKILL.md'), 'Nothing of use.'),
    };
    /** What is told after a restart, however late one comes: not the snapshot that it begins with. */
    const restartedWithout = async (how: keyof typeof breakings, turnIds: readonly string[]) => {
      // What counts is what is stored: a run and its parent rest in one moment, in which the parent may still have to tell
      // what it has heard of the run.
      const rows = async () => {
        const { turns } = await readStore(server.dataDir);
        return turnIds.map((turnId) => turns.find(({ id }) => id === turnId));
      };
      await expect.poll(async () => (await rows()).every((turn) => turn?.state === 'waiting')).toBe(true);
      const before = await rows();
      await breakings[how]();
      await server.restart();
      return (index: number) => {
        const { id = '', last_event_id: last = 0 } = before[index] ?? {};
        return watchAll(server, id, { after: last + EVENT_GAP });
      };
    };
    afterEach(async () => {
      await mkdir(folder(), { recursive: true });
      await writeFile(join(folder(), 'SKILL.md'), SKILL);
      await server.post('/agents/reload');
    });

    it.each(['gone', 'broken'] as const)('its parent is told why, with what was done: %s', async (how) => {
      const sessionId = await asking();
      const { seen } = await openAsking(sessionId);
      const [chatId, runId, parentId] = [chatOf(seen), runOf(seen), seen[0]?.data.turn_id];
      const tellAgain = await restartedWithout(how, [parentId, runId]);
      const rest = shownRun(await tellAgain(0));
      expect(rest.filter(([event]) => event !== 'content_delta')).toEqual([
        ['agent_complete', 'failed'],
        ['tool_continuation_start', null],
        ['message_complete', null],
        ['done', 'completed'],
      ]);
      const result = [
        `Error: The agent counter failed: ${GONE}`,
        `Session ID: ${chatId}`,
        '1. Count.',
        'Tool call: asks {"of":"abc"}',
        `Continue with session_id ${chatId}.`,
      ].join('\n');
      expect((await contentsOf(sessionId)).slice(-2)).toEqual([result, `The agent said: ${result}`]);
      const run = await turnOf(runId);
      expect(run).toMatchObject({ state: 'failed', error: { code: 'agent_not_found' }, approvals: [] });
      expect((await server.get(`/approvals?session_id=${sessionId}`)).body.approvals).toEqual([]);
      expect(shownRun(await tellAgain(1))).toEqual([
        ['agent_complete', 'failed'],
        ['error', 'agent_not_found'],
        ['done', 'failed'],
      ]);
    });

    it('a client that has started it is told, too', async () => {
      const body = { instruction: 'do ask', tool_settings: { execution_policy: 'always_confirm' } };
      const stream = await server.stream('/agents/agent/counter/chat/stream', body);
      const seen = await readUntil(stream, isNamed('tool_call_confirmation_required'));
      const tellAgain = await restartedWithout('gone', [seen[0]?.data.turn_id]);
      const events = await tellAgain(0);
      expect(shownRun(events)).toEqual([
        ['agent_complete', 'failed'],
        ['error', 'agent_not_found'],
        ['done', 'failed'],
      ]);
      const { output } = events.find(isNamed('agent_complete'))?.data ?? {};
      expect(output).toContain(`Error: The agent counter failed: ${GONE}\nSession ID: `);
    });
  });

  it('ends at the next start where its parent has ended without it: nobody would go on with it', async () => {
    const sessionId = await asking();
    const { seen } = await openAsking(sessionId);
    const [runId, parentId] = [runOf(seen), seen[0]?.data.turn_id];
    await expect.poll(async () => (await turnOf(parentId)).state).toBe('waiting');
    const { db, close } = await openDatabaseOf(server.dataDir, { exclusive: false });
    const ended = { state: 'failed', finished_at: new Date().toISOString() } as const;
    await db.updateTable('turns').set(ended).where('id', '=', parentId).execute();
    await close();
    await server.restart();
    await expect
      .poll(() => turnOf(runId))
      .toMatchObject({ state: 'interrupted', approvals: [], error: { code: 'turn_interrupted' } });
    expect((await server.get(`/approvals?session_id=${sessionId}`)).body.approvals).toEqual([]);
    expect((await turnOf(parentId)).state).toBe('failed');
  });

  it.each(['the parent', 'the run'] as const)('a cancel of %s while it waits', async (which) => {
    const sessionId = await asking();
    const { seen, stream } = await openAsking(sessionId);
    const [chatId, runId, parentId] = [chatOf(seen), runOf(seen), seen[0]?.data.turn_id];
    await server.post(`/turns/${which === 'the run' ? runId : parentId}/cancel?wait=true`);
    const events = await stream.all();
    expect(await turnOf(runId)).toMatchObject({ state: 'cancelled', approvals: [] });
    expect((await turnOf(parentId)).state).toBe(which === 'the run' ? 'completed' : 'cancelled');
    expect(events.find(isNamed('agent_complete'))?.data).toMatchObject({
      success: false,
      reason: 'cancelled',
    });
    const result = (await contentsOf(sessionId))[2];
    expect(result).toMatch(/^Error: /);
    expect(result).toContain(`Session ID: ${chatId}`);
    expect(result).toContain(`Continue with session_id ${chatId}.`);
    expect((await contentsOf(chatId)).at(-1)).toBe("Tool 'asks' was not run: the turn was cancelled");
    expect((await server.get(`/approvals?session_id=${sessionId}`)).body.approvals).toEqual([]);
  });

  it('a plain request that waits for nobody fails whole, and keeps what was done', async () => {
    const sessionId = await asking();
    const { status, body } = await server.post(`/chat/${sessionId}`, { message: 'do ask' });
    expect([status, body.detail.error.code, body.detail.error.details.tools]).toEqual([
      400,
      'tool_confirmation_requires_streaming',
      ['asks'],
    ]);
    const [turn] = (await server.get(`/sessions/${sessionId}/turns`)).body.turns;
    expect(turn).toMatchObject({ state: 'failed', agent_turns: [{ state: 'failed' }] });
    expect((await contentsOf(turn.agent_turns[0].session_id)).at(-1)).toBe(
      'Error: not run: it needs an approval',
    );
    // What is for the client is not told to the model.
    expect(body.detail.error.message).toContain('on_approval');
    const told = (await server.messages(sessionId)).find(({ role }) => role === 'tool')?.content;
    expect(told).toMatch(/^Error: The agent \w+ failed: .*no tool was run\.\nSession ID: /);
    expect(told).not.toContain('on_approval');
  });

  it('a plan that needs an approval fails such a request, too', async () => {
    const folder = join(server.config.agentsDir, 'careful');
    await mkdir(folder, { recursive: true });
    const front =
      '---\ndescription: Careful.\nallowed-tools: count\nmetadata:\n  mochi-approve-plan: "true"\n---\n';
    await writeFile(join(folder, 'SKILL.md'), `${front}You are a counter, and careful.`);
    await server.post('/agents/reload');
    const sessionId = await server.createSession({
      agent_settings: { enabled_agents: ['careful'] },
      tool_settings: { execution_policy: 'never_confirm' },
    });
    server.ollama.reply(toolCall('agent', { agent: 'careful', instruction: 'do it' }));
    const { status, body } = await server.post(`/chat/${sessionId}`, { message: 'Go.' });
    expect([status, body.detail.error.code, body.detail.error.details.tools]).toEqual([
      400,
      'tool_confirmation_requires_streaming',
      ['agent'],
    ]);
    const told = (await server.messages(sessionId)).find(({ role }) => role === 'tool')?.content;
    expect(told).toMatch(/^Error: The agent careful failed: .*nothing of it was done\.\nSession ID: /);
    expect((await server.get(`/approvals?session_id=${sessionId}&status=all`)).body.approvals).toEqual([]);
  });

  it('deletes the session while it waits: the run and its chat go with it', async () => {
    const sessionId = await asking();
    const { seen, stream } = await openAsking(sessionId);
    expect((await server.request('DELETE', `/sessions/${sessionId}`)).status).toBe(204);
    expect((await stream.all()).at(-1)?.data.state).toBe('cancelled');
    expect((await server.get(`/sessions/${chatOf(seen)}`)).status).toBe(404);
    expect((await server.get(`/turns/${runOf(seen)}`)).status).toBe(404);
  });
});

describe('a run that is stopped while it works', () => {
  it('ends with its parent', async () => {
    const sessionId = await parentSession();
    const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'do hang' });
    const seen = await readUntil(stream, isNamed('agent_execution'));
    await server.post(`/chat/${sessionId}/cancel`);
    const events = [...seen, ...(await stream.all())];
    expectWhole(events);
    expect(events.slice(-3).map(({ event }) => event)).toEqual(['agent_complete', 'error', 'done']);
    await untilIdle(server, sessionId);
    expect(await turnOf(runOf(events))).toMatchObject({ state: 'cancelled' });
    expect((await server.messages(chatOf(events))).at(-1)).toMatchObject({ status: 'partial' });
    // The slot is free, and the next message finds a whole history.
    expect(shownRun(await told(sessionId, 'do it')).at(-1)).toEqual(['done', 'completed']);
  });
});
