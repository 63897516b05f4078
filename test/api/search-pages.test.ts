// Pages of search results, the list of sessions that hold a word, and what an old database is searched for.
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import SqliteDriver from 'better-sqlite3';
import { Kysely, SqliteDialect } from 'kysely';
import { Migrator } from 'kysely/migration';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seedPlan } from '../../bench/seed.ts';
import { MIGRATIONS } from '../../src/store/migrations/migrations.ts';
import { text } from '../fake-ollama/chat-script.ts';
import { hangAfter, script } from '../fake-ollama/script-modifiers.ts';
import { searchIndexFaults } from '../support/search-index-faults.ts';
import { databaseFor, dropDatabaseOf, openDatabaseOf } from '../support/test-database.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { expectError } from './wire-formats.ts';

const SESSIONS = 300;
const MESSAGES = 20;

let dataDir: string;
let server: TestServer;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'mochi-search-'));
  const store = await openDatabaseOf(dataDir, { exclusive: true });
  await seedPlan(store.db, {
    model: 'llama3.2:latest',
    sessions: SESSIONS,
    messages: MESSAGES,
    hasTurns: false,
  });
  await store.close();
  if ((await databaseFor(dataDir)) === undefined) await turnBack(dataDir);
  server = await startTestServer({ dataDir });
});
afterAll(async () => {
  await server.close();
  await dropDatabaseOf(dataDir);
  await rm(dataDir, { recursive: true });
});

/** The same rows in a database as it was before there was a search. */
async function turnBack(folder: string): Promise<void> {
  const file = join(folder, 'mochi.db');
  const older = join(folder, 'older.db');
  const db = new Kysely({ dialect: new SqliteDialect({ database: new SqliteDriver(older) }) });
  const migrator = new Migrator({ db, provider: { getMigrations: async () => ({ ...MIGRATIONS }) } });
  expect(await migrator.migrateTo('003_prompt_marks')).not.toHaveProperty('error');
  await db.destroy();
  const driver = new SqliteDriver(older);
  driver.exec(`attach '${file}' as newer`);
  const columnsOf = (database: string, table: string) =>
    (driver.pragma(`${database}.table_info(${table})`) as { name: string }[]).map(({ name }) => name);
  for (const [table, source] of [
    ['sessions', 'session_rows'],
    ['messages', 'messages'],
  ] as const) {
    const known = columnsOf('newer', source);
    const shared = columnsOf('main', table).filter((name) => known.includes(name));
    driver.exec(`insert into ${table} (${shared.join()}) select ${shared.join()} from newer.${source}`);
  }
  driver.exec("update sessions set title = 'Old talk' where id = (select min(id) from sessions)");
  driver.close();
  for (const suffix of ['', '-wal', '-shm']) await rm(`${file}${suffix}`, { force: true });
  await rename(older, file);
}

async function allPages(path: string, key: 'results' | 'sessions', between = async () => {}): Promise<any[]> {
  const items: any[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const { status, body } = await server.get(`${path}${cursor && `&cursor=${cursor}`}`);
    expect(status).toBe(200);
    items.push(...body[key]);
    cursor = body.next_cursor;
    await between();
  }
  return items;
}

describe('an older database', () => {
  it('is indexed at the start, messages and titles', async () => {
    expect(searchIndexFaults(dataDir)).toEqual([]);
    expect((await server.get('/search?q=message')).body.results).toHaveLength(100);
    expect((await server.get('/search?q=old%20talk')).body.results).toMatchObject([{ title: 'Old talk' }]);
  });
});

describe('pages of /search', () => {
  it('hold the newest 2000 of what is everywhere, each once, the best first, and say that there is more', async () => {
    const first = (await server.get('/search?q=conversation')).body;
    expect([first.results.length, first.truncated]).toEqual([100, true]);
    const results = await allPages('/search?q=conversation&limit=300', 'results');
    expect(new Set(results.map(({ message_id: id }) => id)).size).toBe(2000);
    expect(results).toHaveLength(2000);
    expect(results.slice(0, 100)).toEqual(first.results);
    const ranks = results.map(({ rank }) => rank);
    expect(ranks).toEqual(ranks.toSorted((one, other) => other - one));
  });

  it('hold each result once while others are written', async () => {
    const expected = await allPages('/search?q=%22message%207%22&limit=1000', 'results');
    expect(expected).toHaveLength(SESSIONS);
    const sessionId = await server.createSession();
    const results = await allPages('/search?q=%22message%207%22&limit=60', 'results', async () => {
      await server.chat(sessionId, { message: 'Something else, and then some more words of other things' });
    });
    expect(results.map(({ message_id: id }) => id)).toEqual(expected.map(({ message_id: id }) => id));
  });

  it('go on by their place when the last result was deleted meanwhile', async () => {
    const ids: string[] = [];
    for (const word of ['quagga one', 'quagga two', 'quagga three', 'quagga four']) {
      ids.push(await server.createSession({ title: word }));
    }
    const before = (await server.get('/search?q=quagga')).body.results;
    const first = (await server.get('/search?q=quagga&limit=2')).body;
    await server.request('DELETE', `/sessions/${first.results[0].session_id}`);
    const second = (await server.get(`/search?q=quagga&limit=2&cursor=${first.next_cursor}`)).body;
    expect([...first.results, ...second.results].map(({ title }) => title)).toEqual(
      before.map(({ title }: { title: string }) => title),
    );
  });

  it('refuse a cursor of another search, of another list, and of nobody', async () => {
    const { next_cursor: cursor } = (await server.get('/search?q=message&limit=1')).body;
    const { next_cursor: other } = (await server.get('/sessions?limit=1')).body;
    const forged = Buffer.from(JSON.stringify(['x', 1, -1])).toString('base64url');
    for (const wrong of [
      `q=lorem&cursor=${cursor}`,
      ...[other, forged, 'abc', ''].map((text) => `q=message&cursor=${text}`),
    ]) {
      expectError(await server.get(`/search?${wrong}`), 400, 'invalid_cursor');
    }
    expect((await server.get(`/search?q=MESSAGE&cursor=${cursor}`)).status).toBe(200);
  });
});

describe('GET /sessions?q=', () => {
  it('lists the sessions that hold it in a title or a message, the newest first, page by page', async () => {
    const all = await allPages('/sessions?limit=1000', 'sessions');
    const titled = await server.createSession({ title: 'About lorem' });
    const sessions = await allPages('/sessions?q=lorem%20conversation&limit=70', 'sessions');
    const seeded = all
      .filter(({ message_count: count }) => count === MESSAGES)
      .map(({ session_id: id }) => id);
    expect(sessions.map(({ session_id: id }) => id)).toEqual(seeded.slice(0, sessions.length));
    // The newest 5000 hits, the new title among them, lie in the newest sessions.
    expect(sessions.length).toBeLessThan(SESSIONS);
    expect(sessions.length).toBeGreaterThanOrEqual(5000 / MESSAGES - 1);
    expect((await server.get('/sessions?q=lorem%20conversation')).body.truncated).toBe(true);
    const [found, ...rest] = (await server.get('/sessions?q=about')).body.sessions;
    expect([found.session_id, rest]).toEqual([titled, []]);
  });

  it('finds nothing as an empty list, ignores a blank, refuses what has no word', async () => {
    expect((await server.get('/sessions?q=nowhere')).body).toEqual({
      sessions: [],
      next_cursor: null,
      truncated: false,
    });
    const { body } = await server.get('/sessions?limit=3');
    for (const blank of ['', '%20', '%E3%80%80']) {
      expect((await server.get(`/sessions?limit=3&q=${blank}`)).body).toEqual(body);
    }
    expectError(await server.get('/sessions?q=%22'), 422, 'validation_error');
  });
});

describe('an answer that is being written', () => {
  it('is found when it rests', async () => {
    const sessionId = await server.createSession();
    server.ollama.reply(script(text('The axolotl ', 'swims ', 'on'), hangAfter(2)));
    const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'Tell me' });
    for await (const { event } of stream.events) if (event === 'content_delta') break;
    expect((await server.get('/search?q=axolotl')).body.results).toEqual([]);
    await server.post(`/chat/${sessionId}/cancel?wait=true`);
    expect((await server.get('/search?q=axolotl')).body.results).toMatchObject([
      { session_id: sessionId, role: 'assistant' },
    ]);
  });
});
