// Agent chats that are taken away while somebody works in them, and runs that are stopped apart from their parents.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ChatScript, text, tokens, toolCall } from '../fake-ollama/chat-script.ts';
import { hangAfter, script } from '../fake-ollama/script-modifiers.ts';
import { type AgentServer, startAgentServer, UNASKED } from '../support/agent-server.ts';
import { faultsOf, readStore } from '../support/read-store.ts';
import { isNamed, isPhase, readUntil, untilIdle } from './watching.ts';

let server: AgentServer;
beforeAll(async () => {
  server = await startAgentServer();
  // Whoever is asked besides rests.
  server.ollama.setDefault(() => text('Go on.'));
});
afterAll(async () => {
  // Whatever was stopped or taken away: what is left is whole.
  expect(faultsOf(await readStore(server.dataDir))).toEqual([]);
  await server.close();
});

const PLAN = text('1. Count.');
const COUNT = toolCall('count', { text: 'a' }, { id: 'call_1' });
const HANGS = script(tokens(1), hangAfter(1));
const calling = (args: Record<string, unknown> = {}): ChatScript =>
  toolCall('agent', { agent: 'coder', instruction: 'Count it.', ...args }, { id: 'call_agent' });

/** A parent whose agent works and gets no further. */
async function working(
  work: readonly ChatScript[] = [PLAN, HANGS],
  args: Record<string, unknown> = {},
  settings: Record<string, unknown> = {},
) {
  const sessionId = await server.agentSession(['coder'], settings);
  server.ollama.reply(calling(args), ...work);
  const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'Have it counted.' });
  return { sessionId, stream };
}

async function untilWork(stream: Awaited<ReturnType<typeof working>>['stream'], name = 'agent_execution') {
  const seen = await readUntil(stream, isNamed(name));
  const { session_id: chat, turn_id: run } = seen.find(isNamed('agent_start'))?.data ?? {};
  return { chat, run, rest: async () => [...seen, ...(await stream.all())] };
}

/** What the parent was told of it, and how it ended itself. */
function endOf(events: Awaited<ReturnType<AgentServer['told']>>) {
  const complete = events.find(isNamed('agent_complete'))?.data;
  return {
    success: complete?.success,
    reason: complete?.reason,
    answer: events.find(isNamed('message_complete'))?.data.message.content,
    state: events.at(-1)?.data.state,
  };
}

const STOPPED = { success: false, reason: 'cancelled', answer: 'Go on.', state: 'completed' };

describe('a run that is stopped by itself', () => {
  it('is cancelled: its parent reads why, and goes on', async () => {
    const { sessionId, stream } = await working();
    const { chat, run, rest } = await untilWork(stream);
    await server.post(`/turns/${run}/cancel?wait=true`);
    expect(endOf(await rest())).toEqual(STOPPED);
    const [call] = (await server.messages(sessionId)).filter(({ role }) => role === 'tool');
    expect(call.content).toContain(`Session ID: ${chat}`);
    expect(call.content).toMatch(new RegExp(`^Error: [^]*Continue with session_id ${chat}\\.$`));
    expect((await server.get(`/turns/${run}`)).body).toMatchObject({
      state: 'cancelled',
      agent_name: 'coder',
    });
  });

  it('is deleted with its chat: its parent goes on without it', async () => {
    const { sessionId, stream } = await working();
    const { chat, run, rest } = await untilWork(stream);
    expect((await server.request('DELETE', `/agents/chats/${chat}`)).status).toBe(204);
    const events = await rest();
    expect(endOf(events)).toEqual(STOPPED);
    const [call] = (await server.messages(sessionId)).filter(({ role }) => role === 'tool');
    expect(call.content).toMatch(
      new RegExp(`^Error: The agent coder was cancelled: its chat was deleted\\.\nSession ID: ${chat}\n`),
    );
    expect(call.content).not.toContain('Continue with');
    expect(call.content).toMatch(/\nThis session_id is gone\. Call the agent without one to begin anew\.$/);
    expect((await server.get(`/turns/${run}`)).status).toBe(404);
    const turn = (await server.get(`/sessions/${sessionId}/turns`)).body.turns[0];
    expect(turn).toMatchObject({ state: 'completed', agent_turns: [] });
    // Who comes later is told the same.
    const again = await (await fetch(`${server.url}/api/v1/turns/${turn.turn_id}/stream`)).text();
    expect(again).toContain('agent_complete');
  });

  it('is deleted while it waits for a person: what was asked is cancelled, and its parent goes on', async () => {
    const { stream } = await working(
      [PLAN, COUNT],
      {},
      { tool_settings: { tool_policies: { agent: 'never_confirm' } } },
    );
    const { chat, rest } = await untilWork(stream, 'tool_call_confirmation_required');
    const [approval] = (await server.get('/approvals')).body.approvals;
    expect(approval).toMatchObject({ agent_session_id: chat, state: 'pending' });
    expect((await server.request('DELETE', `/agents/chats/${chat}`)).status).toBe(204);
    expect(endOf(await rest())).toEqual(STOPPED);
    expect((await server.get(`/approvals/${approval.confirmation_id}`)).body.state).toBe('cancelled');
  });
});

describe('a chat that two sessions have used', () => {
  /** The chat of one session, in which the agent works for another. */
  async function shared() {
    const owner = await working([PLAN, COUNT, text('Counted.')]);
    const { chat } = await untilWork(owner.stream, 'agent_complete');
    await owner.stream.all();
    const guest = await working([PLAN, HANGS], { session_id: chat });
    return { owner, guest, chat, work: await untilWork(guest.stream) };
  }

  it('goes with the session that began it: the other one is told, and goes on', async () => {
    const { owner, guest, chat, work } = await shared();
    expect(work.chat).toBe(chat);
    expect((await server.request('DELETE', `/sessions/${owner.sessionId}`)).status).toBe(204);
    expect(endOf(await work.rest())).toEqual(STOPPED);
    const told = (await server.messages(guest.sessionId)).find(({ role }) => role === 'tool');
    expect(told.content).toMatch(/^Error: The agent coder was cancelled: its chat was deleted\./);
    expect((await server.get(`/agents/chats/${chat}`)).status).toBe(404);
    expect((await server.get(`/sessions/${guest.sessionId}`)).status).toBe(200);
  });

  it('stays when the other one goes', async () => {
    const { owner, guest, chat, work } = await shared();
    expect((await server.request('DELETE', `/sessions/${guest.sessionId}`)).status).toBe(204);
    await work.rest();
    // The chat is there, and can be gone on with.
    const log = await (await fetch(`${server.url}/api/v1/turns/${work.run}/stream`)).text();
    expect(log).toContain(`Continue with session_id ${chat}.`);
    const { body } = await server.get(`/agents/chats/${chat}`);
    expect(body).toMatchObject({ parent_session_id: owner.sessionId, active_turn: null });
    expect((await server.get(`/turns/${work.run}`)).body).toMatchObject({ state: 'cancelled' });
  });

  it('is one line: what a client asks of it waits for the run of a turn', async () => {
    const { guest, chat, work } = await shared();
    const own = await server.stream('/agents/agent/coder/chat/stream', {
      instruction: 'Now I.',
      session_id: chat,
      tool_settings: UNASKED,
    });
    await readUntil(own, isPhase('queued'));
    await server.post(`/turns/${work.run}/cancel`);
    await work.rest();
    expect((await own.all()).at(-1)?.data.state).toBe('completed');
    await untilIdle(server, guest.sessionId);
    const said = (await server.messages(chat)).filter(({ role }) => role === 'user');
    expect(said.map(({ content }) => content)).toEqual(['Count it.', 'Count it.', 'Now I.']);
  });
});

describe('a session with all that was made for it', () => {
  it('is deleted while an agent works for it: turn, run and chat go', async () => {
    const { sessionId, stream } = await working();
    const { chat, run, rest } = await untilWork(stream);
    expect((await server.request('DELETE', `/sessions/${sessionId}`)).status).toBe(204);
    expect((await rest()).at(-1)?.data.state).toBe('cancelled');
    for (const path of [`/sessions/${sessionId}`, `/agents/chats/${chat}`, `/turns/${run}`]) {
      expect((await server.get(path)).status).toBe(404);
    }
    const { sessions, turns, messages } = await readStore(server.dataDir);
    expect([...sessions.map(({ id }) => id), ...turns.map(({ id }) => id)]).not.toContain(chat);
    expect(messages.filter(({ session_id: id }) => id === chat || id === sessionId)).toEqual([]);
  });
});
