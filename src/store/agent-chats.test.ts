// Agent chats in the store: how a database of before comes by them, what lists cost beside them, and how they go.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import SqliteDriver from 'better-sqlite3';
import { Kysely, SqliteDialect, sql } from 'kysely';
import { Migrator } from 'kysely/migration';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTestStore, type TestStore, TIME } from '../../test/support/open-test-store.ts';
import { planOf } from '../../test/support/plan-of.ts';
import { faultsOfSearch } from '../../test/support/search-index-faults.ts';
import { describeRuns } from './agent-runs.ts';
import { clearSession, deleteSession } from './clear-session.ts';
import type { Database } from './database.ts';
import { findIdempotentTurn } from './idempotent-turns.ts';
import { listAgentChats, listSessions } from './list-sessions.ts';
import { MIGRATIONS } from './migrations/migrations.ts';
import { openStore } from './open-store.ts';
import { findSessions, search } from './search.ts';
import { parseSearch } from './search-query.ts';
import { SLICE_ROWS } from './slices.ts';
import { openSqlite } from './sqlite.ts';

const root = mkdtempSync(join(tmpdir(), 'mochi-agents-'));
afterAll(() => rmSync(root, { recursive: true }));

describe('a database of the version before', () => {
  it('comes along: its sessions are chats, its turns are no runs, and it is searched as it was', async () => {
    const dataDir = mkdtempSync(join(root, 'old-'));
    const file = join(dataDir, 'mochi.db');
    const before = Object.entries(MIGRATIONS).filter(([name]) => name < '013');
    const old = new Kysely<unknown>({ dialect: new SqliteDialect({ database: openSqlite(file) }) });
    const provider = { getMigrations: async () => Object.fromEntries(before) };
    expect((await new Migrator({ db: old, provider }).migrateToLatest()).error).toBeUndefined();
    for (const statement of OLD_ROWS) await sql.raw(statement).execute(old);
    await old.destroy();

    const { db, close } = await openStore({ dataDir, exclusive: true });
    const sessions = await listSessions(db, { limit: 10, after: null, includesAgents: true });
    expect(sessions).toMatchObject([{ session_id: 'old', title: 'Quokkas', kind: 'chat', message_count: 1 }]);
    expect(await listSessions(db, { limit: 10, after: null, includesAgents: false })).toHaveLength(1);
    expect(await db.selectFrom('turns').selectAll().execute()).toMatchObject([
      { id: 'turn_1', agent_name: null, phase: null, round: null, parent_turn_id: null },
    ]);
    const found = await search(db, queryOf('quokkas'), { limit: 9, after: null, includesAgents: false });
    expect(new Set(found.results.map(({ message_id }) => message_id))).toEqual(new Set(['m1', null]));
    // What hangs on the rows still does: the triggers of the index, and what goes with a session.
    await db.updateTable('session_rows').set({ title: 'Wombats' }).execute();
    expect((await findSessions(db, queryOf('wombats'), { includesAgents: false })).ids).toEqual(['old']);
    await db.deleteFrom('session_rows').execute();
    expect(await db.selectFrom('messages').selectAll().execute()).toEqual([]);
    await close();
  });
});

const OLD_ROWS = [
  `insert into session_rows (id, model, created_at, updated_at, title, metadata, tool_settings, agent_settings,
     context_window, head_id, head_depth)
   values ('old', 'm', '${TIME}', '${TIME}', 'Quokkas', '{}', '{}', '{}', '{}', 'm1', 0)`,
  `insert into messages (session_id, id, depth, active, role, content, timestamp, status)
   values ('old', 'm1', 0, 1, 'user', 'All about quokkas', '${TIME}', 'complete')`,
  `insert into turns (id, session_id, state, created_at, finished_at, last_event_id, is_structured)
   values ('turn_1', 'old', 'completed', '${TIME}', '${TIME}', 2, 0)`,
];

function queryOf(text: string) {
  const query = parseSearch(text);
  if (query === null) throw new Error('no query');
  return query;
}

let store: TestStore;
beforeEach(async () => {
  store = await openTestStore();
});
afterEach(() => store.close());

const addChat = (id: string, settings: object = {}) =>
  store.addSession(id, { kind: 'agent', agentName: 'a', parentSessionId: 's', ...settings });

/** One path of them, for a statement that inserts them. */
function messageRows(sessionId: string, count: number): string {
  const rows = Array.from(
    { length: count },
    (_, index) =>
      `('${sessionId}', '${sessionId}-${index}', ${index}, 1, 'user', 'quokka', '${TIME}', 'complete')`,
  );
  return rows.join();
}

describe('lists', () => {
  const page = { limit: 10, after: { updatedAt: TIME, id: 'x' } };
  const chats = { ...page, agent: null, parentSessionId: null };
  it.each([
    ['chats', (db) => listSessions(db, { ...page, includesAgents: false }), 'session_rows_chats'],
    ['agent chats', (db) => listAgentChats(db, chats), 'session_rows_agents'],
    ['of an agent', (db) => listAgentChats(db, { ...chats, agent: 'a' }), 'session_rows_of_agent'],
    [
      'of a session',
      (db) => listAgentChats(db, { ...chats, parentSessionId: 's' }),
      'session_rows_of_parent',
    ],
    [
      'of an agent in a session',
      (db) => listAgentChats(db, { ...chats, agent: 'a', parentSessionId: 's' }),
      'session_rows_of_parent',
    ],
  ] satisfies [string, (db: Kysely<Database>) => Promise<unknown>, string][])(
    '%s: one index range, and nothing is sorted',
    async (_name, ask, index) => {
      for (const number of [1, 2, 3]) {
        await addChat(`chat-${number}`);
        await store.addSession(`session-${number}`);
      }
      const plan = await planOf(store.dataDir, ask);
      expect(plan).toMatch(new RegExp(`SEARCH session_rows USING INDEX ${index} \\(.*updated_at<\\?\\)`));
      // The turn that holds a session is one of the few that have not ended, and those are put in order.
      expect(plan).toContain('SEARCH turns USING INDEX turns_unfinished (session_id=?)\nUSE TEMP B-TREE');
      expect(plan.match(/SCAN|TEMP B-TREE/g)).toHaveLength(1);
    },
  );

  it('a key that began a chat is looked up among those of runs', async () => {
    const mark = { key: 'agent a chat x', since: TIME };
    expect(await planOf(store.dataDir, (db) => findIdempotentTurn(db, null, mark))).toContain(
      'SEARCH turns USING INDEX turns_idempotency_of_runs (idempotency_key=?)',
    );
    expect(await planOf(store.dataDir, (db) => findIdempotentTurn(db, 's', mark))).toContain(
      'SEARCH turns USING INDEX turns_idempotency (session_id=? AND idempotency_key=?)',
    );
    const runs = await planOf(store.dataDir, (db) => describeRuns(db, []));
    expect(runs).toContain('SEARCH turns USING INDEX turns_of_parent (parent_turn_id=?)');
    expect(runs).not.toMatch(/SCAN turns/);
  });

  it('pages of both kinds meet at their ends, each entry once', async () => {
    for (const number of [1, 2, 3]) {
      await addChat(`chat-${number}`, { agentName: number === 1 ? 'b' : 'a' });
      await store.addSession(`session-${number}`);
    }
    const walk = async (
      list: (after: { updatedAt: string; id: string } | null) => Promise<{ session_id: string }[]>,
    ) => {
      const ids: string[] = [];
      for (let after: { updatedAt: string; id: string } | null = null; ; ) {
        const rows: { session_id: string }[] = await list(after);
        ids.push(...rows.map(({ session_id }) => session_id));
        const last = rows.at(-1);
        if (last === undefined) return ids;
        after = { updatedAt: TIME, id: last.session_id };
      }
    };
    const limit = 2;
    const sessions = ['s', 'session-1', 'session-2', 'session-3'];
    expect(await walk((after) => listSessions(store.db, { limit, after, includesAgents: false }))).toEqual(
      sessions,
    );
    expect(await walk((after) => listSessions(store.db, { limit, after, includesAgents: true }))).toEqual([
      'chat-1',
      'chat-2',
      'chat-3',
      ...sessions,
    ]);
    const all = { limit, agent: null, parentSessionId: null };
    expect(await walk((after) => listAgentChats(store.db, { ...all, after }))).toEqual([
      'chat-1',
      'chat-2',
      'chat-3',
    ]);
    expect(await walk((after) => listAgentChats(store.db, { ...all, after, agent: 'a' }))).toEqual([
      'chat-2',
      'chat-3',
    ]);
  });
});

describe('search', () => {
  it('passes over agent chats, however many hits they have, unless it is asked for them', async () => {
    await addChat('chat', { title: 'The quokka report' });
    const question = await store.append(null, 'A quokka?');
    await store.append(question, 'Yes');
    await sql`insert into messages (session_id, id, depth, active, role, content, timestamp, status)
      values ${sql.raw(messageRows('chat', 2100))}`.execute(store.db);
    const query = queryOf('quokka');
    const own = await search(store.db, query, { limit: 50, after: null, includesAgents: false });
    expect(own.results.map(({ session_id, kind }) => [session_id, kind])).toEqual([['s', undefined]]);
    expect(own.isTruncated).toBe(false);
    expect((await findSessions(store.db, query, { includesAgents: false })).ids).toEqual(['s']);
    const all = await search(store.db, query, { limit: 3000, after: null, includesAgents: true });
    expect(all.isTruncated).toBe(true);
    expect(all.results).toContainEqual(
      expect.objectContaining({ session_id: 'chat', message_id: null, kind: 'agent' }),
    );
    const { ids } = await findSessions(store.db, query, { includesAgents: true });
    expect(ids.toSorted()).toEqual(['chat', 's']);
  });
});

describe('a deletion', () => {
  const rowsLeft = async (table: 'session_rows' | 'messages' | 'search_titles') => {
    const { rows } = await sql<{ n: number }>`select count(*) as n from ${sql.table(table)}`.execute(
      store.db,
    );
    return rows[0]?.n;
  };
  const fill = async (sessionId: string, count: number) => {
    await sql`insert into messages (session_id, id, depth, active, role, content, timestamp, status)
      values ${sql.raw(messageRows(sessionId, count))}`.execute(store.db);
  };
  const remove = () => store.db.transaction().execute((db) => deleteSession(db, 's', Date.now()));

  it('of a session takes its agent chats along; those of others stay', async () => {
    await store.addSession('other');
    await addChat('one', { title: 'One' });
    await addChat('two');
    await addChat('others', { parentSessionId: 'other', title: 'Others' });
    await addChat('alone', { parentSessionId: null });
    for (const id of ['s', 'one', 'two', 'others', 'alone']) await fill(id, 2);
    expect(await remove()).toBe('cleared');
    const rows = await store.db.selectFrom('session_rows').select('id').orderBy('id').execute();
    expect(rows.map(({ id }) => id)).toEqual(['alone', 'other', 'others']);
    expect([await rowsLeft('messages'), await rowsLeft('search_titles')]).toEqual([4, 1]);
    expect(await faultsOfSearch(store.dataDir)).toEqual([]);
  });

  it('takes large agent chats away in slices, none of them larger than others can wait for', async () => {
    await addChat('large', { title: 'Large' });
    await addChat('small');
    await fill('large', 2 * SLICE_ROWS + 50);
    await fill('small', 2);
    await fill('s', 2);
    expect(await remove()).toBe('hidden');
    // Nobody sees any of them from now on.
    expect(await listSessions(store.db, { limit: 9, after: null, includesAgents: true })).toEqual([]);
    expect(await rowsLeft('search_titles')).toBe(0);
    let before = 2 * SLICE_ROWS + 54;
    let slices = 0;
    await clearSession(store.db, 's', () => {
      const driver = new SqliteDriver(join(store.dataDir, 'mochi.db'), { readonly: true });
      const now = Number(driver.prepare('select count(*) from messages').pluck().get());
      driver.close();
      expect(before - now).toBeLessThanOrEqual(SLICE_ROWS);
      before = now;
      slices += 1;
      return false;
    });
    expect(slices).toBeGreaterThanOrEqual(2);
    expect([await rowsLeft('session_rows'), await rowsLeft('messages')]).toEqual([0, 0]);
  });

  it('of an agent chat leaves its session alone', async () => {
    await addChat('one');
    await fill('one', 2);
    await fill('s', 2);
    const outcome = await store.db.transaction().execute((db) => deleteSession(db, 'one', Date.now()));
    expect(outcome).toBe('cleared');
    expect([await rowsLeft('session_rows'), await rowsLeft('messages')]).toEqual([1, 2]);
  });
});
