// Tools that a client brings and runs itself: offered for one turn, called, left open, and answered by the next request.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { text, toolCall, toolCalls } from '../fake-ollama/chat-script.ts';
import { askedOf, decide } from '../support/deciding.ts';
import { succeeded } from '../support/scripted-source.ts';
import { ADD, shown, startToolServer, type ToolServer } from '../support/server-with-tools.ts';
import { watchAll } from './watching.ts';

const SHOW = {
  name: 'show_file',
  description: 'Show a file.',
  parameters: {
    type: 'object',
    required: ['path'],
    properties: { path: { type: 'string' }, line: { type: 'integer' } },
  },
};
const CALL = toolCall('show_file', { path: 'a.txt' }, { id: 'call_a' });
const OPEN_CALL = {
  id: 'call_a',
  function: { name: 'show_file', arguments: { path: 'a.txt' } },
  runs_at: 'client',
};
const result = (id: string, content = 'Shown.', more = {}) => ({ tool_call_id: id, content, ...more });

describe('tools of the client', () => {
  let server: ToolServer;
  beforeAll(async () => {
    server = await startToolServer(
      [
        ADD,
        { name: 'asks', needsApproval: true, run: async () => succeeded('done') },
        { name: 'show_file', run: async () => succeeded('shown by the server') },
        {
          name: 'hangs',
          run: (_args, { signal }) =>
            new Promise((resolve) =>
              signal.addEventListener('abort', () => resolve({ ...succeeded(''), state: 'unknown' })),
            ),
        },
      ],
      { ollama: { programs: {} } },
    );
  });
  afterAll(() => server.close());

  /** What the engine was sent last. Strict ones refuse a call without its result, and a result without its call. */
  const sent = (): any => {
    const body: any = server.ollama.requestsTo('/api/chat').at(-1)?.body;
    let open: string[] = [];
    for (const { role, tool_calls: calls, tool_call_id: id } of body.messages) {
      if (role === 'tool') {
        expect(open).toContain(id);
        open = open.filter((one) => one !== id);
        continue;
      }
      expect(open).toEqual([]);
      open = (calls ?? []).map((call: any) => call.id);
    }
    expect(open).toEqual([]);
    return body;
  };
  const results = () => sent().messages.filter(({ role }: any) => role === 'tool');
  const count = async (id: string) => (await server.messages(id)).length;
  /** A session whose last answer has left `call_a` open. */
  const asked = async (tools: readonly string[] = []) => {
    const id = await server.toolSession(tools);
    server.ollama.reply(CALL);
    const { body } = await server.chat(id, { message: 'Show it.', tools: [SHOW] });
    expect(body.message).toMatchObject({ finish_reason: 'tool_calls', tool_calls: [OPEN_CALL] });
    return id;
  };

  it('end the turn with their call open, told alike on every way, and the next request brings the result', async () => {
    const id = await server.toolSession([]);
    server.ollama.reply(CALL);
    const live = await server.told(id, { message: 'Show it.', tools: [SHOW] });
    expect(sent().tools).toEqual([{ type: 'function', function: SHOW }]);
    const named = { tool_name: 'show_file', tool_call_id: 'call_a', call_index: 0 };
    expect(shown(live).slice(-3)).toEqual([
      ['tool_call', { ...named, arguments: { path: 'a.txt' }, runs_at: 'client', ran: false }],
      ['message_complete', ''],
      ['done', 'completed'],
    ]);
    expect(live.at(-2)?.data).toMatchObject({
      finish_reason: 'tool_calls',
      message: { finish_reason: 'tool_calls', tool_calls: [OPEN_CALL] },
      context: { tools_offered: ['show_file'], tools_missing: [] },
    });
    const turnId = live[0]?.data.turn_id;
    expect(await watchAll(server, turnId)).toEqual(live);
    await server.restart();
    const [snapshot, ...closing] = await watchAll(server, turnId);
    expect(closing).toEqual(live.slice(-2));
    expect(snapshot?.data.tool_calls).toEqual([
      { ...named, arguments: { path: 'a.txt' }, success: null, result: null, runs_at: 'client' },
    ]);
    expect((await server.get(`/turns/${turnId}`)).body).toMatchObject({
      state: 'completed',
      finish_reason: 'tool_calls',
    });

    // Whoever lost the answer reads there what is to be answered.
    const asking = (body: any) => body.messages.map(({ tool_calls: calls }: any) => calls);
    for (const read of ['', '/messages', '/messages?from=-1&limit=1', '/tree', '/tree?limit=10']) {
      expect(asking((await server.get(`/sessions/${id}${read}`)).body).at(-1)).toEqual([OPEN_CALL]);
    }

    server.ollama.reply(text('There it is.'));
    const { body } = await server.chat(id, { tool_results: [result('call_a')], tools: [SHOW] });
    expect(body.message).toMatchObject({ content: 'There it is.', tool_calls: null });
    expect(body.tool_calls_executed).toEqual([]);
    expect(results()).toEqual([
      { role: 'tool', content: 'Shown.', tool_name: 'show_file', tool_call_id: 'call_a' },
    ]);
    expect(await server.messages(id)).toMatchObject([
      { role: 'user' },
      { role: 'assistant', finish_reason: 'tool_calls' },
      { role: 'tool', content: 'Shown.', tool_name: 'show_file' },
      { role: 'assistant', content: 'There it is.' },
    ]);
    // For this turn only.
    server.ollama.reply(text('Bye.'));
    await server.chat(id, { message: 'Thanks.' });
    expect(sent().tools).toBeUndefined();
  });

  it('may be called again and again, several at once, with a message beside the results', async () => {
    const id = await asked();
    server.ollama.reply(
      toolCalls([
        { name: 'show_file', args: { path: 'b' }, id: 'call_b' },
        { name: 'show_file', args: { path: 'c' }, id: 'call_b' },
      ]),
    );
    const again = await server.chat(id, { tool_results: [result('call_a')], tools: [SHOW] });
    const ids = again.body.message.tool_calls.map((call: any) => call.id);
    expect(ids).toEqual(['call_b', 'call_b_1']);
    server.ollama.reply(text('Well.'));
    const given = [result(ids[1], 'no such file', { is_error: true })];
    await server.chat(id, { message: 'One is gone.', tool_results: given, tools: [SHOW] });
    expect(results().map(({ content }: any) => content)).toEqual([
      'Shown.',
      'Error: no result was given',
      'Error: no such file',
    ]);
    expect((await server.messages(id)).slice(-3).map(({ role }) => role)).toEqual([
      'tool',
      'user',
      'assistant',
    ]);
  });

  it('come after what the server runs, approvals and a restart included', async () => {
    const id = await server.toolSession(['add_numbers', 'asks']);
    server.ollama.reply(
      toolCalls([
        { name: 'show_file', args: { path: 'a.txt' }, id: 'call_a' },
        { name: 'add_numbers', args: { a: 1, b: 2 }, id: 'call_b' },
        { name: 'asks', args: {}, id: 'call_c' },
      ]),
    );
    const settings = { tool_policies: { asks: 'always_confirm' }, execution_policy: 'never_confirm' };
    const { status, body } = await server.post(`/chat/${id}`, {
      message: 'All of it.',
      tools: [SHOW],
      tool_settings: { ...settings, tools: ['add_numbers', 'asks'] },
      on_approval: 'return',
    });
    expect(status).toBe(202);
    await server.restart();
    const [approval] = await askedOf(server, id);
    await decide(server, approval.confirmation_id, { decision: 'approve' });
    const events = await watchAll(server, body.turn_id);
    expect(events.at(-1)?.data).toMatchObject({ state: 'completed' });
    const { message } = events.find(({ event }) => event === 'message_complete')?.data ?? {};
    expect(message.tool_calls.map((call: any) => [call.id, call.runs_at])).toEqual([
      ['call_a', 'client'],
      ['call_b', 'server'],
      ['call_c', 'server'],
    ]);
    server.ollama.reply(text('Done.'));
    await server.chat(id, { tool_results: [result('call_a')], tools: [SHOW] });
    expect(results().map(({ content, tool_call_id: call }: any) => [call, content])).toEqual([
      ['call_b', '3'],
      ['call_c', 'done'],
      ['call_a', 'Shown.'],
    ]);
  });

  it('are answered for by a message, or a request without one, that brings no result', async () => {
    for (const body of [{ message: 'Never mind.' }, { mode: 'continue' }]) {
      const id = await asked();
      server.ollama.reply(text('Fine.'));
      await server.chat(id, body);
      expect(results()).toMatchObject([
        { content: 'Error: no result was given', tool_name: 'show_file', tool_call_id: 'call_a' },
      ]);
      const late = await server.post(`/chat/${id}`, { tool_results: [result('call_a')] });
      expect(late.status).toBe(422);
    }
    const id = await asked();
    for (const route of ['', '/stream', '/preview']) {
      const { status, body } = await server.post(`/chat/${id}${route}`, { tool_results: [] });
      expect([status, JSON.stringify(body)]).toEqual([422, expect.stringContaining('must not be empty')]);
    }
    expect(await count(id)).toBe(2);
    server.ollama.reply(text('Fine.'));
    await server.chat(id, { message: 'Never mind.', tool_results: [] });
  });

  it('have names and arguments mended like any other, and take the place of one of the same name', async () => {
    const id = await server.toolSession(['show_file', 'add_numbers']);
    server.ollama.reply(toolCall('Show-File', { path: 'a.txt', line: '12' }, { id: 'call_a' }));
    const { body } = await server.chat(id, { message: 'Show it.', tools: [SHOW] });
    expect(sent().tools.map((tool: any) => [tool.function.name, tool.function.description])).toEqual([
      ['add_numbers', expect.anything()],
      ['show_file', 'Show a file.'],
    ]);
    expect(body.message.tool_calls[0].function).toEqual({
      name: 'show_file',
      arguments: { path: 'a.txt', line: 12 },
    });
    // What does not fit is told to the model at once, and not to the client.
    const other = await server.toolSession([]);
    server.ollama.reply(toolCall('show_file', { line: 1 }, { id: 'call_a' }), text('Oh.'));
    const misfit = await server.chat(other, { message: 'Show it.', tools: [SHOW] });
    expect(misfit.body.message.content).toBe('Oh.');
    expect(results()).toMatchObject([{ content: expect.stringContaining('Error: ') }]);
  });

  const named = (name: string) => ({ tools: [{ ...SHOW, name }] });
  it.each([
    ['a blank name', named(''), '/tools/0/name'],
    ['a name with a dot', named('a.b'), '/tools/0/name'],
    ['a long name', named('a'.repeat(65)), '/tools/0/name'],
    ['the name of agents', named('agent'), '/tools/0/name'],
    ['a name of MCP', named('mcp__a__b'), '/tools/0/name'],
    ['two of one name', { tools: [SHOW, SHOW] }, '/tools/1/name'],
    ['no name', { tools: [{ description: 'x' }] }, '/tools/0'],
    ['a schema that is text', { tools: [{ ...SHOW, parameters: 'x' }] }, '/tools/0/parameters'],
    ['a schema that is a list', { tools: [{ ...SHOW, parameters: [] }] }, '/tools/0/parameters'],
    ['a schema of text', { tools: [{ ...SHOW, parameters: { type: 'string' } }] }, '/tools/0/parameters'],
    ['a broken schema', { tools: [SHOW, { name: 'b', parameters: { required: 1 } }] }, '/tools/1/parameters'],
    [
      'a reference to nowhere',
      { tools: [{ ...SHOW, parameters: { type: 'object', $ref: 'https://x.example/s' } }] },
      '/tools/0/parameters',
    ],
    [
      'a large schema',
      { tools: [{ ...SHOW, parameters: { type: 'object', title: 'x'.repeat(70_000) } }] },
      '/tools/0/parameters',
    ],
    ['too many', { tools: Array.from({ length: 129 }, (_, n) => ({ ...SHOW, name: `t${n}` })) }, '/tools'],
    ['tools that are no list', { tools: SHOW }, '/tools'],
    ['an unknown call', { tool_results: [result('call_x')] }, '/tool_results/0/tool_call_id'],
    ['a call twice', { tool_results: [result('call_a'), result('call_a')] }, '/tool_results/1/tool_call_id'],
    ['results beside an edit', { tool_results: [result('call_a')], replaces: 'x' }, '/tool_results'],
    ['a result without a call', { tool_results: [{ content: 'x' }] }, '/tool_results/0'],
    [
      'a result that is no text',
      { tool_results: [{ tool_call_id: 'call_a', content: 1 }] },
      '/tool_results/0',
    ],
  ])('%s is a 422, and nothing is stored', async (_what, wrong, path) => {
    const id = await asked();
    const before = await count(id);
    for (const body of [wrong, { ...wrong, message: 'Well?' }]) {
      const { status, body: answer } = await server.post(`/chat/${id}`, body);
      expect([status, JSON.stringify(answer)]).toEqual([422, expect.stringContaining(path)]);
      expect(await count(id)).toBe(before);
    }
    server.ollama.reply(text('There.'));
    await server.chat(id, { tool_results: [result('call_a')] });
  });

  it('need a model that can call tools', async () => {
    const id = await server.createSession({ model: 'llava:7b' });
    const { status, body } = await server.post(`/chat/${id}`, { message: 'Show it.', tools: [SHOW] });
    expect([status, body.detail.error.code]).toEqual([400, 'tools_not_supported']);
    expect(await count(id)).toBe(0);
  });

  it('are part of what an idempotency key stands for', async () => {
    const id = await asked();
    const send = (body: object) => server.post(`/chat/${id}`, body, { 'idempotency-key': 'once' });
    server.ollama.reply(text('There.'));
    const first = await send({ tool_results: [result('call_a')] });
    expect(first.status).toBe(200);
    expect((await send({ tool_results: [result('call_a')] })).body).toEqual(first.body);
    expect((await send({ tool_results: [result('call_a', 'Other.')] })).status).toBe(422);
    expect((await send({ tool_results: [result('call_a')], tools: [SHOW] })).status).toBe(422);
  });

  it('can be previewed with the results, which stay open', async () => {
    const id = await asked();
    const before = await count(id);
    const { status, body } = await server.post(`/chat/${id}/preview`, {
      tool_results: [result('call_a')],
      tools: [SHOW],
    });
    expect(status).toBe(200);
    expect(body.engine_request.messages.at(-1)).toMatchObject({ role: 'tool', content: 'Shown.' });
    expect(await count(id)).toBe(before);
    server.ollama.reply(text('There.'));
    await server.chat(id, { tool_results: [result('call_a')] });
  });

  it('leave a history that strict engines take: regenerated, edited, on another branch and back', async () => {
    const id = await asked();
    const [, call] = await server.messages(id);
    server.ollama.reply(text('Without.'));
    await server.chat(id, { message: null });
    expect(results()).toEqual([]);
    // The branch with the call is where it was left.
    await server.request('PUT', `/sessions/${id}/head`, { message_id: call.message_id });
    server.ollama.reply(text('There.'));
    await server.chat(id, { tool_results: [result('call_a')] });
    expect(results()).toMatchObject([{ content: 'Shown.' }]);
    await server.request('PUT', `/sessions/${id}/head`, { message_id: call.message_id });
    server.ollama.reply(text('Again.'));
    await server.chat(id, { message: 'And now?' });
    expect(results()).toHaveLength(1);
    server.ollama.reply(text('Edited.'));
    expect((await server.request('PUT', `/sessions/${id}/messages/0`, { content: 'Hide it.' })).status).toBe(
      200,
    );
    await server.chat(id, { message: null });
    expect(results()).toEqual([]);
  });

  it('leave one in a fork, and in a session that was exported and imported; both can be answered', async () => {
    const id = await asked();
    const forked = (await server.post(`/sessions/${id}/fork`)).body.session_id;
    const lines = await (await fetch(`${server.url}/api/v1/sessions/${id}/export?format=jsonl`)).text();
    server.ollama.reply(text('Here.'));
    await server.chat(id, { message: 'And here?' });
    expect(results()).toMatchObject([{ content: 'Error: no result was given' }]);
    await server.request('DELETE', `/sessions/${id}`);
    const { body } = await server.post('/sessions/import', lines, { 'content-type': 'application/x-ndjson' });
    for (const copy of [forked, body.imported[0].session_id]) {
      server.ollama.reply(text('There.'));
      await server.chat(copy, { tool_results: [result('call_a', 'Shown there.')] });
      expect(results()).toMatchObject([{ content: 'Shown there.', tool_call_id: 'call_a' }]);
    }
  });

  it('are not left open by a turn that does not end well', async () => {
    for (const stop of ['cancel', 'restart']) {
      const id = await server.toolSession(['hangs']);
      server.ollama.reply(
        toolCalls([
          { name: 'show_file', args: { path: 'a.txt' }, id: 'call_a' },
          { name: 'hangs', args: {}, id: 'call_b' },
        ]),
      );
      const stream = await server.stream(`/chat/${id}/stream`, { message: 'Both.', tools: [SHOW] });
      for await (const { event } of stream.events) {
        if (event !== 'tool_call') continue;
        if (stop === 'cancel') await server.post(`/chat/${id}/cancel?wait=true`);
        else await server.restart();
        break;
      }
      expect((await server.post(`/chat/${id}`, { tool_results: [result('call_a')] })).status).toBe(422);
      server.ollama.reply(text('Well.'));
      await server.chat(id, { message: 'What now?' });
      expect(
        results()
          .map(({ tool_call_id: call }: any) => call)
          .toSorted(),
      ).toEqual(['call_a', 'call_b']);
    }
  });

  it('of which none runs are answered where nobody is asked for an approval', async () => {
    const id = await server.toolSession(['asks'], { tool_settings: { execution_policy: 'always_confirm' } });
    server.ollama.reply(
      toolCalls([
        { name: 'show_file', args: { path: 'a.txt' }, id: 'call_a' },
        { name: 'asks', args: {}, id: 'call_b' },
      ]),
    );
    const { status } = await server.post(`/chat/${id}`, { message: 'Both.', tools: [SHOW] });
    expect(status).toBe(400);
    server.ollama.reply(text('Well.'));
    await server.chat(id, { message: 'What now?' });
    expect(results()).toHaveLength(2);
  });
});
