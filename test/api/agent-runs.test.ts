// Agents that a client talks to itself: chats begun and gone on in, models, keys, busy chats, people, and what is refused.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createMochi } from '../../src/client/index.ts';
import { text, tokens, toolCall } from '../fake-ollama/chat-script.ts';
import { hangAfter, script } from '../fake-ollama/script-modifiers.ts';
import { type AgentServer, CODER, startAgentServer, UNASKED } from '../support/agent-server.ts';
import { nativeTool, skill, writeFiles } from '../support/agent-world.ts';
import { readStore } from '../support/read-store.ts';
import { isNamed, isPhase, namesOf, readUntil } from '../turns/watching.ts';

let server: AgentServer;
beforeAll(async () => {
  server = await startAgentServer({
    ...CODER,
    'agents/picky/SKILL.md': skill('model: qwen3:14b'),
    'agents/picky/index.mjs': nativeTool('work'),
    'agents/dreamer/SKILL.md': skill('model: not-installed'),
    'agents/dreamer/index.mjs': nativeTool('work'),
    'agents/broken/SKILL.md': '---\nmodel: x\n---\n',
    'agents/wordy/SKILL.md': skill('', 'Long. '.repeat(40_000)),
    'agents/wordy/index.mjs': nativeTool('work'),
  });
});
afterAll(() => server.close());
beforeEach(() => {
  server.ollama.setDefault(() => text('Fine.'));
  server.asked();
});

const work = (instruction = 'Count.', more: object = {}) => ({
  instruction,
  tool_settings: UNASKED,
  ...more,
});
const post = (agent: string, body: object, headers?: Record<string, string>) =>
  server.post(`/agents/agent/${agent}/chat`, body, headers);
const rolesOf = async (chat: string) => (await server.messages(chat)).map(({ role }) => role);
const chatsOf = async (agent: string): Promise<string[]> =>
  (await server.get(`/agents/chats?agent=${agent}`)).body.chats.map((chat: any) => chat.session_id);

describe('a run', () => {
  it('without a session is in a new agent chat, which stands alone', async () => {
    const { status, headers, body } = await post('coder', work());
    expect([status, body.message.content]).toEqual([200, 'Fine.']);
    expect(headers.get('location')).toBe(`/api/v1/turns/${body.turn_id}`);
    const { body: chat } = await server.get(`/agents/chats/${body.session_id}`);
    expect(chat).toMatchObject({
      agent_name: 'coder',
      parent_session_id: null,
      parent_turn_id: null,
      title: null,
    });
    // A chat is no younger than what was last done in it.
    const { body: turn } = await server.get(`/turns/${body.turn_id}`);
    expect(chat.created_at).toBe(turn.created_at);
    expect(chat.messages[0]).toMatchObject({
      role: 'system',
      content: 'You count.',
      source_file: 'SKILL.md',
    });
    expect((await server.get('/sessions')).body.sessions).toEqual([]);
    expect((await server.get(`/agents/chats?agent=coder`)).body.chats[0]).toMatchObject({
      session_id: body.session_id,
      last_turn_id: body.turn_id,
      preview: 'Count.',
    });
  });

  it('goes on in a chat of the agent, with SKILL.md as it is by then', async () => {
    const first = await post('coder', work());
    const chat = first.body.session_id;
    const before = (await server.messages(chat)).length;
    writeFiles(server.dataDir, { 'agents/coder/SKILL.md': skill('', 'You count twice.') });
    await server.post('/agents/reload');
    server.asked();
    const { body } = await post('coder', work('Again.', { session_id: chat }));
    writeFiles(server.dataDir, { 'agents/coder/SKILL.md': CODER['agents/coder/SKILL.md'] });
    await server.post('/agents/reload');
    expect(body.session_id).toBe(chat);
    const messages = await server.messages(chat);
    expect(messages.length).toBeGreaterThan(before);
    expect(messages.filter(({ role }) => role === 'system')).toHaveLength(1);
    expect(messages[0].content).toBe('You count twice.');
    expect(server.asked()[0]?.messages.slice(0, 2)).toEqual([
      { role: 'system', content: 'You count twice.' },
      { role: 'user', content: 'Count.' },
    ]);
    const stream = await server.run('coder', work('And again.', { session_id: chat }));
    expect(stream.find(isNamed('agent_start'))?.data).toMatchObject({
      continued: true,
      instruction: 'And again.',
    });
  });

  it('works with the model that is asked for, else that of the agent, else of its chat, else the default one', async () => {
    const modelOf = async (agent: string, more: object = {}) => {
      const events = await server.run(agent, work('Go.', more));
      const { model, session_id: chat } = events.find(isNamed('agent_start'))?.data ?? {};
      expect((await server.get(`/sessions/${chat}`)).body.model).toBe(model);
      expect(events.find(isNamed('message_complete'))?.data.model).toBe(model);
      return { model, chat };
    };
    const [usual, other] = ['llama3.2:latest', 'hf.co/org/repo:Q4_K_M'];
    expect((await modelOf('coder')).model).toBe(usual);
    const picky = await modelOf('picky');
    expect(picky.model).toBe('qwen3:14b');
    expect((await modelOf('dreamer')).model).toBe(usual);
    const chosen = await modelOf('picky', { model: other });
    expect(chosen.model).toBe(other);
    // Another one is asked for once, and the agent wants its own again.
    expect((await modelOf('picky', { session_id: chosen.chat })).model).toBe(picky.model);
    const kept = await modelOf('coder', { model: picky.model });
    expect((await modelOf('coder', { session_id: kept.chat })).model).toBe(picky.model);
  });

  it('that is asked for twice with one key is one run, in one chat, also after a restart', async () => {
    const key = { 'idempotency-key': 'once' };
    const answers = await Promise.all([1, 2, 3].map(() => post('picky', work('One.'), key)));
    const runs = new Set(answers.map(({ body }) => `${body.session_id} ${body.turn_id}`));
    expect(runs.size).toBe(1);
    const [{ body }] = answers as [(typeof answers)[number]];
    const before = await chatsOf('picky');
    await server.restart();
    expect((await post('picky', work('One.'), key)).body.turn_id).toBe(body.turn_id);
    expect(await chatsOf('picky')).toEqual(before);
    for (const changed of [work('Two.'), work('One.', { model: 'llama3.2' }), { instruction: 'One.' }]) {
      const { status, body: refused } = await post('picky', changed, key);
      expect([status, refused.detail.error.code]).toEqual([422, 'idempotency_mismatch']);
    }
    // In its chat, for another agent, or on the other route it is another request.
    const more = await post('picky', work('One.', { session_id: body.session_id }), key);
    expect(more.body.session_id).toBe(body.session_id);
    expect(more.body.turn_id).not.toBe(body.turn_id);
    expect((await post('coder', work('One.'), key)).body.turn_id).not.toBe(body.turn_id);
    // Gone with its chat.
    await server.request('DELETE', `/agents/chats/${body.session_id}`);
    expect((await post('picky', work('One.'), key)).body.session_id).not.toBe(body.session_id);
  });
});

describe('a run that is polled', () => {
  it('is told so far, and goes on; by the client of our own, too', async () => {
    const stream = await server.stream('/agents/agent/coder/chat/stream?follow=false', work());
    expect(namesOf(await stream.all()).slice(0, 2)).toEqual(['turn_start', 'agent_start']);
    const turnId = stream.headers.get('x-turn-id');
    await expect.poll(async () => (await server.get(`/turns/${turnId}`)).body.state).toBe('completed');
    const refused = await server.post(
      '/agents/agent/coder/chat/stream?follow=false',
      work('Count.', { on_disconnect: 'cancel' }),
    );
    expect(refused.status).toBe(422);
    for (const transport of ['poll', 'stream'] as const) {
      const { agents } = createMochi({ baseUrl: server.url, transport });
      const answer = await agents.stream('coder', work()).answer();
      expect(answer).toMatchObject({ message: { content: 'Fine.' } });
      const { session_id: chat } = await agents.run(
        'coder',
        work('Again.', { session_id: answer.session_id }),
      );
      expect(chat).toBe(answer.session_id);
    }
  });
});

describe('a chat that is worked in', () => {
  async function hanging() {
    server.ollama.reply(script(tokens(2), hangAfter(1)));
    const stream = await server.stream('/agents/agent/coder/chat/stream', work());
    const seen = await readUntil(stream, isNamed('content_delta'));
    const { session_id: chat, turn_id: turn } = seen[0]?.data ?? {};
    return { stream, chat, turn };
  }

  it('is busy: another run waits, is refused, or goes before it', async () => {
    const { stream, chat, turn } = await hanging();
    const rejected = await post('coder', work('Me.', { session_id: chat, on_busy: 'reject' }));
    expect([rejected.status, rejected.body.detail.error]).toMatchObject([
      409,
      { code: 'session_busy', details: { turn_id: turn } },
    ]);
    const waiting = await server.stream(
      '/agents/agent/coder/chat/stream',
      work('Then I.', { session_id: chat }),
    );
    const seen = await readUntil(waiting, isPhase('queued'));
    expect(namesOf(seen)).toEqual(['turn_start', 'agent_start', 'status']);
    const first = await post('coder', work('I first.', { session_id: chat, on_busy: 'interrupt' }));
    expect(first.status).toBe(200);
    expect((await stream.all()).at(-1)?.data.state).toBe('cancelled');
    expect((await waiting.all()).at(-1)?.data.state).toBe('completed');
    const asked = (await server.messages(chat)).filter(({ role }) => role === 'user');
    expect(asked.map(({ content }) => content)).toEqual(['Count.', 'I first.', 'Then I.']);
  });

  it('is left as it is when its run is cancelled, and what closes the stream cancels it', async () => {
    for (const stop of ['cancel', 'leave'] as const) {
      const { stream, chat, turn } = await hanging();
      if (stop === 'leave') stream.abort();
      else await server.post(`/turns/${turn}/cancel?wait=true`);
      await expect.poll(async () => (await server.get(`/turns/${turn}`)).body.state).toBe('cancelled');
      if (stop === 'cancel') {
        const events = await stream.all();
        expect(namesOf(events).slice(-3)).toEqual(['agent_complete', 'error', 'done']);
        expect(events.at(-3)?.data).toMatchObject({ success: false, reason: 'cancelled' });
      }
      expect(await rolesOf(chat)).toEqual(['system', 'user', 'assistant']);
      expect((await server.get(`/agents/chats/${chat}`)).body.active_turn).toBeNull();
    }
  });

  it('is deleted: its run is cancelled first', async () => {
    const { stream, chat, turn } = await hanging();
    expect((await server.request('DELETE', `/agents/chats/${chat}`)).status).toBe(204);
    const events = await stream.all();
    expect(events.at(-2)?.data.code).toBe('turn_cancelled');
    expect(events.at(-1)?.event).toBe('done');
    for (const path of [`/agents/chats/${chat}`, `/turns/${turn}`])
      expect((await server.get(path)).status).toBe(404);
  });

  it('takes a place among the turns that run at once', async () => {
    const small = await startAgentServer(CODER, { config: { maxConcurrentTurns: 1 } });
    small.ollama.reply(script(tokens(2), hangAfter(1)));
    const id = await small.createSession();
    const chat = await small.stream(`/chat/${id}/stream`, { message: 'Hang' });
    await readUntil(chat, isNamed('content_delta'));
    small.ollama.setDefault(() => text('Fine.'));
    const run = await small.stream('/agents/agent/coder/chat/stream', work());
    const seen = await readUntil(run, isPhase('queued'));
    const { session_id: agentChat } = seen[0]?.data ?? {};
    // It is there, with its instruction in the row of its turn.
    expect((await small.get(`/agents/chats/${agentChat}`)).body.messages).toHaveLength(1);
    chat.abort();
    expect((await run.all()).at(-1)?.data.state).toBe('completed');
    await small.close();
  });
});

describe('a person', () => {
  const CALL = () => toolCall('count', { text: 'a' }, { id: 'call_1' });

  it('is asked about the calls unless the request says otherwise, in the chat of the agent', async () => {
    server.ollama.reply(text('Plan.'), CALL());
    const stream = await server.stream('/agents/agent/coder/chat/stream', { instruction: 'Count.' });
    const asked = (await readUntil(stream, isNamed('tool_call_confirmation_required'))).at(-1)?.data;
    const chat = (await chatsOf('coder'))[0] ?? '';
    expect(asked).toMatchObject({ tool_name: 'count', arguments: { text: 'a' } });
    const { body } = await server.get(`/approvals/${asked.confirmation_id}`);
    expect(body).toMatchObject({
      session_id: chat,
      state: 'pending',
      agent_name: 'coder',
      agent_session_id: chat,
    });
    const confirmed = await server.post(`/chat/${chat}/confirm-tool`, {
      confirmation_id: asked.confirmation_id,
      approved: true,
    });
    expect(confirmed.status).toBe(200);
    expect((await stream.all()).at(-1)?.data.state).toBe('completed');
    expect(await rolesOf(chat)).toContain('tool');
  });

  it('is waited for over a restart; then the run goes on with what it was asked with', async () => {
    server.ollama.reply(text('Plan.'), CALL());
    const stream = await server.stream('/agents/agent/coder/chat/stream', {
      instruction: 'Count.',
      tool_settings: {
        tool_policies: { agent__coder__count: 'always_confirm' },
        execution_policy: 'never_confirm',
      },
      on_disconnect: 'continue',
    });
    await readUntil(stream, isNamed('tool_call_confirmation_required'));
    const turnId = stream.headers.get('x-turn-id');
    stream.abort();
    await server.restart();
    server.ollama.reply(toolCall('count', { text: 'b' }, { id: 'call_2' }), text('Counted.'));
    const waiting = (await server.get(`/turns/${turnId}`)).body;
    expect(waiting).toMatchObject({ state: 'waiting', agent_name: 'coder', phase: 'executing', round: 1 });
    const [first] = (await server.get(`/approvals?turn_id=${turnId}`)).body.approvals;
    expect(first).toMatchObject({ session_id: waiting.session_id, agent_name: 'coder' });
    await server.post(`/approvals/${first.confirmation_id}/decide`, { decision: 'approve' });
    // The policy of the request holds: the next call is asked about, too.
    await expect
      .poll(async () => {
        const [next] = (await server.get(`/approvals?turn_id=${turnId}`)).body.approvals;
        return next?.arguments;
      })
      .toEqual({ text: 'b' });
    const [second] = (await server.get(`/approvals?turn_id=${turnId}`)).body.approvals;
    await server.post(`/approvals/${second.confirmation_id}/decide`, { decision: 'approve' });
    await expect.poll(async () => (await server.get(`/turns/${turnId}`)).body.state).toBe('completed');
    expect((await server.get(`/turns/${turnId}`)).body).toMatchObject({ phase: 'executing', round: 3 });
    const said = (await server.messages(waiting.session_id)).map(({ role, content }) => [role, content]);
    expect(said).toEqual([
      ['system', 'You count.'],
      ['user', 'Count.'],
      ['assistant', 'Plan.'],
      ['assistant', ''],
      ['tool', 'counted a'],
      ['assistant', ''],
      ['tool', 'counted b'],
      ['assistant', 'Counted.'],
    ]);
  });

  it('is not waited for by a plain request: nothing of the round runs, and what was done is kept', async () => {
    server.ollama.reply(text('Plan.'), CALL());
    const { status, body } = await post('coder', { instruction: 'Count.' });
    expect([status, body.detail.error.code]).toEqual([400, 'tool_confirmation_requires_streaming']);
    const { session_id: chat } = body.detail.error.details;
    expect((await server.messages(chat)).map(({ content }) => content)).toContain('Plan.');
  });

  it('is named in the answer of a request that returns', async () => {
    server.ollama.reply(text('Plan.'), CALL());
    const { status, body } = await post('coder', { instruction: 'Count.', on_approval: 'return' });
    expect([status, body.state, body.approvals.length]).toEqual([202, 'waiting', 1]);
    const [{ confirmation_id: id }] = body.approvals;
    expect((await server.post(`/approvals/${id}/decide`, { decision: 'approve' })).status).toBe(200);
    await expect.poll(async () => (await server.get(`/turns/${body.turn_id}`)).body.state).toBe('completed');
    const refused = await server.post('/agents/agent/coder/chat/stream', {
      instruction: 'Count.',
      on_approval: 'return',
    });
    expect(refused.status).toBe(422);
  });
});

describe('what is refused', () => {
  const both = ['', '/stream'];

  it.each(['nobody', '..%2Fcoder', 'x'.repeat(300), '__proto__'])('agent_not_found: %s', async (name) => {
    for (const route of both) {
      const { status, body } = await server.post(`/agents/agent/${name}/chat${route}`, work());
      expect([status, body.detail.error.code]).toEqual([404, 'agent_not_found']);
    }
  });

  it('agent_invalid, with the reason', async () => {
    for (const route of both) {
      const { status, body } = await server.post(`/agents/agent/broken/chat${route}`, work());
      expect([status, body.detail.error]).toEqual([
        422,
        {
          code: 'agent_invalid',
          message: 'The agent broken cannot work: SKILL.md has no description.',
          details: { agent_name: 'broken' },
        },
      ]);
    }
  });

  it.each([
    ['no instruction', {}],
    ['a blank one', { instruction: ' \n\t' }],
    ['an empty one', { instruction: '' }],
    ['one that is too long', { instruction: 'x'.repeat(100_001) }],
    ['one that is no text', { instruction: 1 }],
    ['a session that is no text', work('x', { session_id: 7 })],
    ['an unknown policy', work('x', { on_busy: 'shout' })],
    ['settings that are none', work('x', { tool_settings: 'all' })],
  ])('validation_error: %s', async (_what, body) => {
    for (const route of both) {
      const answer = await server.post(`/agents/agent/coder/chat${route}`, body);
      expect([answer.status, answer.body.detail.error.code]).toEqual([422, 'validation_error']);
    }
  });

  it('session_not_found: of a person, of another agent, of nobody, of nothing that is an id, deleted', async () => {
    const own = await server.createSession();
    const others = (await post('picky', work())).body.session_id;
    const gone = (await post('coder', work())).body.session_id;
    await server.request('DELETE', `/agents/chats/${gone}`);
    const before = await readStore(server.dataDir);
    for (const id of [own, others, 'nobody', '../x', '', gone]) {
      for (const route of both) {
        const { status, body } = await server.post(
          `/agents/agent/coder/chat${route}`,
          work('Count.', { session_id: id }),
        );
        expect([id, status, body.detail.error.code]).toEqual([id, 404, 'session_not_found']);
      }
    }
    expect(await readStore(server.dataDir)).toEqual(before);
    await server.request('DELETE', `/sessions/${own}`);
  });

  it('a model that is not there, or that cannot chat', async () => {
    for (const model of ['no-such-model', 'nomic-embed-text']) {
      const { status, body } = await post('coder', work('Count.', { model }));
      expect([status, body.detail.error.code]).toEqual([400, 'model_not_found']);
    }
  });

  it('context_overflow: an agent that says more than fits, or an instruction that does; nothing is stored', async () => {
    const before = await chatsOf('wordy');
    for (const route of both) {
      const { status, body } = await server.post(
        `/agents/agent/wordy/chat${route}`,
        work('x', { model: 'hf.co/org/repo:Q4_K_M' }),
      );
      expect([status, body.detail.error.code]).toEqual([400, 'context_overflow']);
    }
    expect(await chatsOf('wordy')).toEqual(before);
  });
});
