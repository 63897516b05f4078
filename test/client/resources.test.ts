// Every method of the client against the OpenAPI document: none is missing, none invented, each with its parameters.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createMochi, type Mochi } from '../../src/client/index.ts';

interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: { readonly content: Record<string, unknown> };
}

const document: { readonly paths: Record<string, Record<string, Operation>> } = JSON.parse(
  readFileSync(new URL('../../openapi.json', import.meta.url), 'utf8'),
);
const PREFIX = '/api/v1';
const operations = Object.entries(document.paths)
  .filter(([path]) => path.startsWith(`${PREFIX}/`))
  .flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  );

interface Asked {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly body: unknown;
}

const asked: Asked[] = [];
/** Answers nothing useful, and remembers what was asked. */
const recording: typeof fetch = async (input, init) => {
  asked.push({
    method: init?.method ?? 'GET',
    url: new URL(input instanceof Request ? input.url : input),
    headers: new Headers(init?.headers),
    body: init?.body,
  });
  const path = asked.at(-1)?.url.pathname ?? '';
  const isStream = /(stream|pull|events)$/.test(path);
  const event = path.endsWith('/approvals/stream') ? 'approval' : 'done';
  const headers = {
    'content-type': isStream ? 'text/event-stream' : 'application/json',
    'x-turn-id': 'turn_1',
  };
  const shown = `id: 9\nevent: ${event}\ndata: {}\n\nid: 9\nevent: hello\ndata: {}\n\n`;
  return new Response(isStream ? shown : '{"next_cursor":null}', { headers });
};

const first = async (items: AsyncIterable<unknown>) => {
  for await (const _item of items) return;
};

/** Each method, called once with everything it takes. */
const CALLS: Readonly<Record<string, (mochi: Mochi) => unknown>> = {
  getHealth: ({ health }) => health(),
  listModels: ({ models }) => models.list(),
  listLoadedModels: ({ models }) => models.loaded(),
  getModel: ({ models }) => models.get('a'),
  deleteModel: ({ models }) => models.delete('a'),
  pullModel: ({ models }) => first(models.pull('a')),
  createSession: ({ sessions }) => sessions.create({ model: 'a' }),
  listSessions: ({ sessions }) =>
    sessions.list({ q: 'a', limit: 1, cursor: 'c', include_agents: true, unlisted: true }),
  getSession: ({ sessions }) => sessions.get('a'),
  updateSession: ({ sessions }) => sessions.update('a', { title: 'b' }),
  deleteSession: ({ sessions }) => sessions.delete('a'),
  getSessionStatus: ({ sessions }) => sessions.status('a'),
  forkSession: ({ sessions }) => sessions.fork('a', { message_id: 'b' }),
  setHead: ({ sessions }) => sessions.setHead('a', { message_id: 'b' }),
  exportSession: ({ sessions }) => sessions.export('a', 'jsonl', { agents: true }),
  importSessions: ({ sessions }) => sessions.import('{"type":"session"}\n'),
  getSummary: ({ sessions }) => sessions.summary('a'),
  summarizeSession: ({ sessions }) => sessions.summarize('a', {}),
  setSystemPrompt: ({ sessions }) => sessions.setPrompt('a', { content: 'b' }),
  removeSystemPrompt: ({ sessions }) => sessions.clearPrompt('a'),
  listMessages: ({ messages }) =>
    messages.list('a', { limit: 1, cursor: 'c', from: -1, around: 'm', images: 'omit' }),
  getTree: ({ messages }) => messages.tree('a', { limit: 1, cursor: 'c' }),
  listSiblings: ({ messages }) => messages.siblings('a', 'b'),
  getImage: ({ messages }) => messages.image('a', 'b', 0),
  editMessage: ({ messages }) => messages.edit('a', 1, 'b'),
  chat: ({ chat }) => chat.send('a', { message: 'b' }),
  streamChat: ({ chat }) => chat.stream('a', { message: 'b' }, { leave: 'continue' }).id,
  previewChat: ({ chat }) => chat.preview('a', { message: 'b' }),
  cancelChat: ({ chat }) => chat.cancel('a', { wait: true }),
  getTurn: ({ turns }) => turns.get('a'),
  listTurns: ({ turns }) => turns.list('a', { limit: 1, cursor: 'c' }),
  watchTurn: () => first(createMochi({ fetch: recording, transport: 'poll' }).turns.watch('a', { after: 1 })),
  cancelTurn: ({ turns }) => turns.cancel('a', { wait: true }),
  issueStreamToken: ({ turns }) => turns.streamToken('a'),
  listPrompts: ({ prompts }) => prompts.list(),
  getPrompt: ({ prompts }) => prompts.get('a'),
  createPrompt: ({ prompts }) => prompts.create({ filename: 'a', content: 'b' }),
  updatePrompt: ({ prompts }) => prompts.update('a', 'b'),
  savePrompt: ({ prompts }) => prompts.save('a', 'b'),
  deletePrompt: ({ prompts }) => prompts.delete('a'),
  search: ({ search }) => search('a', { limit: 1, cursor: 'c', include_agents: true, unlisted: true }),
  listTools: ({ tools }) => tools.list(),
  getTool: ({ tools }) => tools.get('a'),
  reloadTools: ({ tools }) => tools.reload(),
  runTool: ({ tools }) => tools.run('a', { arguments: {} }),
  listToolExecutions: ({ tools }) =>
    tools.executions({ tool: 'a', session_id: 'b', state: 'failed', limit: 1, cursor: 'c' }),
  getToolExecution: ({ tools }) => tools.execution('a'),
  getToolExecutionOutput: ({ tools }) => tools.output('a'),
  getToolStats: ({ tools }) => tools.stats(),
  listToolGrants: ({ approvals }) => approvals.grants({ session_id: 'a' }),
  revokeToolGrant: ({ approvals }) => approvals.revoke('a'),
  listApprovals: ({ approvals }) =>
    approvals.list({ status: 'all', session_id: 'a', turn_id: 'b', limit: 1, cursor: 'c' }),
  getApproval: ({ approvals }) => approvals.get('a'),
  decideApproval: ({ approvals }) => approvals.decide('a', { decision: 'approve' }),
  decideApprovals: ({ approvals }) =>
    approvals.decideMany({ decisions: [{ confirmation_id: 'a', decision: 'approve' }] }),
  watchApprovals: ({ approvals }) => first(approvals.watch()),
  confirmTool: ({ approvals }) => approvals.confirmTool('a', { confirmation_id: 'b', approved: true }),
  listMcpServers: ({ tools }) => tools.servers(),
  listAgents: ({ agents }) => agents.list(),
  getAgent: ({ agents }) => agents.get('a'),
  listAgentChats: ({ agents }) => agents.chats({ agent: 'a', session_id: 'b', limit: 1, cursor: 'c' }),
  getAgentChat: ({ agents }) => agents.chat('a'),
  deleteAgentChat: ({ agents }) => agents.deleteChat('a'),
  runAgent: ({ agents }) => agents.run('a', { instruction: 'b' }),
  streamAgent: ({ agents }) => agents.stream('a', { instruction: 'b' }, { leave: 'continue' }).id,
  reloadAgents: ({ agents }) => agents.reload(),
  watchEvents: () => first(createMochi({ fetch: recording, transport: 'poll' }).events({ after: 1 })),
  restartMcpServer: ({ tools }) => tools.restartServer('a'),
};

/** Of a page that reads a stream by itself, and of clients that have none to read. */
const NOT_SENT = new Set(['watchTurn token', 'streamChat follow', 'streamAgent follow']);

describe('the resources', () => {
  it('have a method for every operation', () => {
    expect(Object.keys(CALLS).sort()).toEqual(
      operations.map(({ operation }) => operation.operationId).sort(),
    );
  });

  it('have no method beside these', () => {
    const mochi = createMochi({ fetch: recording });
    const methods = Object.values(mochi).flatMap((noun) =>
      typeof noun === 'object' ? Object.keys(noun) : typeof noun === 'function' ? [noun.name] : [],
    );
    // `request` is any of them.
    expect(methods).toHaveLength(Object.keys(CALLS).length + 1);
  });

  it.each(operations)(
    '$method $path is asked for as it is described',
    async ({ path, method, operation }) => {
      const { operationId, parameters = [], requestBody } = operation;
      asked.length = 0;
      await Promise.resolve(CALLS[operationId]?.(createMochi({ fetch: recording }))).catch(() => undefined);
      const [request] = asked;
      expect(request).toBeDefined();
      if (request === undefined) return;
      expect([request.method, request.url.pathname]).toEqual([
        method,
        expect.stringMatching(new RegExp(`^${path.replaceAll(/\{[^}]+\}/g, '[^/]+')}$`)),
      ]);
      const described = (place: string) =>
        parameters.filter((one) => one.in === place).map(({ name }) => name);
      const expected = described('query').filter((name) => !NOT_SENT.has(`${operationId} ${name}`));
      expect([...request.url.searchParams.keys()].sort()).toEqual(expected.sort());
      if (described('header').includes('idempotency-key')) {
        expect(request.headers.get('idempotency-key')).toMatch(/^[0-9a-f]{32}$/);
      }
      expect([operationId, request.body !== undefined]).toEqual([operationId, requestBody !== undefined]);
      const type = request.headers.get('content-type');
      if (requestBody !== undefined) expect(Object.keys(requestBody.content)).toContain(type);
    },
  );
});
