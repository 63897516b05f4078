// Agent chats over HTTP: kept out of the lists, read like sessions, changed by nobody, gone with their session.
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { agentChatLines, chatLines } from '../support/agent-chat-lines.ts';
import { readStore } from '../support/read-store.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

const NDJSON = { 'content-type': 'application/x-ndjson' };
const idsOf = (items: { session_id: string }[]) => items.map(({ session_id: id }) => id);
const at = (second: number) => ({
  updated_at: `2026-02-15T09:50:${String(second).padStart(2, '0')}.000000Z`,
});

beforeEach(async () => {
  for (const id of ['parent', 'other', 'alone', 'nameless', 'pictured']) {
    await server.request('DELETE', `/sessions/${id}`);
    await server.request('DELETE', `/agents/chats/${id}`);
  }
  const lines = [
    chatLines('parent', at(1)),
    chatLines('other', at(2)),
    agentChatLines({ id: 'first', parent: 'parent', change: at(3) }),
    agentChatLines({ id: 'second', parent: 'parent', callIndex: 1, agent: 'writer', change: at(4) }),
    agentChatLines({ id: 'others', parent: 'other', change: at(5) }),
    agentChatLines({ id: 'alone', change: at(6) }),
    agentChatLines({ id: 'nameless', agent: null, change: at(7) }),
  ];
  const { body } = await server.post('/sessions/import', lines.join(''), NDJSON);
  expect(body.skipped).toEqual([]);
});

describe('lists and search', () => {
  it('of sessions are without agent chats, unless they are asked for', async () => {
    const { body } = await server.get('/sessions');
    expect(idsOf(body.sessions)).toEqual(['other', 'parent']);
    expect(body.sessions[0]).not.toHaveProperty('kind');
    const all = await server.get('/sessions?include_agents=true');
    expect(idsOf(all.body.sessions)).toEqual([
      'nameless',
      'alone',
      'others',
      'second',
      'first',
      'other',
      'parent',
    ]);
    expect(all.body.sessions.map(({ kind }: { kind: string }) => kind).slice(-3)).toEqual([
      'agent',
      'chat',
      'chat',
    ]);
    expect((await server.get('/sessions?include_agents=false')).body).toEqual(body);
  });

  it('find what agents did only when they are asked to', async () => {
    const found = async (path: string) =>
      new Set(idsOf((await server.get(path)).body[path.startsWith('/search') ? 'results' : 'sessions']));
    for (const path of ['/search?q=quokkas', '/sessions?q=quokkas']) {
      expect(await found(path)).toEqual(new Set(['parent', 'other']));
      expect((await found(`${path}&include_agents=true`)).size).toBe(7);
    }
    const { body } = await server.get('/search?q=look&include_agents=true&limit=1');
    expect(body.results).toMatchObject([{ kind: 'agent' }]);
    expect((await server.get('/search?q=look')).body.results).toEqual([]);
  });

  it('page with cursors of their own: one of the other list is refused', async () => {
    for (const path of ['/sessions?limit=1', '/search?q=quokkas&limit=1', '/sessions?q=quokkas&limit=1']) {
      const { next_cursor: cursor } = (await server.get(path)).body;
      expect(cursor).toEqual(expect.any(String));
      const { status, body } = await server.get(`${path}&include_agents=true&cursor=${cursor}`);
      expect([status, body.detail.error.code]).toEqual([400, 'invalid_cursor']);
    }
  });

  it('refuse what is no answer to whether', async () => {
    for (const path of ['/sessions?', '/search?q=quokkas&']) {
      expect((await server.get(`${path}include_agents=perhaps`)).status).toBe(422);
    }
  });
});

describe('GET /agents/chats', () => {
  it('lists them, the newest first, as `sessions` and as `chats`', async () => {
    const { body } = await server.get('/agents/chats');
    expect(idsOf(body.sessions)).toEqual(['nameless', 'alone', 'others', 'second', 'first']);
    expect(body.chats).toEqual(body.sessions);
    expect(body.next_cursor).toBeNull();
    expect(body.sessions.at(-1)).toMatchObject({
      preview: 'Look for quokkas.',
      message_count: 2,
      agent_name: 'researcher',
      parent_session_id: 'parent',
      last_turn_id: 'turn_first',
      active_turn: null,
    });
    expect(body.sessions[0]).toMatchObject({ agent_name: null, parent_session_id: null });
  });

  it.each([
    ['agent=writer', ['second']],
    ['agent=researcher', ['alone', 'others', 'first']],
    ['session_id=parent', ['second', 'first']],
    ['session_id=parent&agent=researcher', ['first']],
    ['agent=nobody', []],
    ['session_id=first', []],
  ])('?%s', async (query, expected) => {
    expect(idsOf((await server.get(`/agents/chats?${query}`)).body.sessions)).toEqual(expected);
  });

  it('in pages', async () => {
    const ids: string[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const { body } = await server.get(
        `/agents/chats?agent=researcher&limit=2${cursor && `&cursor=${cursor}`}`,
      );
      ids.push(...idsOf(body.sessions));
      cursor = body.next_cursor;
      if (cursor !== null) {
        expect((await server.get(`/agents/chats?limit=2&cursor=${cursor}`)).status).toBe(400);
      }
    }
    expect(ids).toEqual(['alone', 'others', 'first']);
    expect((await server.get('/agents/chats?limit=0')).status).toBe(422);
  });
});

describe('an agent chat', () => {
  it('is a session with what is told of agents', async () => {
    const { status, body } = await server.get('/agents/chats/first');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      session_id: 'first',
      agent_name: 'researcher',
      parent_session_id: 'parent',
      parent_turn_id: 'turn_parent',
    });
    const { agent_name: _agent, parent_session_id: _session, parent_turn_id: _turn, ...session } = body;
    expect(session).toEqual((await server.get('/sessions/first')).body);
    expect((await server.get('/agents/chats/alone')).body).toMatchObject({
      parent_session_id: null,
      parent_turn_id: null,
    });
  });

  it.each(['parent', 'nobody', '..%2Fparent', 'x'.repeat(100)])('%s is none', async (id) => {
    for (const method of ['GET', 'DELETE']) {
      const { status, body } = await server.request(method, `/agents/chats/${id}`);
      expect([status, body.detail.error.code]).toEqual([404, 'session_not_found']);
    }
    expect((await server.get('/sessions/parent')).status).toBe(200);
  });

  it('is read by every route that reads a session', async () => {
    const reads = operations().filter(({ method, path }) => method === 'GET' && OF_A_SESSION.test(path));
    expect(reads.length).toBeGreaterThanOrEqual(7);
    const pictured = agentChatLines({ id: 'pictured' }).replace(
      '"role":"user"',
      `"role":"user","images":["${PIXEL}"]`,
    );
    await server.post('/sessions/import', pictured, NDJSON);
    const values = { session_id: 'pictured', message_id: 'q-pictured', index: '0' };
    for (const { path } of reads) {
      const { status } = await server.get(fill(path, values));
      expect([path, status]).toEqual([path, 200]);
    }
  });

  it('is changed by no route of sessions or chats: each says that there is none', async () => {
    const before = await readStore(server.dataDir);
    const writes = operations().filter(({ method, path }) => method !== 'GET' && OF_A_SESSION.test(path));
    expect(writes.length).toBeGreaterThanOrEqual(12);
    for (const { method, path, body } of writes) {
      const address = fill(path, { session_id: 'first', message_id: 'q-first', index: '0' });
      const answer = await server.request(method, address, method === 'DELETE' ? undefined : (body ?? {}));
      // What a run asks that a client started is answered in its chat: here nothing is asked.
      const code = path.endsWith('/confirm-tool') ? 'confirmation_not_found' : 'session_not_found';
      expect([method, path, answer.status, answer.body.detail?.error.code]).toEqual([
        method,
        path,
        404,
        code,
      ]);
    }
    expect(await readStore(server.dataDir)).toEqual(before);
  });

  it('goes when it is deleted, and nothing else does', async () => {
    expect((await server.request('DELETE', '/agents/chats/first')).status).toBe(204);
    for (const path of ['/agents/chats/first', '/sessions/first', '/turns/turn_first']) {
      expect((await server.get(path)).status).toBe(404);
    }
    expect((await server.request('DELETE', '/agents/chats/first')).status).toBe(404);
    expect(idsOf((await server.get('/agents/chats?session_id=parent')).body.sessions)).toEqual(['second']);
    expect((await server.get('/sessions/parent')).status).toBe(200);
  });

  it('goes with its session, large ones in slices; those of other sessions stay', async () => {
    const many = Array.from({ length: 400 }, (_, index) => ({
      type: 'message',
      message_id: `m${index}`,
      parent_id: index === 0 ? 'a-large' : `m${index - 1}`,
      role: 'user',
      content: `wombat ${index}`,
      timestamp: '2026-02-15T09:49:30.000000Z',
    }));
    const [session = '', ...rest] = agentChatLines({ id: 'large', parent: 'parent', callIndex: 2 })
      .trim()
      .split('\n');
    const lines = [
      JSON.stringify({ ...JSON.parse(session), head: 'm399' }),
      ...rest,
      ...many.map((line) => JSON.stringify(line)),
    ];
    expect((await server.post('/sessions/import', lines.join('\n'), NDJSON)).body.skipped).toEqual([]);
    expect((await server.get('/sessions/large')).body).toMatchObject({ message_count: 402 });
    expect((await server.request('DELETE', '/sessions/parent')).status).toBe(204);
    for (const id of ['first', 'second', 'large']) {
      expect((await server.get(`/agents/chats/${id}`)).status).toBe(404);
      expect((await server.get(`/turns/turn_${id}`)).status).toBe(404);
    }
    expect((await server.get('/search?q=wombat&include_agents=true')).body.results).toEqual([]);
    expect(idsOf((await server.get('/agents/chats')).body.sessions)).toEqual(['nameless', 'alone', 'others']);
    await expect
      .poll(
        async () =>
          (await readStore(server.dataDir)).messages.filter(({ session_id: id }) => id === 'large').length,
      )
      .toBe(0);
  });

  it('survives that its session is forked, and belongs to the one that it was begun by', async () => {
    const { body } = await server.post('/sessions/parent/fork', {});
    expect((await server.get(`/agents/chats?session_id=${body.session_id}`)).body.sessions).toEqual([]);
    await server.request('DELETE', `/sessions/${body.session_id}`);
    expect((await server.get('/agents/chats?session_id=parent')).body.sessions).toHaveLength(2);
  });
});

describe('GET /turns/{id}', () => {
  it('tells how far a run came, and who started it', async () => {
    expect((await server.get('/turns/turn_first')).body).toMatchObject({
      session_id: 'first',
      state: 'completed',
      agent_name: 'researcher',
      phase: 'executing',
      round: 3,
      parent_turn_id: 'turn_parent',
      agent_turns: [],
    });
    expect((await server.get('/turns/turn_alone')).body).toMatchObject({ parent_turn_id: null, round: 3 });
  });

  it('names the runs that a turn has started; one of a deleted chat is none', async () => {
    const run = (id: string, agent: string) => ({
      turn_id: `turn_${id}`,
      session_id: id,
      state: 'completed',
      agent_name: agent,
      phase: 'executing',
      round: 3,
    });
    const { body } = await server.get('/turns/turn_parent');
    expect(body).toMatchObject({ agent_name: null, phase: null, round: null, parent_turn_id: null });
    expect(body.agent_turns).toEqual([run('first', 'researcher'), run('second', 'writer')]);
    await server.request('DELETE', '/agents/chats/first');
    expect((await server.get('/turns/turn_parent')).body.agent_turns).toEqual([run('second', 'writer')]);
  });
});

const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

const fill = (path: string, values: Readonly<Record<string, string>>) =>
  path.replaceAll(/\{(\w+)\}/g, (_whole, name: string) => values[name] ?? 'x');

const OF_A_SESSION = /^\/(sessions|chat)\/\{session_id\}/;

interface Operation {
  readonly method: string;
  readonly path: string;
  /** A body that the route takes. */
  readonly body: unknown;
}

/** Every operation of the document, those included that come later. */
function operations(): Operation[] {
  const document = JSON.parse(readFileSync(new URL('../../openapi.json', import.meta.url), 'utf8'));
  return Object.entries(document.paths as Record<string, Record<string, never>>).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => {
      const { schema } = Object(operation)?.requestBody?.content?.['application/json'] ?? {};
      const name = schema?.$ref?.split('/').at(-1);
      const { examples, required = [], properties } = document.components.schemas[name] ?? {};
      const body =
        examples?.[0] ??
        Object.fromEntries(required.map((key: string) => [key, properties[key].examples?.[0] ?? 'x']));
      return { method: method.toUpperCase(), path: path.replace('/api/v1', ''), body };
    }),
  );
}
