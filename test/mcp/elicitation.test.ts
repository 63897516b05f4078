// Servers that ask a person something while one of their tools runs.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ToolAnswer, ToolQuestion } from '../../src/tools/tool.ts';
import { text, toolCall } from '../fake-ollama/chat-script.ts';
import { startFakeOllama } from '../fake-ollama/fake-ollama.ts';
import { askedOf, decide } from '../support/deciding.ts';
import { type McpWorld, openMcpWorld, own, packaged } from '../support/mcp-world.ts';
import { spawnServer } from '../support/spawned-server.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

const ASKING = 'mcp__every__trigger-elicitation-request';
const ANSWER = { name: 'Ada', check: true, integer: 7 };

describe('a tool that asks', { timeout: 60_000 }, () => {
  let world: McpWorld;
  beforeAll(async () => {
    world = await openMcpWorld(() => ({ every: { ...packaged('server-everything'), timeoutSeconds: 2 } }));
  }, 60_000);
  afterAll(() => world.close());

  const run = (answer: (question: ToolQuestion) => Promise<ToolAnswer>) =>
    world.run(ASKING, {}, { askPerson: answer });

  it('is given the answer, however long that takes: its time stands still', async () => {
    const asked: ToolQuestion[] = [];
    const outcome = await run(async (question) => {
      asked.push(question);
      await setTimeout(2200);
      return { action: 'accept', content: ANSWER };
    });
    expect(asked).toMatchObject([
      {
        server: 'every',
        message: 'Please provide inputs for the following fields:',
        schema: { type: 'object', properties: { name: { type: 'string' } } },
      },
    ]);
    expect(outcome).toMatchObject({ state: 'succeeded', text: expect.stringContaining('Name: Ada') });
  });

  it.each([
    ['decline', /declined/],
    ['cancel', /cancelled/],
  ] as const)('is told %s', async (action, words) => {
    expect((await run(async () => ({ action }))).text).toMatch(words);
  });

  it('is told no where nobody can be asked, and where it may be about another call', async () => {
    expect((await world.run(ASKING)).text).toMatch(/declined/);
    let asked = 0;
    const ask = async (): Promise<ToolAnswer> => {
      asked += 1;
      return { action: 'accept', content: ANSWER };
    };
    const outcomes = await Promise.all([run(ask), run(ask)]);
    expect(outcomes.map(({ text: said }) => /declined/.test(said))).toContain(true);
    expect(asked).toBeLessThan(2);
  });
});

describe('a chat whose tool asks', { timeout: 60_000 }, () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'mochi-asking-mcp-'));
  let server: TestServer;
  beforeAll(async () => {
    const servers = { every: packaged('server-everything') };
    writeFileSync(join(dataDir, 'mcp.json'), JSON.stringify({ mcpServers: servers }));
    server = await startTestServer({ dataDir });
    await server.get('/tools');
    server.ollama.setDefault(({ messages = [] }) => {
      const last = messages.at(-1);
      return last?.role === 'tool' ? text(`It says ${last.content}`) : toolCall(ASKING, {});
    });
  }, 60_000);
  afterAll(async () => {
    await server.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const newSession = () =>
    server.createSession({ tool_settings: { tools: [ASKING], execution_policy: 'never_confirm' } });
  const lastOf = async (sessionId: string) => (await server.messages(sessionId)).at(-1).content;

  it('asks the person of the session, after the call, and gives the tool what they say', async () => {
    const sessionId = await newSession();
    const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'Ask me.' });
    const told = stream.all();
    const [asked] = await askedOf(server, sessionId);
    expect(asked).toMatchObject({
      kind: 'question',
      tool_name: ASKING,
      question: { server: 'every', schema: { properties: { name: {} } } },
      allowed_decisions: ['respond', 'deny'],
      allowed_scopes: ['once'],
    });
    const misfit = await server.post(`/approvals/${asked.confirmation_id}/decide`, {
      decision: 'respond',
      content: { integer: 1000 },
    });
    expect(misfit.status).toBe(422);
    await decide(server, asked.confirmation_id, { decision: 'respond', content: ANSWER });
    const events = (await told).map(({ event, data }) =>
      event === 'status' ? data.phase : event === 'tool_call_confirmation_required' ? data.kind : event,
    );
    const round = events.slice(events.indexOf('running_tool'), events.indexOf('tool_continuation_start'));
    expect(round).toEqual([
      'running_tool',
      'tool_call',
      'waiting_for_approval',
      'question',
      'running_tool',
      'tool_result',
    ]);
    expect(await lastOf(sessionId)).toContain('Name: Ada');
  });

  it('gives way to a new message where nobody watches the question', async () => {
    const sessionId = await newSession();
    const first = await server.post(`/chat/${sessionId}`, { message: 'Ask me.', on_approval: 'return' });
    expect([first.status, first.body.state]).toEqual([202, 'waiting']);
    const next = await server.post(`/chat/${sessionId}`, { message: 'And now?', on_approval: 'return' });
    expect(next.status).toBe(202);
    const { body } = await server.get(`/turns/${first.body.turn_id}`);
    expect(body.state).toBe('cancelled');
    await server.post(`/turns/${next.body.turn_id}/cancel?wait=true`, undefined);
  });

  it('tells the tool that they do not want to', async () => {
    const sessionId = await newSession();
    const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'Ask me.' });
    const told = stream.all();
    const [asked] = await askedOf(server, sessionId);
    await server.post(`/chat/${sessionId}/confirm-tool`, {
      confirmation_id: asked.confirmation_id,
      approved: false,
    });
    await told;
    expect(await lastOf(sessionId)).toMatch(/declined/);
  });

  it('asks nobody where nobody is to be asked', async () => {
    const sessionId = await newSession();
    const { body } = await server.chat(sessionId, { message: 'Ask me.' });
    expect(body.message.content).toMatch(/declined/);
    expect((await server.get(`/approvals?session_id=${sessionId}&status=all`)).body.approvals).toEqual([]);
  });

  it('takes the question back when its turn is cancelled', async () => {
    const sessionId = await newSession();
    const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'Ask me.' });
    const told = stream.all();
    const [asked] = await askedOf(server, sessionId);
    await server.post(`/chat/${sessionId}/cancel?wait=true`);
    await told;
    expect((await server.get(`/approvals/${asked.confirmation_id}`)).body.state).toBe('cancelled');
  });
});

describe('a server that is killed while a tool asks', { timeout: 90_000 }, () => {
  it('asks what became of the call, and no more for the answer', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'mochi-asking-killed-'));
    const servers = { every: packaged('server-everything') };
    writeFileSync(join(dataDir, 'mcp.json'), JSON.stringify({ mcpServers: servers }));
    const ollama = await startFakeOllama();
    ollama.setDefault(() => toolCall(ASKING, {}));
    const first = await spawnServer({ dataDir, ollamaHost: ollama.url });
    await first.get('/tools');
    const sessionId = await first.createSession({
      tool_settings: { tools: [ASKING], execution_policy: 'never_confirm' },
    });
    const stream = await first.stream(`/chat/${sessionId}/stream`, { message: 'Ask me.' });
    const [question] = await askedOf(first, sessionId);
    await first.kill('SIGKILL');
    stream.abort();
    const second = await spawnServer({ dataDir, ollamaHost: ollama.url });
    const [outcome] = await askedOf(second, sessionId);
    expect([question.kind, outcome.kind]).toEqual(['question', 'outcome']);
    const { body } = await second.get(`/approvals/${question.confirmation_id}`);
    expect(body.state).toBe('cancelled');
    await second.kill('SIGTERM');
    await ollama.close();
    rmSync(dataDir, { recursive: true, force: true });
  });
});

describe('a server of 2026 that wants input first', { timeout: 90_000 }, () => {
  const ORDER = 'mcp__new__order';
  const dataDir = mkdtempSync(join(tmpdir(), 'mochi-asking-2026-'));
  let server: TestServer;
  beforeAll(async () => {
    const servers = { new: { ...own('modern.mjs'), protocol: '2026' } };
    writeFileSync(join(dataDir, 'mcp.json'), JSON.stringify({ mcpServers: servers }));
    server = await startTestServer({ dataDir });
    await server.get('/tools');
    server.ollama.setDefault(({ messages = [] }) => {
      const last = messages.at(-1);
      return last?.role === 'tool' ? text(`It says ${last.content}`) : toolCall(ORDER, {});
    });
  }, 60_000);
  afterAll(async () => {
    await server.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  async function ask(): Promise<{ sessionId: string; turnId: string; what: string; many: string }> {
    const sessionId = await server.createSession({
      tool_settings: { tools: [ORDER], execution_policy: 'never_confirm' },
    });
    const { status } = await server.post(`/chat/${sessionId}`, { message: 'Go', on_approval: 'return' });
    expect(status).toBe(202);
    const [what, many] = await askedOf(server, sessionId, 2);
    expect([what.question.message, many.question.message]).toEqual(['What?', 'How many?']);
    expect((await server.get(`/turns/${what.turn_id}`)).body.state).toBe('waiting');
    return {
      sessionId,
      turnId: what.turn_id,
      what: what.confirmation_id,
      many: many.confirmation_id,
    };
  }

  const answer = (content: object) => ({ decision: 'respond', content });
  const lastOf = async (sessionId: string) => (await server.messages(sessionId)).at(-1).content;

  it('is called again with all answers and its own state, by another process, too', async () => {
    const { sessionId, turnId, what, many } = await ask();
    await decide(server, many, answer({ count: '3' }));
    await server.restart();
    await server.get('/tools');
    expect((await server.get(`/turns/${turnId}`)).body.state).toBe('waiting');
    await decide(server, what, answer({ name: 'tea' }));
    await server.get(`/turns/${turnId}/stream`);
    expect(await lastOf(sessionId)).toMatch(
      /"what":\{"action":"accept","content":\{"name":"tea"\}\},"many":\{"action":"accept","content":\{"count":3\}\},"state":"begun by \d+"/,
    );
    const { body } = await server.get(`/tool-executions?session_id=${sessionId}`);
    expect(body.executions.map(({ attempt, state }: any) => [attempt, state])).toEqual([
      [2, 'succeeded'],
      [1, 'asked'],
    ]);
  });

  it('is told what people do not want to say', async () => {
    const { sessionId, turnId, what, many } = await ask();
    await decide(server, what, { decision: 'deny' });
    await decide(server, many, answer({ count: 1 }));
    await server.get(`/turns/${turnId}/stream`);
    expect(await lastOf(sessionId)).toContain('"what":{"action":"decline"}');
  });

  it('is told no where nobody is to be asked', async () => {
    const sessionId = await server.createSession({
      tool_settings: { tools: [ORDER], execution_policy: 'never_confirm' },
    });
    const { body } = await server.chat(sessionId, { message: 'Go' });
    expect(body.message.content).toContain('"many":{"action":"decline"}');
  });

  it('asks in vain when its turn is cancelled', async () => {
    const { sessionId, what, many } = await ask();
    await server.post(`/chat/${sessionId}/cancel?wait=true`);
    for (const id of [what, many]) {
      expect((await server.get(`/approvals/${id}`)).body.state).toBe('cancelled');
    }
    expect((await server.messages(sessionId)).at(-1)).toMatchObject({ role: 'tool' });
  });
});
