// The journal of tools over HTTP: what ran for a call and by hand, how it ended, and the whole of what it gave.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { finishExecution, startHandRun } from '../../src/store/tool-executions.ts';
import type { ToolOutcome, ToolRunContext } from '../../src/tools/tool.ts';
import { text, toolCall, toolCalls } from '../fake-ollama/chat-script.ts';
import { executionStart } from '../support/execution-start.ts';
import { succeeded } from '../support/scripted-source.ts';
import { ADD, startToolServer, type ToolServer } from '../support/server-with-tools.ts';
import { openDatabaseOf } from '../support/test-database.ts';
import { startTestServer } from '../support/test-server.ts';
import { expectError } from './wire-formats.ts';

const LONG = `begin ${'x'.repeat(50_000)} end`;
const ended = (state: ToolOutcome['state'], said: string): ToolOutcome => ({ ...succeeded(said), state });

let server: ToolServer;
const contexts: ToolRunContext[] = [];
beforeAll(async () => {
  server = await startToolServer([
    ADD,
    { name: 'long', run: async () => ({ ...succeeded(LONG), truncated: true, log: 'printed\n' }) },
    { name: 'fails', run: async () => ended('failed', LONG) },
    { name: 'lost', run: async () => ended('unknown', 'It was lost; it may have taken effect') },
    {
      name: 'looks',
      readOnly: true,
      run: async (_args, context) => {
        contexts.push(context);
        return succeeded('seen');
      },
    },
  ]);
});
afterAll(() => server.close());

const list = async (query = '') => (await server.get(`/tool-executions?${query}`)).body;
const outputOf = async (id: string) => {
  const response = await fetch(`${server.url}/api/v1/tool-executions/${id}/output`);
  expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
  return response.text();
};

/** A turn in which each tool runs once, in this order. */
async function runAll(): Promise<{ sessionId: string; turnId: string; events: any[] }> {
  const sessionId = await server.toolSession(['*']);
  server.ollama.reply(
    toolCalls([
      { name: 'Add-Numbers', args: { a: '1', b: 2 }, id: 'a' },
      { name: 'long', args: {}, id: 'b' },
      { name: 'fails', args: {}, id: 'c' },
      { name: 'lost', args: {}, id: 'd' },
      { name: 'nobody', args: {}, id: 'e' },
    ]),
    text('Done.'),
  );
  const events = await server.told(sessionId, { message: 'Go.' });
  return { sessionId, turnId: events[0]?.data.turn_id, events };
}

describe('runs of a turn', () => {
  it('each is listed with how it ended, the newest first; what did not run is not', async () => {
    const { sessionId, turnId, events } = await runAll();
    const { executions, next_cursor } = await list(`session_id=${sessionId}`);
    expect(next_cursor).toBeNull();
    const asking = (await server.messages(sessionId))[1].message_id;
    expect(executions.toReversed()[0]).toEqual({
      execution_id: expect.stringMatching(/^exec_[0-9a-f]{12}$/),
      session_id: sessionId,
      turn_id: turnId,
      message_id: asking,
      call_index: 0,
      tool_call_id: 'a',
      tool_name: 'add_numbers',
      source: { kind: 'native', group: 'test' },
      state: 'succeeded',
      attempt: 1,
      origin: null,
      arguments: { a: 1, b: 2 },
      repairs: ['name: read as add_numbers', '/a: text read as integer'],
      success: true,
      error: null,
      truncated: false,
      result_bytes: 1,
      duration_ms: expect.any(Number),
      started_at: expect.stringMatching(/Z$/),
      finished_at: expect.stringMatching(/Z$/),
    });
    expect(
      executions.toReversed().map((one: any) => [one.tool_name, one.state, one.success, one.truncated]),
    ).toEqual([
      ['add_numbers', 'succeeded', true, false],
      ['long', 'succeeded', true, true],
      ['fails', 'failed', false, false],
      ['lost', 'unknown', false, false],
    ]);
    const told = events.filter(({ event }) => event === 'tool_result').map(({ data }) => data);
    expect(executions.toReversed().map((one: any) => one.execution_id)).toEqual(
      told.slice(0, 4).map((one) => one.execution_id),
    );
    expect(told[4].execution_id).toBeNull();
  });

  it('the whole text is there, where the message holds less of it, and where it does not', async () => {
    const { sessionId } = await runAll();
    const [lost, fails, long, add] = (await list(`session_id=${sessionId}`)).executions;
    expect(await outputOf(add.execution_id)).toBe('3');
    expect(await outputOf(long.execution_id)).toBe(LONG);
    expect(await outputOf(fails.execution_id)).toBe(LONG);
    expect(await outputOf(lost.execution_id)).toBe('It was lost; it may have taken effect');
    const messages = await server.messages(sessionId);
    for (const [one, message] of [
      [long, messages[3]],
      [fails, messages[4]],
    ]) {
      expect(message.content.length).toBeLessThan(20_000);
      expect(message.content).toContain(`(${one.execution_id})`);
      expect(one.result_bytes).toBe(LONG.length);
    }
    expect(messages[4].content).toBe(`Error: ${fails.error}`);
  });

  it('one is shown with what it printed', async () => {
    const { sessionId } = await runAll();
    const [, , long] = (await list(`session_id=${sessionId}`)).executions;
    const { body } = await server.get(`/tool-executions/${long.execution_id}`);
    expect(body).toEqual({ ...long, log: 'printed\n' });
  });

  it('a call that was written as text says so; a tool is told which run it is', async () => {
    const sessionId = await server.toolSession(['looks']);
    server.ollama.reply(text('{"name": "looks", "arguments": {}}'), text('Seen.'));
    await server.chat(sessionId, { message: 'Look.' });
    const [one] = (await list(`session_id=${sessionId}`)).executions;
    expect(one).toMatchObject({ tool_name: 'looks', origin: 'text' });
    expect(contexts.at(-1)).toMatchObject({
      executionId: one.execution_id,
      attempt: 1,
      sessionId,
      turnId: one.turn_id,
      toolCallId: one.tool_call_id,
      idempotencyKey: `${sessionId}:${one.message_id}:0`,
    });
  });

  it('a client that hears of a run finds it', async () => {
    const sessionId = await server.toolSession(['looks']);
    server.ollama.reply(toolCall('looks', {}), text('Seen.'));
    const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'Look.' });
    for await (const { event, data } of stream.events) {
      if (event !== 'tool_call') continue;
      expect((await server.get(`/tool-executions/${data.execution_id}`)).status).toBe(200);
    }
  });

  it('go with their session, come along with its export, and keep their ids where they are free', async () => {
    const { sessionId } = await runAll();
    const before = (await list(`session_id=${sessionId}`)).executions;
    const lines = await (
      await fetch(`${server.url}/api/v1/sessions/${sessionId}/export?format=jsonl`)
    ).text();
    const other = await startTestServer();
    try {
      await other.post('/sessions/import', lines, { 'content-type': 'application/x-ndjson' });
      const { body } = await other.get(`/tool-executions?session_id=${sessionId}`);
      expect(body.executions).toEqual(before);
      const long = before[2].execution_id;
      const copied = await fetch(`${other.url}/api/v1/tool-executions/${long}/output`);
      expect(await copied.text()).toBe(LONG);
    } finally {
      await other.close();
    }
    await server.request('DELETE', `/sessions/${sessionId}`);
    expect((await list(`session_id=${sessionId}`)).executions).toEqual([]);
    expectError(await server.get(`/tool-executions/${before[0].execution_id}`), 404, 'execution_not_found');
  });
});

describe('lines of runs that do not fit', () => {
  const exported = async () => {
    const { sessionId } = await runAll();
    const response = await fetch(`${server.url}/api/v1/sessions/${sessionId}/export?format=jsonl`);
    return (await response.text()).trimEnd().split('\n');
  };
  it.each([
    ['one is missing', (line: any, index: number) => (index === 0 ? null : line), 'execution lines, not 4'],
    ['a call that is not there', (line: any) => ({ ...line, call_index: 9 }), '/call_index 9 of '],
    ['one twice', (line: any) => ({ ...line, call_index: 0 }), '/attempt 1 of a call is there twice'],
    [
      'an id twice',
      (line: any) => ({ ...line, execution_id: 'exec_1' }),
      '/execution_id exec_1 is there twice',
    ],
    ['a state of nobody', (line: any) => ({ ...line, state: 'done' }), '/state must be equal to one of'],
  ] as [string, (line: any, index: number) => unknown, string][])('%s', async (_what, change, reason) => {
    let runs = 0;
    const lines = (await exported()).flatMap((text) => {
      const line = JSON.parse(text);
      const changed = line.type === 'execution' ? change(line, runs++) : line;
      return changed === null ? [] : [JSON.stringify(changed)];
    });
    const { status, body } = await server.post('/sessions/import', lines.join('\n'), {
      'content-type': 'application/x-ndjson',
    });
    expect([status, body.detail.error.message]).toEqual([422, expect.stringContaining(reason)]);
  });

  it('under ids that are taken they get new ones', async () => {
    const lines = await exported();
    const titled = lines.map((text) => text.replace('"title":null', '"title":"Copy"')).join('\n');
    const { body } = await server.post('/sessions/import', titled, {
      'content-type': 'application/x-ndjson',
    });
    const [{ session_id: copy, source_id: source }] = body.imported;
    expect(copy).not.toBe(source);
    const [copies, originals] = [await list(`session_id=${copy}`), await list(`session_id=${source}`)];
    const plain = ({ execution_id: _id, session_id: _session, turn_id: _turn, ...rest }: any) => rest;
    expect(copies.executions.map(plain)).toEqual(originals.executions.map(plain));
    expect(copies.executions[0].execution_id).not.toBe(originals.executions[0].execution_id);
  });
});

describe('runs by hand', () => {
  it('are in the journal, without a session', async () => {
    const { body: run } = await server.post('/tools/long/run');
    const { body } = await server.get(`/tool-executions/${run.execution_id}`);
    expect(body).toMatchObject({
      session_id: null,
      turn_id: null,
      message_id: null,
      call_index: null,
      tool_call_id: null,
      tool_name: 'long',
      state: 'succeeded',
      attempt: 1,
      truncated: true,
      log: 'printed\n',
      duration_ms: run.duration_ms,
    });
    expect(await outputOf(run.execution_id)).toBe(LONG);
    const failed = (await server.post('/tools/fails/run')).body;
    expect(await outputOf(failed.execution_id)).toBe(LONG);
    expect((await list('tool=fails')).executions[0].execution_id).toBe(failed.execution_id);
  });

  it('what does not fit has not run', async () => {
    const before = (await list()).executions[0].execution_id;
    expect((await server.post('/tools/add_numbers/run')).status).toBe(422);
    expect((await list()).executions[0].execution_id).toBe(before);
  });
});

describe('the list', () => {
  it('narrows by tool, session and state, and goes on page by page', async () => {
    const { sessionId } = await runAll();
    const whole = (await list(`session_id=${sessionId}`)).executions;
    const paged: unknown[] = [];
    for (let cursor = ''; ; ) {
      const page = await list(`session_id=${sessionId}&limit=1${cursor && `&cursor=${cursor}`}`);
      paged.push(...page.executions);
      if (page.next_cursor === null) break;
      cursor = page.next_cursor;
    }
    expect(paged).toEqual(whole);
    const only = await list(`session_id=${sessionId}&state=unknown`);
    expect(only.executions.map((one: any) => one.tool_name)).toEqual(['lost']);
    expect((await list('tool=nobody')).executions).toEqual([]);
    expect((await list(`tool=add_numbers&session_id=${sessionId}`)).executions).toHaveLength(1);
    const { next_cursor: foreign } = await list('limit=1');
    expectError(await server.get(`/tool-executions?tool=long&cursor=${foreign}`), 400, 'invalid_cursor');
  });

  it.each(['state=done', 'limit=0', 'limit=x'])('%s is 422', async (query) => {
    expectError(await server.get(`/tool-executions?${query}`), 422, 'validation_error');
  });

  it.each(['exec_000000000000', '..%2F', '%00', 'x'.repeat(300)])('there is no %s: 404', async (id) => {
    expectError(await server.get(`/tool-executions/${id}`), 404, 'execution_not_found');
    expectError(await server.get(`/tool-executions/${id}/output`), 404, 'execution_not_found');
  });
});

describe('a server of its own', () => {
  it('counts what has ended, by tool; of runs by hand the newest 1000 are kept', async () => {
    const own = await startToolServer([
      { name: 'long', run: async () => succeeded('x') },
      { name: 'lost', run: async () => ended('unknown', 'lost') },
    ]);
    try {
      const none = { total_executions: 0, successful: 0, failed: 0, average_time: 0 };
      expect((await own.get('/tool-stats')).body).toEqual({ ...none, by_tool: {} });
      for (const tool of ['long', 'lost', 'long']) await own.post(`/tools/${tool}/run`);
      const { body } = await own.get('/tool-stats');
      expect(body).toMatchObject({ total_executions: 3, successful: 2, failed: 1 });
      expect(body.by_tool).toMatchObject({
        long: { total_executions: 2, successful: 2, failed: 0 },
        lost: { total_executions: 1, successful: 0, failed: 1 },
      });

      const store = await openDatabaseOf(own.dataDir, { exclusive: false });
      await store.db.transaction().execute(async (db) => {
        const end = { state: 'failed', finishedAt: '2026-02-15T09:49:38.310281Z', durationMs: 500 } as const;
        const rest = { error: 'x', truncated: false, resultBytes: 1, output: null, log: null };
        for (let index = 0; index < 999; index += 1) {
          const startedAt = `2126-02-15T09:49:38.${String(index).padStart(6, '0')}Z`;
          await startHandRun(db, { ...executionStart(`exec_${index}`), startedAt });
          await finishExecution(db, `exec_${index}`, { ...end, ...rest });
        }
      });
      await store.close();
      const { body: stats } = await own.get('/tool-stats');
      expect(stats.total_executions).toBe(1000);
      expect(Object.keys(stats.by_tool)).toEqual(['long', 'write_file']);
      expect(stats.by_tool.write_file).toEqual({
        total_executions: 999,
        successful: 0,
        failed: 999,
        average_time: 0.5,
      });
    } finally {
      await own.close();
    }
  });
});
