// Export → import into an empty server → export: the same bytes, and the same rows, whatever the session.

import { join } from 'node:path';
import SqliteDriver from 'better-sqlite3';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ExecutionLine, MessageLine, SessionLine, TurnLine } from '../../src/contract/jsonl.ts';
import {
  EXECUTION_COLUMNS,
  MESSAGE_COLUMNS,
  SESSION_COLUMNS,
  TOOL_CALL_COLUMNS,
  TURN_COLUMNS,
} from '../../src/transfer/jsonl/columns.ts';
import { randomAgentChat, storeRandomAgentChat } from '../support/random-agent-chat.ts';
import { randomSession, storeRandomSession } from '../support/random-session.ts';
import { faultsOf, readStore } from '../support/read-store.ts';
import { openDatabaseOf } from '../support/test-database.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

let from: TestServer;
let to: TestServer;
/** Beside the server, as the import command opens it. */
let store: Awaited<ReturnType<typeof openDatabaseOf>>;
beforeAll(async () => {
  [from, to] = await Promise.all([startTestServer(), startTestServer()]);
  store = await openDatabaseOf(from.dataDir, { exclusive: false });
});
afterAll(async () => {
  await store.close();
  await Promise.all([from.close(), to.close()]);
});

const exported = async (server: TestServer, id: string, format = 'jsonl') =>
  (await fetch(`${server.url}/api/v1/sessions/${id}/export?format=${format}`)).text();
/** With its agent chats. */
const exportedWhole = (server: TestServer, id: string) => exported(server, id, 'jsonl&agents=true');
const imported = (server: TestServer, body: string, type = 'application/x-ndjson') =>
  server.post('/sessions/import', body, { 'content-type': type });

/** Rows without what an import gives anew. */
async function rowsOf(server: TestServer, id: string) {
  const { sessions, messages, turns, toolCalls, executions } = await readStore(server.dataDir, id);
  return {
    sessions: sessions.map(({ import_hash: _hash, ...row }) => row),
    messages: messages.map(({ seq: _order, ...row }) => row),
    turns,
    toolCalls,
    executions: executions.map(({ boot_id: _boot, ...row }) => row),
  };
}

describe('a round trip as JSONL', { timeout: 120_000 }, () => {
  it('loses nothing, and imports the same only once', async () => {
    await fc.assert(
      fc.asyncProperty(randomSession, async (random) => {
        const id = await storeRandomSession(store.db, random);
        const text = await exported(from, id);
        expect((await imported(to, text)).body).toEqual({
          imported: [{ session_id: id, source_id: id }],
          skipped: [],
        });
        expect(await exported(to, id)).toBe(text);
        expect(await rowsOf(to, id)).toEqual(await rowsOf(from, id));
        const again = await imported(to, text);
        expect(again.body).toMatchObject({ imported: [], skipped: [{ source_id: id }] });
        // The server that it is from has it, too.
        expect((await imported(from, text)).body.imported).toEqual([]);
      }),
      { numRuns: 30 },
    );
    expect(faultsOf(await readStore(to.dataDir)).filter((fault) => !/no result|no call/.test(fault))).toEqual(
      [],
    );
  });

  it('takes many sessions at once, in one body', async () => {
    const ids: string[] = [];
    const texts: string[] = [];
    await fc.assert(
      fc.asyncProperty(randomSession, async (random) => {
        const id = await storeRandomSession(store.db, random);
        ids.push(id);
        texts.push(await exported(from, id));
      }),
      { numRuns: 5 },
    );
    const { body } = await imported(to, texts.join(''));
    expect(body.imported.map(({ session_id: id }: { session_id: string }) => id)).toEqual(ids);
    expect(await Promise.all(ids.map((id) => exported(to, id)))).toEqual(texts);
  });

  it('under an id that is taken, everything but ids stays', async () => {
    const [random] = fc.sample(
      // A name that is taken is given to none.
      randomSession.filter(({ steps, settings }) => steps.length > 6 && settings.clientKey === null),
      { numRuns: 1, seed: 7 },
    );
    if (random === undefined) throw new Error('no sample');
    const id = await storeRandomSession(store.db, random);
    await from.request('PATCH', `/sessions/${id}`, { title: 'One' });
    const one = await exported(from, id);
    await from.request('PATCH', `/sessions/${id}`, { title: 'Two' });
    const two = await exported(from, id);
    await imported(to, one);
    const { body } = await imported(to, two);
    const newId = body.imported[0].session_id;
    expect(body.imported[0].source_id).toBe(id);
    expect(newId).not.toBe(id);
    expect(await exported(to, id)).toBe(one);
    const withoutIds = (text: string) =>
      text
        .replaceAll(/turn_\w+/g, 'TURN')
        .replaceAll(/"exec_\w+/g, '"EXEC')
        .replace(/"session_id":"\w+"/, '"session_id":"ID"');
    expect(withoutIds(await exported(to, newId))).toBe(withoutIds(two));
    const turns = (await readStore(to.dataDir, newId)).turns.map((turn) => turn.id);
    expect(turns.length).toBeGreaterThan(0);
    const ofMessages = (await readStore(to.dataDir, newId)).messages.flatMap(
      ({ turn_id: turn }) => turn ?? [],
    );
    expect(turns).toEqual(expect.arrayContaining(ofMessages));
    expect((await imported(to, two)).body.imported).toEqual([]);
  });
});

describe('a round trip with agent chats', { timeout: 120_000 }, () => {
  const family = fc.tuple(randomSession, fc.array(randomAgentChat, { minLength: 1, maxLength: 3 }));
  type Family = typeof family extends fc.Arbitrary<infer T> ? T : never;
  const retitled = (text: string, title: string) =>
    text.replaceAll(/^\{"type":"session"[^\n]*$/gm, (line) => JSON.stringify({ ...JSON.parse(line), title }));
  const storeFamily = async ([session, chats]: Family) => {
    const parent = await storeRandomSession(store.db, session);
    const ids: string[] = [];
    for (const chat of chats) ids.push(await storeRandomAgentChat(store.db, chat, parent));
    return { parent, ids };
  };

  it('loses nothing, and imports the same only once', async () => {
    await fc.assert(
      fc.asyncProperty(family, async (random) => {
        const { parent, ids } = await storeFamily(random);
        const text = await exportedWhole(from, parent);
        expect((await imported(to, text)).body.skipped).toEqual([]);
        expect(await exportedWhole(to, parent)).toBe(text);
        for (const id of [parent, ...ids]) {
          expect(await rowsOf(to, id)).toEqual(await rowsOf(from, id));
          expect(await exported(to, id)).toBe(await exported(from, id));
        }
        for (const server of [to, from]) expect((await imported(server, text)).body.imported).toEqual([]);
      }),
      { numRuns: 12 },
    );
  });

  it('under ids that are taken, chats go with the copy of their session, and runs name its turns', async () => {
    const [random] = fc.sample(
      family.filter(
        ([session, chats]) =>
          session.settings.clientKey === null &&
          session.steps.some(({ kind }) => kind === 'answer') &&
          chats.every(
            ({ session: { steps }, runs }) =>
              steps.some(({ kind }) => kind === 'answer') && runs.every(({ isCalled }) => isCalled),
          ),
      ),
      { numRuns: 1, seed: 3 },
    );
    if (random === undefined) throw new Error('no sample');
    const { parent, ids } = await storeFamily(random);
    const first = await exportedWhole(from, parent);
    await imported(to, first);
    // Other content under the same ids.
    const second = retitled(first, 'Other');
    const { body } = await imported(to, second);
    expect(body.skipped).toEqual([]);
    const [copy, ...chats] = body.imported.map(({ session_id: id }: { session_id: string }) => id);
    expect(chats).toHaveLength(ids.length);
    const turnsOf = async (id: string) => (await readStore(to.dataDir, id)).turns;
    for (const chat of chats) {
      expect((await readStore(to.dataDir, chat)).sessions).toMatchObject([
        { kind: 'agent', parent_session_id: copy },
      ]);
      for (const run of await turnsOf(chat)) {
        expect(run.parent_session_id).toBe(copy);
        expect((await turnsOf(copy)).map(({ id }) => id)).toContain(run.parent_turn_id);
      }
    }
    // The same lines again are known, and what is new beside them finds its session under the id that it has here.
    const last = second.lastIndexOf('{"type":"session"');
    const third = (await imported(to, second.slice(0, last) + retitled(second.slice(last), 'Third'))).body;
    expect([third.imported, third.skipped]).toMatchObject([
      [{}],
      Array.from({ length: ids.length }, () => ({})),
    ]);
    const late = third.imported[0].session_id;
    expect((await readStore(to.dataDir, late)).sessions).toMatchObject([{ parent_session_id: copy }]);
    // A call starts one run, and these calls have theirs: the copy was started by nobody.
    const ofLate = await turnsOf(late);
    expect(ofLate.map(({ parent_turn_id: turn }) => turn)).toEqual(ofLate.map(() => null));
  });

  it('without its session, a chat stands alone; beside it in the database, it finds it', async () => {
    const [random] = fc.sample(family, { numRuns: 1, seed: 5 });
    if (random === undefined) throw new Error('no sample');
    const { parent, ids } = await storeFamily(random);
    const [chat = ''] = ids;
    const text = await exported(from, chat);
    await imported(to, text);
    expect((await to.get(`/agents/chats/${chat}`)).body.parent_session_id).toBeNull();
    expect((await imported(to, text)).body.imported).toEqual([]);
    await to.request('DELETE', `/agents/chats/${chat}`);
    await imported(to, await exported(from, parent));
    await imported(to, text);
    expect((await to.get(`/agents/chats/${chat}`)).body.parent_session_id).toBe(parent);
  });
});

describe("a round trip as the original's file", { timeout: 120_000 }, () => {
  it('keeps the active path and the settings, and imports the same only once', async () => {
    await fc.assert(
      fc.asyncProperty(randomSession, async (random) => {
        // Empty texts are how the original says nothing.
        const id = await storeRandomSession(store.db, random);
        const text = await exported(from, id, 'json');
        // The server refuses this key in every JSON body.
        fc.pre(!text.includes('"__proto__"'));
        const sent = await imported(to, text, 'application/json');
        expect(sent.status).toBe(201);
        const newId = sent.body.imported[0].session_id;
        const path = async (server: TestServer, session: string) =>
          (await server.messages(session)).map(({ role, content, message_id: message, status }) => [
            role,
            content,
            message,
            status,
          ]);
        expect(await path(to, newId)).toEqual(await path(from, id));
        const before = (await from.get(`/sessions/${id}`)).body;
        expect((await to.get(`/sessions/${newId}`)).body).toMatchObject({
          model: before.model,
          metadata: before.metadata,
          created_at: before.created_at,
          updated_at: before.updated_at,
          message_count: before.message_count,
          tool_settings: before.tool_settings,
        });
        expect((await imported(to, text, 'application/json')).body.imported).toEqual([]);
      }),
      { numRuns: 15 },
    );
  });
});

describe('the table types', () => {
  const tables = {
    sessions: SESSION_COLUMNS,
    messages: MESSAGE_COLUMNS,
    turns: TURN_COLUMNS,
    tool_calls: TOOL_CALL_COLUMNS,
    tool_executions: EXECUTION_COLUMNS,
  };
  const columnsOf = (table: string): string[] => {
    const driver = new SqliteDriver(join(from.dataDir, 'mochi.db'), { readonly: true });
    const rows = driver.pragma(`table_info(${table})`) as { name: string }[];
    driver.close();
    return rows.map(({ name }) => name).filter((name) => name !== 'seq');
  };

  it.each(Object.entries(tables))(
    '%s: every column of the database has a place, or a reason',
    (table, columns) => {
      expect(Object.keys(columns).sort()).toEqual(columnsOf(table).sort());
    },
  );

  it('no other table belongs to a session, but the index that triggers fill, and what people are asked and work that waits here', () => {
    const driver = new SqliteDriver(join(from.dataDir, 'mochi.db'), { readonly: true });
    const names = driver
      .prepare(
        `select m.name from sqlite_schema m, pragma_foreign_key_list(m.name) f where m.type = 'table' and f."table" = 'session_rows'`,
      )
      .pluck()
      .all() as string[];
    driver.close();
    expect(names.sort()).toEqual([
      'approvals',
      'background_jobs',
      // Of clients that send their history again: the next request makes them anew.
      'history_marks',
      'messages',
      'search_titles',
      // The agent chats of a session.
      'session_rows',
      'tool_calls',
      'tool_executions',
      'tool_grants',
      'turns',
    ]);
  });

  it('every place is a key of the schema of its line, and the other way round', () => {
    const keysOf = (columns: object) =>
      Object.values(columns).flatMap((place: { key: string } | null) => place?.key ?? []);
    const schemaKeys = (schema: unknown) => Object.keys(Object(schema).properties);
    const sorted = (...keys: string[]) => keys.sort();
    expect(sorted(...schemaKeys(SessionLine))).toEqual(
      sorted('type', 'format', 'message_lines', 'turn_lines', 'execution_lines', ...keysOf(SESSION_COLUMNS)),
    );
    expect(sorted(...schemaKeys(MessageLine))).toEqual(sorted('type', 'calls', ...keysOf(MESSAGE_COLUMNS)));
    expect(sorted(...schemaKeys(ExecutionLine))).toEqual(sorted('type', ...keysOf(EXECUTION_COLUMNS)));
    expect(sorted(...schemaKeys(TurnLine))).toEqual(sorted('type', ...keysOf(TURN_COLUMNS)));
    expect(sorted(...schemaKeys(Object(MessageLine).properties.calls.items))).toEqual(
      sorted(...keysOf(TOOL_CALL_COLUMNS)),
    );
  });
});
