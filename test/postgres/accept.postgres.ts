// How a turn is accepted where each statement is a round trip.
import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { acceptAtOnce } from '../../src/store/accept-at-once.ts';
import type { Db } from '../../src/store/database.ts';
import { openPostgres, type PostgresStore } from '../../src/store/dialect/postgres/open.ts';
import { listPath } from '../../src/store/messages.ts';
import { findHeadedSession } from '../../src/store/session-head.ts';
import { findSession, insertSession, updateSession } from '../../src/store/sessions.ts';
import { finishTurn } from '../../src/store/turns.ts';
import { text } from '../fake-ollama/chat-script.ts';
import { newSession, TIME } from '../support/open-test-store.ts';
import { type PostgresProxy, startLosingProxy } from '../support/postgres-proxy.ts';
import { administer, databaseUrl, TEMPLATE, TEST_POSTGRES } from '../support/test-database.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

const NAME = `mochi_accept_${randomBytes(4).toString('hex')}`;
let proxy: PostgresProxy;
let store: PostgresStore;
let server: TestServer;
let sent: string[] = [];
beforeAll(async () => {
  const admin = process.env[TEST_POSTGRES];
  if (admin === undefined) throw new Error('This is run by npm run test:postgres.');
  await administer(admin, `create database ${NAME} template ${TEMPLATE}`);
  proxy = await startLosingProxy(databaseUrl(admin, NAME), (said) => {
    sent.push(said);
    return 'passes';
  });
  store = await openPostgres({ url: proxy.url, pool: 5 });
  server = await startTestServer({ config: { databaseUrl: proxy.url, databasePool: 5 } });
});
afterAll(async () => {
  await server.close();
  await store.close();
  await proxy.close();
  await administer(process.env[TEST_POSTGRES] ?? '', `drop database ${NAME} with (force)`);
});

let sessionId: string;
beforeEach(async () => {
  sessionId = randomBytes(5).toString('hex');
  await insertSession(store.db, newSession(sessionId));
});

const none = { request: null, idempotency: null, isStructured: false };

async function accept(number: number, { seenAt, db = store.db }: { seenAt?: string; db?: Db } = {}) {
  const seen = await findHeadedSession(db, sessionId);
  if (seen === null) throw new Error('It is there.');
  const said = { sessionId, role: 'user', timestamp: TIME, status: 'complete', images: [] } as const;
  const turnId = `turn_${sessionId}_${number}`;
  return acceptAtOnce(db, {
    head: seen.head?.place ?? null,
    seenAt: seenAt ?? seen.session.updated_at,
    message: { ...said, id: `${sessionId}-${number}`, content: `Question\u0000 ${number}`, turnId },
    turn: {
      ...none,
      id: turnId,
      sessionId,
      state: 'running',
      createdAt: TIME,
      userMessageId: `${sessionId}-${number}`,
    },
  });
}

const finish = (number: number) =>
  finishTurn(store.db, `turn_${sessionId}_${number}`, {
    state: 'completed',
    finishedAt: TIME,
    error: null,
    messageId: null,
    usage: null,
    lastEventId: 3,
  });

it('a usual turn is one statement, which is its own commit', async () => {
  const id = await server.createSession();
  for (const [message, answer] of [
    ['First', 'One.'],
    ['Second', 'Two.'],
  ] as const) {
    server.ollama.reply(text(answer));
    sent = [];
    await server.chat(id, { message });
    const writes = sent.map((said) => /begin;|insert into "\w+"/.exec(said)?.[0]).filter(Boolean);
    expect(writes[0]).toBe('insert into "messages"');
    expect(sent.filter((said) => said.includes('insert into "turns"'))).toHaveLength(1);
  }
  const messages = await server.messages(id);
  expect(messages.map(({ content }) => content)).toEqual(['First', 'One.', 'Second', 'Two.']);
  const { sessions } = (await server.get('/sessions')).body;
  expect(sessions.find((session: { session_id: string }) => session.session_id === id)).toMatchObject({
    preview: 'First',
  });
  expect((await server.get(`/sessions/${id}/turns`)).body.turns).toHaveLength(2);
});

it('puts the message behind the end of the path, the turn beside it, and says so', async () => {
  expect(await accept(1)).toEqual({ id: `${sessionId}-1`, depth: 0, at: TIME });
  await finish(1);
  expect(await accept(2)).toEqual({ id: `${sessionId}-2`, depth: 1, at: TIME });
  const path = await listPath(store.db, sessionId);
  expect(path.map(({ content, parent_id: parent }) => [content, parent])).toEqual([
    ['Question\u0000 1', null],
    ['Question\u0000 2', `${sessionId}-1`],
  ]);
  expect(await findSession(store.db, sessionId)).toMatchObject({
    headDepth: 1,
    active_turn: `turn_${sessionId}_2`,
  });
});

it('changes nothing in a session that is answering, that was changed since, or that is gone', async () => {
  expect(await accept(1)).not.toBeNull();
  expect(await accept(2)).toBeNull();
  await finish(1);
  expect(await accept(2, { seenAt: '2020-01-01T00:00:00.000000Z' })).toBeNull();
  await updateSession(store.db, sessionId, { updated_at: '2027-01-01T00:00:00.000000Z' });
  expect(await accept(2)).not.toBeNull();
  expect(await listPath(store.db, sessionId)).toHaveLength(2);
});

it('is planned once on a connection, as every write that comes again and again', async () => {
  for (let number = 1; number <= 5; number += 1) {
    expect(await accept(number)).not.toBeNull();
    await finish(number);
  }
  const { rows } = await sql<{ statement: string }>`
    select statement from pg_prepared_statements where name like 'mochi%'`.execute(store.db);
  const kinds = rows.map(({ statement }) => statement.split(' ', 1)[0]);
  expect(kinds).toContain('with');
  expect(kinds).toContain('update');
  expect(kinds).not.toContain('select');
});

it('reads the one session that it is about, and no list of them, however many have come since it was planned', async () => {
  for (let number = 1; number <= 8; number += 1) {
    expect(await accept(number)).not.toBeNull();
    await finish(number);
  }
  const others = Array.from({ length: 300 }, () => newSession(randomBytes(5).toString('hex')));
  for (const other of others) await insertSession(store.db, other);
  sessionId = others.at(-1)?.id ?? '';
  await store.db.transaction().execute(async (db) => {
    expect(await accept(1, { db })).not.toBeNull();
    const { rows } = await sql<{ name: string; read: number }>`
      select indexrelname as name, pg_stat_get_xact_tuples_returned(indexrelid) as read
      from pg_stat_user_indexes where relname = 'session_rows'`.execute(db);
    expect(rows.filter(({ read }) => read > 0).map(({ name }) => name)).toEqual(['sessions_pkey']);
  });
});

it('of twenty at once one is accepted', async () => {
  const seen = await findHeadedSession(store.db, sessionId);
  const all = await Promise.all(
    Array.from({ length: 20 }, (_, number) =>
      accept(number, seen === null ? {} : { seenAt: seen.session.updated_at }),
    ),
  );
  expect(all.filter((place) => place !== null)).toHaveLength(1);
  expect(await listPath(store.db, sessionId)).toHaveLength(1);
});
