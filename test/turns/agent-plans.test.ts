// Plans that a person approves: asked before anything is done, changed, denied, too late, and over a restart.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { EXECUTION_PROMPT } from '../../src/agents/phase-prompts.ts';
import type { RequestBody } from '../fake-ollama/chat-request.ts';
import { type ChatScript, text } from '../fake-ollama/chat-script.ts';
import { type AgentServer, startAgentServer, told, UNASKED } from '../support/agent-server.ts';
import { nativeTool, skill } from '../support/agent-world.ts';
import type { StreamedEvent } from '../support/read-events.ts';
import { runCommand } from '../support/spawned-server.ts';
import { readUntil, watchAll } from './watching.ts';

const FILES = Object.fromEntries(
  ['careful', 'quick', 'planless'].flatMap((name) => {
    const front = {
      careful: 'metadata:\n  mochi-approve-plan: true',
      quick: '',
      planless: 'metadata:\n  mochi-approve-plan: true\n  mochi-planning: false',
    }[name];
    return [
      [`agents/${name}/SKILL.md`, skill(front, 'You count.')],
      [`agents/${name}/index.mjs`, nativeTool('count')],
    ];
  }),
);
/** A plan, a word, and the end: whatever it is told. */
function worksWithout({ messages = [], tools = [] }: RequestBody): ChatScript {
  if (tools.length === 0) return text('1. Count.');
  return text(messages.some(({ content }) => content === 'Hm.') ? 'Done.' : 'Hm.');
}

const INSTRUCTION = { instruction: 'Count it.', tool_settings: UNASKED };
const isAsked = ({ event }: StreamedEvent) => event === 'tool_call_confirmation_required';

describe('a plan', () => {
  let server: AgentServer;
  beforeAll(async () => {
    server = await startAgentServer(FILES);
    server.ollama.setDefault(worksWithout);
  });
  afterAll(() => server.close());
  beforeEach(() => server.asked());

  async function openPlanned(agent = 'careful') {
    const stream = await server.stream(`/agents/agent/${agent}/chat/stream`, INSTRUCTION);
    const seen = await readUntil(stream, isAsked);
    const { turn_id: turnId, session_id: chatId } = seen[0]?.data ?? {};
    const id = seen.at(-1)?.data.confirmation_id;
    const rest = async () => [...seen, ...(await stream.all())];
    const decide = (body: object) => server.post(`/approvals/${id}/decide`, body);
    return { stream, seen, turnId, chatId, id, rest, decide };
  }
  const messages = async (chatId: string) =>
    (await server.get(`/agents/chats/${chatId}`)).body.messages.map(({ content }: any) => content);

  it('is asked about before anything is done, and carried out when it is approved', async () => {
    const { seen, turnId, chatId, id, rest, decide } = await openPlanned();
    expect(told(seen).slice(-2)).toEqual([
      ['status', 'waiting_for_approval', 'planning', 0],
      [
        'tool_call_confirmation_required',
        expect.objectContaining({
          kind: 'plan',
          tool_name: 'agent',
          arguments: { agent: 'careful', plan: '1. Count.' },
        }),
      ],
    ]);
    const { body: approval } = await server.get(`/approvals/${id}`);
    expect(approval).toMatchObject({
      kind: 'plan',
      state: 'pending',
      session_id: chatId,
      turn_id: turnId,
      agent_name: 'careful',
      agent_session_id: chatId,
      plan: '1. Count.',
      allowed_decisions: ['approve', 'edit', 'deny'],
      allowed_scopes: ['once'],
    });
    expect((await server.get(`/turns/${turnId}`)).body).toMatchObject({ state: 'waiting', phase: 'gate' });
    expect(server.asked()).toHaveLength(1);
    expect((await decide({ decision: 'approve', digest: approval.digest })).status).toBe(200);
    const events = await rest();
    expect(told(events).at(-1)).toEqual(['done', { state: 'completed' }]);
    expect(await watchAll(server, turnId)).toEqual(events);
    expect(await messages(chatId)).toEqual(['You count.', 'Count it.', '1. Count.', 'Hm.', 'Done.']);
    expect((await server.get(`/turns/${turnId}`)).body).toMatchObject({ phase: 'executing', round: 2 });
  });

  it('of the person, who may sit at a terminal, takes the place of that of the agent', async () => {
    const { chatId, rest, id } = await openPlanned();
    const env = { MOCHI_PORT: new URL(server.url).port };
    const decided = await runCommand(['approvals', 'approve', id, '--plan', '1. Do nothing.'], { env });
    expect(decided).toMatchObject({ status: 0, stdout: expect.stringContaining(`${id} approved`) });
    const events = await rest();
    expect(told(events).at(-1)).toEqual(['done', { state: 'completed' }]);
    const edited = 'Use this plan instead:\n1. Do nothing.';
    expect((await messages(chatId)).slice(0, 4)).toEqual(['You count.', 'Count it.', '1. Count.', edited]);
    expect(
      server
        .asked()[1]
        ?.messages.slice(-2)
        .map(({ content }) => content),
    ).toEqual([edited, EXECUTION_PROMPT]);
    const output = events.find(({ event }) => event === 'agent_complete')?.data.output;
    expect(output).toBe(`Session ID: ${chatId}\n1. Do nothing.\nHm.\nDone.`);
  });

  it('that is denied ends the run, and nothing is done', async () => {
    const { chatId, rest, decide } = await openPlanned();
    await decide({ decision: 'deny', reason: 'Too bold.' });
    const events = await rest();
    expect(told(events).slice(-3)).toEqual([
      [
        'agent_complete',
        {
          agent_name: 'careful',
          agent_call_index: null,
          output:
            'Error: The plan of the agent careful was denied by user: Too bold.\nSession ID: CHAT\n1. Count.\nContinue with session_id CHAT.',
          success: false,
          reason: 'plan_denied',
          rounds: 0,
        },
      ],
      ['error', 'turn_cancelled', 'The plan of the agent careful was denied by user: Too bold.'],
      ['done', { state: 'cancelled' }],
    ]);
    expect(server.asked()).toHaveLength(1);
    expect(await messages(chatId)).toEqual(['You count.', 'Count it.', '1. Count.']);
  });

  it('is answered by the original’s call, too, in the session where the person is', async () => {
    const { chatId, id, rest } = await openPlanned();
    const confirm = (session: string) =>
      server.post(`/chat/${session}/confirm-tool`, { confirmation_id: id, approved: true });
    expect((await confirm(await server.createSession())).status).toBe(404);
    expect((await confirm(chatId)).status).toBe(200);
    expect(told(await rest()).at(-1)).toEqual(['done', { state: 'completed' }]);
  });

  it('is cancelled with its run', async () => {
    const { turnId, id, rest } = await openPlanned();
    await server.post(`/turns/${turnId}/cancel`);
    expect(told(await rest()).slice(-2)).toEqual([
      ['error', 'turn_cancelled', expect.any(String)],
      ['done', { state: 'cancelled' }],
    ]);
    expect((await server.get(`/approvals/${id}`)).body.state).toBe('cancelled');
  });

  it('is asked about only where it is said, and where one is made', async () => {
    for (const agent of ['quick', 'planless']) {
      expect((await server.run(agent, INSTRUCTION)).some(isAsked)).toBe(false);
    }
  });

  it('goes on over a restart: asked once, carried out once', async () => {
    const { chatId, turnId, id, stream } = await openPlanned();
    await server.restart();
    await stream.all();
    expect((await server.get(`/turns/${turnId}`)).body).toMatchObject({ state: 'waiting', phase: 'gate' });
    await server.post(`/approvals/${id}/decide`, { decision: 'approve' });
    const events = await watchAll(server, turnId);
    expect(told(events).at(-1)).toEqual(['done', { state: 'completed' }]);
    expect(await messages(chatId)).toEqual(['You count.', 'Count it.', '1. Count.', 'Hm.', 'Done.']);
    expect(server.asked().map(({ tools }) => tools)).toEqual([[], ['count'], ['count']]);
  });
});

describe('plans of all agents', () => {
  it.each([
    ['always', 'quick', true],
    ['never', 'careful', false],
  ] as const)('are approved as the operator says: %s', async (agentPlanApproval, agent, isGated) => {
    const server = await startAgentServer(FILES, { config: { agentPlanApproval } });
    server.ollama.setDefault(worksWithout);
    const stream = await server.stream(`/agents/agent/${agent}/chat/stream`, INSTRUCTION);
    const seen: StreamedEvent[] = [];
    for await (const event of stream.events) {
      seen.push(event);
      if (isAsked(event))
        await server.post(`/approvals/${event.data.confirmation_id}/decide`, { decision: 'approve' });
    }
    expect([seen.some(isAsked), seen.at(-1)?.data.state]).toEqual([isGated, 'completed']);
    await server.close();
  });

  it('count as not approved when the time is over', async () => {
    const server = await startAgentServer(FILES, { config: { confirmTimeoutSeconds: 0.2 } });
    server.ollama.setDefault(worksWithout);
    const events = await server.run('careful', INSTRUCTION);
    expect(events.find(({ event }) => event === 'agent_complete')?.data.output).toMatch(
      /^Error: The plan of the agent careful was not approved in time\.\nSession ID: /,
    );
    expect(told(events).slice(-2)).toEqual([
      ['error', 'turn_cancelled', 'The plan of the agent careful was not approved in time.'],
      ['done', { state: 'cancelled' }],
    ]);
    await server.close();
  });
});
