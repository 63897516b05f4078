// `agent_settings` of a chat request: for its turn alone, kept with it while it waits, a part of what it asks for.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { text, toolCalls } from '../fake-ollama/chat-script.ts';
import { CODER, startAgentServer } from '../support/agent-server.ts';
import { nativeTool, skill } from '../support/agent-world.ts';
import { readStore } from '../support/read-store.ts';
import { ADD, startToolServer, type ToolServer } from '../support/server-with-tools.ts';
import { isNamed, readUntil } from './watching.ts';

let server: ToolServer;
beforeAll(async () => {
  server = await startToolServer([ADD]);
});
afterAll(() => server.close());

const settings = {
  tool_settings: { execution_policy: 'always_confirm' },
  agent_settings: { enabled_agents: ['own'] },
};

it.each([
  ['those of the request', { enabled_agents: ['coder'] }, ['coder']],
  ['none, where it says so', {}, []],
  ['those of the session, where it says nothing', null, ['own']],
])('a turn that waits keeps %s', async (_what, given, kept) => {
  const id = await server.toolSession(['add_numbers'], settings);
  server.ollama.reply(toolCalls([{ name: 'add_numbers', args: { a: 1, b: 2 } }]));
  const body = { message: 'Add', agent_settings: given, on_disconnect: 'continue' };
  const stream = await server.stream(`/chat/${id}/stream`, body);
  await readUntil(stream, isNamed('tool_call_confirmation_required'));
  const [turn] = (await readStore(server.dataDir, id)).turns;
  expect(JSON.parse(turn?.settings ?? '').request.agentSettings).toEqual({ enabled_agents: kept });
  expect((await server.get(`/sessions/${id}`)).body.agent_settings).toEqual({ enabled_agents: ['own'] });
  stream.abort();
  await server.post(`/turns/${stream.headers.get('x-turn-id')}/cancel?wait=true`);
});

it('the model is offered the agents of the request, else those of the session', async () => {
  const agents = await startAgentServer({
    ...CODER,
    'agents/writer/SKILL.md': skill(),
    'agents/writer/index.mjs': nativeTool('write'),
    'agents/broken/SKILL.md': '# Nothing',
  });
  const id = await agents.agentSession(['coder', 'nobody']);
  const offered = async (given: unknown) => {
    agents.ollama.reply(text('Fine.'));
    await agents.chat(id, { message: 'Hello', agent_settings: given });
    const [request] = agents.ollama.requestsTo('/api/chat').slice(-1);
    const [tool] = Object(request?.body).tools ?? [];
    return tool?.function.parameters.properties.agent.enum ?? null;
  };
  expect(await offered(null)).toEqual(['coder']);
  expect(await offered({ enabled_agents: ['writer', 'coder', 'broken'] })).toEqual(['writer', 'coder']);
  expect(await offered({ enabled_agents: ['broken', 'nobody'] })).toBeNull();
  expect(await offered({})).toBeNull();
  expect(await offered(undefined)).toEqual(['coder']);
  const { body } = await agents.post(`/chat/${id}/preview`, {
    message: 'Hello',
    agent_settings: { enabled_agents: ['writer'] },
  });
  expect(JSON.stringify(body.engine_request.tools)).toContain('"enum":["writer"]');
  await agents.close();
});

it('another one under the same idempotency key is another request', async () => {
  const id = await server.createSession();
  const send = (agents: string[]) =>
    server.post(
      `/chat/${id}`,
      { message: 'Hello', agent_settings: { enabled_agents: agents } },
      { 'idempotency-key': 'once' },
    );
  const first = await send(['coder']);
  expect((await send(['coder'])).body.turn_id).toBe(first.body.turn_id);
  const other = await send(['writer']);
  expect([other.status, other.body.detail.error.code]).toEqual([422, 'idempotency_mismatch']);
});

it.each([
  [{ enabled_agents: 'coder' }],
  [{ enabled_agents: [1] }],
  [{ enabled_agents: ['x'.repeat(201)] }],
  ['coder'],
])('%j is refused, on every route of chats', async (given) => {
  const id = await server.createSession();
  for (const route of ['', '/stream', '/preview']) {
    const { status, body } = await server.post(`/chat/${id}${route}`, {
      message: 'Hi',
      agent_settings: given,
    });
    expect([status, body.detail.error.code]).toEqual([422, 'validation_error']);
  }
  expect(await server.messages(id)).toEqual([]);
});
