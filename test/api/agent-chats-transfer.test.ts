// Agent chats as files: those of the original at the first start, ours out and in again.
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runExport } from '../../src/cli/export.ts';
import { runImport } from '../../src/cli/import.ts';
import { agentChatLines, chatLines } from '../support/agent-chat-lines.ts';
import { readStore } from '../support/read-store.ts';
import { openDatabaseOf } from '../support/test-database.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

const NDJSON = { 'content-type': 'application/x-ndjson' };
const fixture = new URL('../fixtures/original-sessions/server-1.4.json', import.meta.url);
const idsOf = (items: { session_id: string }[]) => items.map(({ session_id: id }) => id).toSorted();

let root: string;
let server: TestServer;
let original: { metadata: Record<string, unknown>; messages: unknown[] };
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'mochi-agent-files-'));
  original = JSON.parse(await readFile(fixture, 'utf8'));
  const folder = join(root, 'data', 'agents', 'agent_chats');
  await mkdir(folder, { recursive: true });
  await mkdir(join(root, 'data', 'chat_sessions'));
  const file = (id: string, metadata: object) =>
    JSON.stringify({ ...original, metadata: { ...original.metadata, session_id: id, ...metadata } });
  await writeFile(join(folder, 'aaaaaaaaa1.json'), file('aaaaaaaaa1', { agent_name: 'coder' }));
  await writeFile(join(folder, 'aaaaaaaaa2.json'), file('aaaaaaaaa2', {}));
  await writeFile(join(folder, 'aaaaaaaaa3.json'), file('aaaaaaaaa3', { agent_name: 'not a name' }));
  await writeFile(join(folder, 'broken.json'), '{');
  // The same content as a conversation of people is another one.
  await writeFile(join(root, 'data', 'chat_sessions', 'bbbbbbbbb1.json'), file('aaaaaaaaa2', {}));
  server = await startTestServer({ dataDir: join(root, 'data') });
});
afterAll(async () => {
  await server.close();
  await rm(root, { recursive: true });
});

describe('the files of the original', () => {
  it('become agent chats at the first start, with the agent that they name', async () => {
    const { body } = await server.get('/agents/chats');
    const shown = body.chats.map((chat: Record<string, unknown>) => [
      chat['agent_name'],
      chat['parent_session_id'],
      chat['last_turn_id'],
      chat['message_count'],
    ]);
    expect(shown.toSorted()).toEqual([
      [null, null, null, 5],
      [null, null, null, 5],
      ['coder', null, null, 5],
    ]);
    expect((await server.get('/sessions')).body.sessions).toHaveLength(1);
    // What could not be used is kept.
    const kept = (await readStore(server.dataDir)).sessions.flatMap(
      ({ extra }) => JSON.parse(extra ?? '{}').agent_name ?? [],
    );
    expect(kept).toEqual(['not a name']);
  });

  it('are taken once: what is deleted stays deleted, and the files stay as they are', async () => {
    await server.request('DELETE', '/agents/chats/aaaaaaaaa1');
    const before = idsOf((await server.get('/agents/chats')).body.chats);
    expect(before).toHaveLength(2);
    await server.restart();
    expect(idsOf((await server.get('/agents/chats')).body.chats)).toEqual(before);
    expect(await readdir(join(root, 'data', 'agents', 'agent_chats'))).toHaveLength(4);
  });

  it('are taken by a server that imported its sessions before there were agents', async () => {
    const { db, close } = await openDatabaseOf(server.dataDir, { exclusive: false });
    await db.deleteFrom('meta').where('key', '=', 'first_import_of_agent_chats').execute();
    await close();
    await server.restart();
    const { body } = await server.get('/agents/chats');
    expect(body.chats).toHaveLength(3);
    expect((await server.get('/sessions')).body.sessions).toHaveLength(1);
  });

  it('are written for an agent chat, too, which is one again where it is read', async () => {
    for (const agent of ['coder', null]) {
      const id = `json-${agent}`;
      await server.post('/sessions/import', agentChatLines({ id, agent }), NDJSON);
      const file = (await server.get(`/sessions/${id}/export`)).body;
      expect(file.metadata.agent_name).toBe(agent);
      expect((await server.post('/sessions/import', file)).body.imported).toEqual([]);
      await server.request('DELETE', `/agents/chats/${id}`);
      expect((await server.post('/sessions/import', file)).body.imported).toHaveLength(1);
      expect((await server.get(`/agents/chats/${id}`)).body).toMatchObject({ agent_name: agent });
      expect((await server.get(`/sessions/${id}/export`)).body).toEqual(file);
    }
  });
});

describe('lines', () => {
  it('hold a session before its agent chats when they are asked for, and not otherwise', async () => {
    const lines = [
      chatLines('parent'),
      agentChatLines({ id: 'first', parent: 'parent' }),
      agentChatLines({ id: 'second', parent: 'parent', callIndex: 1 }),
    ];
    expect((await server.post('/sessions/import', lines.join(''), NDJSON)).body.skipped).toEqual([]);
    const sessionsIn = async (query: string) => {
      const { body } = await server.get(`/sessions/parent/export?format=jsonl${query}`);
      const found = String(body)
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
      return found.filter(({ type }) => type === 'session').map(({ session_id: id }) => id);
    };
    expect(await sessionsIn('')).toEqual(['parent']);
    expect(await sessionsIn('&agents=false')).toEqual(['parent']);
    expect(await sessionsIn('&agents=true')).toEqual(['parent', 'first', 'second']);
    const refused = await server.get('/sessions/parent/export?agents=true');
    expect([refused.status, refused.body.detail.error.details.errors]).toEqual([
      422,
      [{ path: '/agents', message: 'needs format=jsonl' }],
    ]);
  });

  it('of a plain session say nothing of agents: earlier servers read them', async () => {
    const { body } = await server.get('/sessions/parent/export?format=jsonl');
    expect(String(body)).not.toMatch(/"kind"|agent_name|parent_session|parent_turn|"phase"|"round"/);
  });

  it.each([
    ['a chat with an agent', { agent_name: 'coder' }],
    ['a chat with a parent', { parent_session_id: 'parent' }],
    ['another kind', { kind: 'robot' }],
    ['a parent that can be no id', { kind: 'agent', parent_session_id: '../parent' }],
  ])('are damaged: %s', async (_what, change) => {
    const { status, body } = await server.post('/sessions/import', chatLines('odd', change), NDJSON);
    expect([status, body.detail.error.code]).toEqual([422, 'validation_error']);
    expect((await server.get('/sessions/odd')).status).toBe(404);
  });

  it('that name an agent chat, themselves or nobody as the parent make a chat that stands alone', async () => {
    for (const [id, parent] of [
      ['nested', 'first'],
      ['itself', 'itself'],
      ['lost', 'nobody'],
    ] as const) {
      const { body } = await server.post('/sessions/import', agentChatLines({ id, parent }), NDJSON);
      expect(body.imported).toHaveLength(1);
      expect((await server.get(`/agents/chats/${id}`)).body.parent_session_id).toBeNull();
    }
  });

  it('with two runs of one call: the first keeps it', async () => {
    const chat = agentChatLines({ id: 'twice', parent: 'parent', callIndex: 7 });
    const run = JSON.parse(chat.trimEnd().split('\n').at(-1) ?? '');
    const again = { ...run, turn_id: 'turn_again', created_at: '2026-02-15T09:49:39.000000Z' };
    await server.post('/sessions/import', `${chat}${JSON.stringify(again)}\n`, NDJSON);
    expect((await server.get('/turns/turn_twice')).body.parent_turn_id).toBe('turn_parent');
    expect((await server.get('/turns/turn_again')).body).toMatchObject({
      parent_turn_id: null,
      agent_name: 'researcher',
      round: 3,
    });
  });

  it('of a run that was under way: it is closed like any turn', async () => {
    const running = agentChatLines({ id: 'under-way' }).replace('"state":"completed"', '"state":"running"');
    await server.post('/sessions/import', running, NDJSON);
    expect((await server.get('/turns/turn_under-way')).body).toMatchObject({
      state: 'interrupted',
      phase: 'executing',
      error: { code: 'turn_interrupted' },
    });
  });
});

describe('the command `import`', () => {
  it('takes the files of the folder of agent chats for those, and all others for sessions', async () => {
    const folder = join(root, 'data', 'agents', 'agent_chats');
    const file = (id: string) =>
      JSON.stringify({ ...original, metadata: { ...original.metadata, session_id: id, title: id } });
    const places = {
      cccccccc01: join(folder, 'late.json'),
      cccccccc02: join(root, 'data', 'agents', 'other.json'),
      cccccccc03: join(root, 'data', 'agents', 'agent_chats_old.json'),
    };
    for (const [id, path] of Object.entries(places)) await writeFile(path, file(id));
    await runImport(server.config, Object.values(places));
    const chats = idsOf((await server.get('/agents/chats')).body.chats);
    expect(Object.keys(places).map((id) => chats.includes(id))).toEqual([true, false, false]);
    expect((await server.get('/sessions/cccccccc03')).status).toBe(200);
  });
});

describe('the command `export`', () => {
  it('as jsonl writes agent chats with their session, those that stand alone by themselves', async () => {
    const folder = join(root, 'lines');
    await runExport(server.config, folder, 'jsonl');
    const files = await readdir(folder);
    expect(files).toEqual(expect.arrayContaining(['parent.jsonl', 'lost.jsonl', 'aaaaaaaaa1.jsonl']));
    expect(files).not.toContain('first.jsonl');
    const text = await readFile(join(folder, 'parent.jsonl'), 'utf8');
    expect(text).toBe((await server.get('/sessions/parent/export?format=jsonl&agents=true')).body);
  });

  it('as json writes agent chats into a folder of theirs', async () => {
    const folder = join(root, 'files');
    await runExport(server.config, folder, 'json');
    const chats = idsOf((await server.get('/agents/chats')).body.chats);
    expect((await readdir(join(folder, 'agent_chats'))).toSorted()).toEqual(chats.map((id) => `${id}.json`));
    expect(await readdir(folder)).toContain('parent.json');
    expect(await readdir(folder)).not.toContain('first.json');
  });
});
