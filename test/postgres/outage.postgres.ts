// What becomes of requests and of turns while the database is away: crashed, stopped, frozen, read-only, full. A real
// PostgreSQL is treated so.
import { sql } from 'kysely';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { openPostgres } from '../../src/store/dialect/postgres/open.ts';
import { openClient } from '../../src/store/dialect/postgres/pool.ts';
import { Reach } from '../../src/store/dialect/postgres/reach.ts';
import { text } from '../fake-ollama/chat-script.ts';
import { gateAfter, script } from '../fake-ollama/script-modifiers.ts';
import { type OwnPostgres, startOwnPostgres } from '../support/postgres.ts';
import type { StreamedEvent } from '../support/read-events.ts';
import { administer, databaseUrl } from '../support/test-database.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

let postgres: OwnPostgres;
let url: string;
let server: TestServer;

beforeAll(async () => {
  const own = await startOwnPostgres();
  if (own === null) throw new Error('There is no PostgreSQL on this machine.');
  postgres = own;
  await administer(postgres.url, 'create database outage');
  url = databaseUrl(postgres.url, 'outage');
  server = await startTestServer({ config: { databaseUrl: url, databasePool: 3 } });
}, 60_000);
afterAll(async () => {
  await server.close();
  await postgres.stop();
});
afterEach(async () => {
  await expect.poll(async () => (await server.get('/readyz')).status, { timeout: 10_000 }).toBe(200);
});

const BUSY = { status: 503, body: { detail: { error: { code: 'database_busy' } } } };

/** A turn whose answer goes on when it is let. */
async function beginTurn(before: string, after: string) {
  const gate = Promise.withResolvers<void>();
  const sessionId = await server.createSession();
  server.ollama.reply(script(text(before, after), gateAfter(1, gate.promise)));
  const { events } = await server.stream(`/chat/${sessionId}/stream`, { message: 'Hello' });
  const told: StreamedEvent[] = [];
  const until = async (name: string) => {
    for (;;) {
      const { value, done } = await events.next();
      if (done) throw new Error(`The stream has ended without ${name}.`);
      told.push(value);
      if (value.event === name) return value;
    }
  };
  await until('content_delta');
  await expect
    .poll(async () => (await server.messages(sessionId)).at(-1))
    .toMatchObject({ role: 'assistant', content: before });
  return { sessionId, told, until, goOn: () => gate.resolve() };
}

const RELOAD = 'select pg_reload_conf()';

/** One after the other, on a connection of their own. @returns the rows of the last one */
async function ask(database: string, ...statements: readonly string[]): Promise<unknown[]> {
  const client = new Client({ connectionString: database });
  await client.connect();
  try {
    let rows: unknown[] = [];
    for (const statement of statements) ({ rows } = await client.query(statement));
    return rows;
  } finally {
    await client.end();
  }
}

async function expectRefused(): Promise<void> {
  await expect.poll(async () => (await server.get('/readyz')).status, { timeout: 10_000 }).toBe(503);
  const { status, body, headers } = await server.get('/sessions');
  expect({ status, body }).toMatchObject(BUSY);
  expect(headers.get('retry-after')).toBe('2');
  expect(await server.post('/sessions', {})).toMatchObject(BUSY);
  expect((await server.get('/livez')).status).toBe(200);
}

it.each([
  ['crashes', () => postgres.crash(), () => postgres.start()],
  ['is stopped', () => postgres.halt(), () => postgres.start()],
  ['freezes', async () => postgres.freeze(), async () => postgres.thaw()],
])(
  'a turn goes on while the database %s, and ends when it is back; requests are refused meanwhile',
  async (_, goes, comes) => {
    const { sessionId, told, until, goOn } = await beginTurn('One', ' and two.');
    await goes();
    await expectRefused();
    // The model is heard of as before.
    goOn();
    expect(JSON.stringify(await until('content_delta'))).toContain(' and two.');
    expect(told.map(({ event }) => event)).not.toContain('message_complete');
    await comes();
    expect((await until('done')).data.state).toBe('completed');
    const messages = await server.messages(sessionId);
    expect(messages.map(({ role, content, status }) => [role, content, status])).toEqual([
      ['user', 'Hello', 'complete'],
      ['assistant', 'One and two.', 'complete'],
    ]);
    // And the session goes on.
    server.ollama.reply(text('Three.'));
    await server.chat(sessionId, { message: 'More' });
    expect(await server.messages(sessionId)).toHaveLength(4);
  },
);

it('what a crash of the database has taken back of an answer is stored again', async () => {
  // What nobody waits for stays in memory for ten seconds, unless somebody else waits for his commit.
  const lazy = ['wal_writer_delay=10000'];
  await postgres.halt();
  await postgres.start(lazy);
  let isTakenBack = false;
  for (let tries = 0; tries < 5 && !isTakenBack; tries += 1) {
    await expect.poll(async () => (await server.get('/readyz')).status, { timeout: 10_000 }).toBe(200);
    const { sessionId, until, goOn } = await beginTurn('Lost', ' and found.');
    await postgres.crash();
    await postgres.start(lazy);
    const rows = await ask(url, `select role from messages where session_id = '${sessionId}'`);
    isTakenBack = rows.length === 1;
    goOn();
    await until('done');
    expect((await server.messages(sessionId)).map(({ content, status }) => [content, status])).toEqual([
      ['Hello', 'complete'],
      ['Lost and found.', 'complete'],
    ]);
  }
  expect(isTakenBack).toBe(true);
});

it('connections that are ended one by one are nothing that anybody hears of', async () => {
  const { until, goOn, sessionId } = await beginTurn('Still', ' here.');
  await administer(
    postgres.url,
    "select pg_terminate_backend(pid) from pg_stat_activity where datname = 'outage'",
  );
  await expect.poll(async () => (await server.get('/sessions')).status).toBe(200);
  goOn();
  await until('done');
  expect((await server.messages(sessionId)).at(-1)).toMatchObject({
    content: 'Still here.',
    status: 'complete',
  });
});

it('a database that is read-only for a while is one that is away', async () => {
  const { until, goOn } = await beginTurn('Write', ' later.');
  await ask(postgres.url, 'alter system set default_transaction_read_only = on', RELOAD);
  await expectRefused();
  expect((await server.get('/readyz')).body.detail.error.details).toEqual({ reason: 'read_only' });
  goOn();
  await until('content_delta');
  await ask(postgres.url, 'set default_transaction_read_only = off', 'alter system reset all', RELOAD);
  expect((await until('done')).data.state).toBe('completed');
});

it('a database that has lost its tables is one that is away, until they are restored', async () => {
  const sessionId = await server.createSession();
  await ask(url, 'create schema aside', 'alter table session_rows set schema aside');
  await expectRefused();
  expect((await server.get('/readyz')).body.detail.error.details).toEqual({ reason: 'no_tables' });
  await ask(url, 'alter table aside.session_rows set schema public', 'drop schema aside');
  await expect.poll(async () => (await server.get(`/sessions/${sessionId}`)).status).toBe(200);
});

it('what may have been missed is told once, when the database is there again', async () => {
  const reach = new Reach({ connect: () => openClient(url), cut: () => undefined });
  let told = 0;
  await reach.keep(['listen nothing'], () => {
    told += 1;
  });
  expect(told).toBe(1);
  await ask(postgres.url, 'alter database outage set default_transaction_read_only = on');
  await ask(
    url,
    'select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database()',
  );
  for (let look = 0; look < 3; look += 1)
    await expect.poll(() => reach.check().catch(({ details }) => details.reason)).toBe('read_only');
  expect(told).toBe(1);
  await ask(postgres.url, 'alter database outage reset all');
  await reach.check();
  expect(told).toBe(2);
  await reach.close();
});

it('whoever finds all connections in use is told so after five seconds, and everybody else is served again', async () => {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query('begin; lock table session_rows in access exclusive mode');
  const asked = Array.from({ length: 5 }, () => server.get('/sessions'));
  const refused = await Promise.race(asked);
  await client.end();
  expect(refused).toMatchObject({ status: 503, body: { detail: { error: { code: 'overloaded' } } } });
  expect(refused.headers.get('retry-after')).toBe('2');
  const statuses = (await Promise.all(asked)).map(({ status }) => status);
  // The second of those without a connection waits as long as the first, to a hair: it may find one that is let go then.
  expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(3);
  expect(statuses.filter((status) => status !== 200 && status !== 503)).toEqual([]);
});

it('where other programs have all connections that there may be, those of the pool serve everybody in turn', async () => {
  await postgres.halt();
  await postgres.start(['max_connections=12', 'superuser_reserved_connections=0']);
  await expect.poll(async () => (await server.get('/readyz')).status, { timeout: 10_000 }).toBe(200);
  expect((await server.get('/sessions')).status).toBe(200);
  const others: Client[] = [];
  const takeAll = async () => {
    for (;;) {
      const client = new Client({ connectionString: url });
      client.on('error', () => undefined);
      try {
        await client.connect();
      } catch (error) {
        return error;
      }
      others.push(client);
    }
  };
  expect(await takeAll()).toMatchObject({ code: '53300' });
  const asked = await Promise.all(Array.from({ length: 12 }, () => server.get('/sessions')));
  expect(new Set(asked.map(({ status }) => status))).toEqual(new Set([200]));
  expect((await server.get('/readyz')).status).toBe(200);
  for (const client of others) await client.end();
  await postgres.halt();
  await postgres.start();
});

it('a full disk is told as what it is, and what gives way in vain four times as busy', async () => {
  const sessionId = await server.createSession();
  const store = await openPostgres({ url, pool: 2 });
  const fail = async (code: string) => {
    await sql`create sequence if not exists tries`.execute(store.db);
    await sql`select setval('tries', 1)`.execute(store.db);
    await sql
      .raw(`create or replace function fail() returns trigger language plpgsql as $$ begin
        perform nextval('tries'); raise exception 'no' using errcode = '${code}'; end $$`)
      .execute(store.db);
    await sql`create or replace trigger fail before insert on messages for each row execute function fail()`.execute(
      store.db,
    );
    const answer = await server.post(`/chat/${sessionId}`, { message: 'Hello' });
    const { rows } = await sql<{ tries: number }>`select nextval('tries') - 2 as tries`.execute(store.db);
    return { status: answer.status, code: answer.body.detail.error.code, tries: rows[0]?.tries };
  };
  expect(await fail('53100')).toEqual({ status: 500, code: 'session_save_error', tries: 1 });
  expect(await fail('40P01')).toEqual({ status: 503, code: 'database_busy', tries: 4 });
  expect(await fail('57014')).toEqual({ status: 503, code: 'database_busy', tries: 1 });
  await sql`drop trigger fail on messages`.execute(store.db);
  await store.close();
  expect(await server.messages(sessionId)).toEqual([]);
});

it('a server that stops while the database is away does not wait for it for good', async () => {
  const { goOn, until } = await beginTurn('Never', ' mind.');
  await postgres.halt();
  goOn();
  await until('content_delta');
  const stopped = server.restart().then(
    () => 'started',
    (error: Error) => error.message,
  );
  expect(await stopped).toContain('cannot be reached');
  await postgres.start();
  await server.restart().catch(() => undefined);
});
