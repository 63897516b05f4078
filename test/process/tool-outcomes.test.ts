// kill -9 while tools run: nobody is told a success that is not known, nothing runs again unless a person says so, and
// every one of the ways to say what became of a call is gone to its end.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RequestBody } from '../fake-ollama/chat-request.ts';
import { text, toolCalls } from '../fake-ollama/chat-script.ts';
import { type FakeOllama, startFakeOllama } from '../fake-ollama/fake-ollama.ts';
import { readStore } from '../support/read-store.ts';
import { type SpawnedServer, spawnServer } from '../support/spawned-server.ts';
import { until } from '../support/tool-groups.ts';

/** Appends a line, and then waits for good where it is the first run of its call. */
const TOOLS = `
import { appendFileSync } from 'node:fs';
const inputSchema = { type: 'object', required: ['key'], properties: { key: { type: 'string' } } };
const run = async ({ key }, { attempt, idempotencyKey }) => {
  appendFileSync('lines.txt', key + ' ' + attempt + ' ' + idempotencyKey + '\\n');
  if (attempt === 1 && !key.startsWith('quick')) await new Promise(() => setInterval(() => {}, 1000));
  return 'wrote ' + key;
};
export const write = { description: 'Writes.', inputSchema, execute: run };
export const ask = { description: 'Writes when it may.', inputSchema, needsApproval: true, execute: run };
export const look = { description: 'Looks.', inputSchema, readOnly: true, execute: run };
`;

const MODEL = { name: 'strict:latest', capabilities: ['completion', 'tools'], strictTemplate: true };
const KEYS = ['retry', 'respond', 'deny', 'told', 'expire', 'again', 'twice', 'edited'] as const;

let dataDir: string;
let ollama: FakeOllama;
let server: SpawnedServer;
/** By the name of what is done to them. */
const sessions = new Map<string, { sessionId: string; turnId: string; lastEventId: number }>();
const lines = (key: string) =>
  readFileSync(join(dataDir, 'lines.txt'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith(`${key} `));
const sessionOf = (key: string) => sessions.get(key) ?? { sessionId: '', turnId: '', lastEventId: 0 };

/** What the user says names the tools and keys to call: `write a, write b`. */
function converse({ messages = [] }: RequestBody) {
  const last = messages.at(-1);
  if (last?.role === 'tool') return text(`It said: ${last.content}`);
  const calls = [...(last?.content ?? '').matchAll(/(\w+) (\w+)/g)];
  if (!/^(write|look|ask) /.test(last?.content ?? '')) return text('Hello.');
  return toolCalls(calls.map(([, name = '', key = ''], index) => ({ name, args: { key }, id: `c${index}` })));
}

async function start(env: Record<string, string> = {}): Promise<void> {
  server = await spawnServer({
    dataDir,
    ollamaHost: ollama.url,
    env: { MOCHI_MAX_TOOL_PROCESSES: '16', ...env },
  });
}

async function newSession(): Promise<string> {
  const settings = { tools: ['*'], execution_policy: 'never_confirm' };
  return server.createSession({ model: MODEL.name, tool_settings: settings });
}

/** Asks for calls and reads on until the first of them has begun. */
async function begin(key: string, message: string, file = key): Promise<void> {
  const sessionId = await newSession();
  const stream = await server.stream(`/chat/${sessionId}/stream`, { message, on_disconnect: 'continue' });
  const heard = { sessionId, turnId: stream.headers.get('x-turn-id') ?? '', lastEventId: 0 };
  sessions.set(key, heard);
  void (async () => {
    try {
      for await (const { id, event, data } of stream.events) {
        heard.lastEventId = id;
        if (event === 'tool_call_confirmation_required') {
          const edit = { decision: 'edit', arguments: { key: 'changed' } };
          await server.post(`/approvals/${data.confirmation_id}/decide`, edit);
        }
      }
    } catch {
      // The kill cuts it.
    }
  })();
  await until(() => existsSync(join(dataDir, 'lines.txt')) && lines(file).length > 0);
}

const approvalsOf = async (key: string) =>
  (await server.get(`/approvals?session_id=${sessionOf(key).sessionId}`)).body.approvals;
const decide = async (key: string, body: object) => {
  const [approval] = await approvalsOf(key);
  return server.post(`/approvals/${approval.confirmation_id}/decide`, body);
};
/** The turn when it has ended. */
async function ended(key: string) {
  const { turnId } = sessionOf(key);
  const response = await fetch(`${server.url}/api/v1/turns/${turnId}/stream`);
  await response.text();
  return (await server.get(`/turns/${turnId}`)).body;
}
const contents = async (key: string) =>
  (await server.messages(sessionOf(key).sessionId)).map(({ role, content }) => [role, content]);

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'mochi-outcomes-'));
  mkdirSync(join(dataDir, 'tools', 'ledger'), { recursive: true });
  writeFileSync(join(dataDir, 'tools', 'ledger', 'index.mjs'), TOOLS);
  writeFileSync(join(dataDir, 'tools', 'ledger', 'group.json'), '{"max_workers": 16}');
  ollama = await startFakeOllama({ models: [MODEL] });
  ollama.setDefault(converse);
  await start();
  for (const key of KEYS) {
    const message =
      key === 'twice' ? 'write twice, write quick_after' : key === 'edited' ? 'ask edited' : `write ${key}`;
    await begin(key, message, key === 'edited' ? 'changed' : key);
  }
  await begin('reads', 'look reads');
  void server.post('/tools/write/run', { arguments: { key: 'hand' } }).catch(() => undefined);
  void server.post('/tools/look/run', { arguments: { key: 'eye' } }).catch(() => undefined);
  await until(() => lines('hand').length > 0 && lines('eye').length > 0);
  await server.kill('SIGKILL');
  await start();
}, 120_000);
afterAll(async () => {
  await server.kill('SIGKILL');
  await ollama.close();
  rmSync(dataDir, { recursive: true, force: true });
});

describe('after a kill', { timeout: 60_000 }, () => {
  it('the turn waits, and a person is asked what became of the call', async () => {
    const { sessionId, turnId, lastEventId } = sessionOf('retry');
    const turn = (await server.get(`/turns/${turnId}`)).body;
    expect(turn).toMatchObject({ state: 'waiting', finished_at: null, error: null });
    expect(turn.last_event_id).toBeGreaterThan(lastEventId);
    const [approval, ...others] = await approvalsOf('retry');
    expect(others).toEqual([]);
    expect(turn.approvals).toEqual([approval]);
    expect(approval).toMatchObject({
      kind: 'outcome',
      state: 'pending',
      session_id: sessionId,
      turn_id: turnId,
      call_index: 0,
      tool_call_id: 'c0',
      tool_name: 'write',
      arguments: { key: 'retry' },
      input_schema: null,
      rule: 'unknown_outcome',
      previous: { attempt: 1, started_at: expect.stringMatching(/Z$/) },
      allowed_decisions: ['retry', 'respond', 'deny'],
      allowed_scopes: ['once'],
    });
    const { executions } = (await server.get(`/tool-executions?session_id=${sessionId}`)).body;
    expect(executions).toMatchObject([
      {
        state: 'unknown',
        success: false,
        attempt: 1,
        error: 'the server stopped while this ran; it may have taken effect',
        finished_at: expect.any(String),
      },
    ]);
    expect((await readStore(dataDir, sessionId)).toolCalls).toMatchObject([
      { state: 'unknown', success: null },
    ]);
  });

  it('whoever watches is told so, with the question', async () => {
    const { turnId, lastEventId } = sessionOf('retry');
    const left = new AbortController();
    const response = await fetch(`${server.url}/api/v1/turns/${turnId}/stream`, {
      headers: { 'last-event-id': String(lastEventId) },
      signal: left.signal,
    });
    let said = '';
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      said += chunk;
      if (said.includes('conf_')) break;
    }
    left.abort();
    expect(said).toContain('"kind":"outcome"');
  });

  it('retry runs it again, as the next attempt with the same key', async () => {
    expect((await decide('retry', { decision: 'approve' })).status).toBe(422);
    expect((await decide('retry', { decision: 'retry', scope: 'session' })).status).toBe(422);
    expect((await decide('retry', { decision: 'retry' })).body.state).toBe('approved');
    expect(await ended('retry')).toMatchObject({ state: 'completed' });
    const [first, second, ...others] = lines('retry');
    expect(others).toEqual([]);
    expect(second).toBe(first?.replace('retry 1', 'retry 2'));
    expect(await contents('retry')).toEqual([
      ['user', 'write retry'],
      ['assistant', ''],
      ['tool', 'wrote retry'],
      ['assistant', 'It said: wrote retry'],
    ]);
    const { sessionId } = sessionOf('retry');
    const { executions } = (await server.get(`/tool-executions?session_id=${sessionId}`)).body;
    expect(executions.map(({ attempt, state }: any) => [attempt, state])).toEqual([
      [2, 'succeeded'],
      [1, 'unknown'],
    ]);
  });

  it('respond is its result, and nothing runs', async () => {
    await decide('respond', { decision: 'respond', content: 'I looked: it is there.' });
    expect(await ended('respond')).toMatchObject({ state: 'completed' });
    expect(lines('respond')).toHaveLength(1);
    expect((await contents('respond'))[2]).toEqual(['tool', 'I looked: it is there.']);
    const [call] = (await readStore(dataDir, sessionOf('respond').sessionId)).toolCalls;
    expect(call).toMatchObject({ state: 'done', success: 1 });
  });

  it('deny counts as failed, and the model is told that nobody knows', async () => {
    await decide('deny', { decision: 'deny', reason: 'Let it be.' });
    expect(await ended('deny')).toMatchObject({ state: 'completed' });
    expect(lines('deny')).toHaveLength(1);
    const words = "Tool 'write' may have run; its outcome is unknown and it was not run again";
    expect((await contents('deny'))[2]).toEqual(['tool', `${words}: Let it be.`]);
    const [call] = (await readStore(dataDir, sessionOf('deny').sessionId)).toolCalls;
    expect(call).toMatchObject({ state: 'done', success: 0 });
  });

  it('a new message goes first, since nobody looks at the question; the history is whole', async () => {
    const { sessionId, turnId } = sessionOf('told');
    const [approval] = await approvalsOf('told');
    const { body } = await server.chat(sessionId, { message: 'Hello?' });
    expect(body.message.content).toBe('Hello.');
    expect((await server.get(`/turns/${turnId}`)).body.state).toBe('cancelled');
    expect((await contents('told'))[2]?.[1]).toMatch(/outcome is unknown and it was not run again$/);
    expect((await server.get(`/approvals/${approval.confirmation_id}`)).body.state).toBe('cancelled');
    expect(lines('told')).toHaveLength(1);
  });

  it('the calls after it are settled in their order, once it is', async () => {
    expect(lines('quick_after')).toEqual([]);
    await decide('twice', { decision: 'retry' });
    expect(await ended('twice')).toMatchObject({ state: 'completed' });
    expect([lines('twice').length, lines('quick_after').length]).toEqual([2, 1]);
    expect((await contents('twice')).slice(2, 4)).toEqual([
      ['tool', 'wrote twice'],
      ['tool', 'wrote quick_after'],
    ]);
  });

  it('what a person had changed before it ran is what is asked about, and what runs again', async () => {
    const [approval] = await approvalsOf('edited');
    expect(approval).toMatchObject({ kind: 'outcome', arguments: { key: 'changed' } });
    await decide('edited', { decision: 'retry' });
    expect(await ended('edited')).toMatchObject({ state: 'completed' });
    expect(lines('changed')).toHaveLength(2);
    expect(lines('edited')).toEqual([]);
    expect((await contents('edited'))[2]).toEqual([
      'tool',
      'Note: the user changed the arguments to {"key":"changed"}.\nwrote changed',
    ]);
    const { sessionId } = sessionOf('edited');
    const { executions } = (await server.get(`/tool-executions?session_id=${sessionId}`)).body;
    const output = await fetch(`${server.url}/api/v1/tool-executions/${executions[0].execution_id}/output`);
    expect(await output.text()).toBe('wrote changed');
    expect((await readStore(dataDir, sessionId)).toolCalls).toMatchObject([
      { ran_arguments: '{"key":"changed"}' },
    ]);
  });

  it('the same call is asked about, until somebody has wanted it run again', async () => {
    await decide('again', { decision: 'deny' });
    await ended('again');
    const { sessionId } = sessionOf('again');
    const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'write again' });
    for await (const { event, data } of stream.events) {
      if (event !== 'tool_call_confirmation_required') continue;
      expect(data).toMatchObject({ kind: 'tool', rule: 'unknown_outcome', arguments: { key: 'again' } });
      await server.post(`/approvals/${data.confirmation_id}/decide`, { decision: 'deny' });
    }
    expect(lines('again')).toHaveLength(1);
    // Of another session nothing is unknown; and where it was run again, everything is known.
    const retried = sessionOf('retry').sessionId;
    const { body } = await server.chat(retried, { message: 'write quick_1' });
    expect(body.tool_calls_executed).toMatchObject([{ success: true }]);
  });

  it('one that only reads has failed, and its turn is interrupted as ever', async () => {
    const { turnId } = sessionOf('reads');
    const turn = (await server.get(`/turns/${turnId}`)).body;
    expect(turn).toMatchObject({ state: 'interrupted', error: { code: 'turn_interrupted' } });
    expect(await contents('reads')).toEqual([
      ['user', 'look reads'],
      ['assistant', ''],
      ['tool', 'Error: the server stopped while this ran; it can be called again'],
    ]);
    expect(await approvalsOf('reads')).toEqual([]);
  });

  it('runs by hand are closed, and nobody is asked', async () => {
    const { executions } = (await server.get('/tool-executions?limit=1000')).body;
    const ofHand = executions.filter(({ session_id: session }: any) => session === null);
    expect(ofHand.map(({ arguments: { key }, state, error }: any) => [key, state, error]).sort()).toEqual([
      ['eye', 'failed', 'the server stopped while this ran; it can be called again'],
      ['hand', 'unknown', 'the server stopped while this ran; it may have taken effect'],
    ]);
  });

  it('survives another kill and a stop in order; its time can be over', async () => {
    await server.kill('SIGKILL');
    await start();
    const [approval] = await approvalsOf('expire');
    expect(approval).toMatchObject({ kind: 'outcome', state: 'pending', expires_at: null });
    await server.kill('SIGTERM');
    await start();
    expect(await approvalsOf('expire')).toEqual([approval]);
    await decide('expire', { decision: 'retry' });
    expect(await ended('expire')).toMatchObject({ state: 'completed' });
    expect(lines('expire')).toHaveLength(2);
  });
});
