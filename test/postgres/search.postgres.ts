// Full-text search where PostgreSQL has the words: what its limits leave, and what is written meanwhile.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Db } from '../../src/store/database.ts';
import { openPostgres, type PostgresStore } from '../../src/store/dialect/postgres/open.ts';
import { POSTGRES_SEARCH } from '../../src/store/dialect/postgres/search.ts';
import { insertMessages, type NewMessage } from '../../src/store/insert-messages.ts';
import { updateMessage } from '../../src/store/messages.ts';
import { findSessions, search } from '../../src/store/search.ts';
import { parseSearch, type SearchQuery } from '../../src/store/search-query.ts';
import { insertSession } from '../../src/store/sessions.ts';
import { newSession, TIME } from '../support/open-test-store.ts';
import { faultsOfSearch } from '../support/search-index-faults.ts';
import { databaseFor, dropDatabaseOf } from '../support/test-database.ts';

let dataDir: string;
let store: PostgresStore;
beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'mochi-postgres-search-'));
  const database = await databaseFor(dataDir);
  if (database === undefined) throw new Error('This is run by npm run test:postgres.');
  store = await openPostgres(database);
  await insertSession(store.db, newSession('s'));
});
afterAll(async () => {
  await store.close();
  await dropDatabaseOf(dataDir);
  rmSync(dataDir, { recursive: true });
});

let messages = 0;
/** @returns its id */
async function write(db: Db, ...contents: readonly string[]): Promise<string> {
  const rows = contents.map((content): NewMessage => {
    messages += 1;
    const place = { sessionId: 's', id: `m${messages}`, parentId: null, depth: messages, active: true };
    return { ...place, role: 'user', content, timestamp: TIME, status: 'complete' };
  });
  await insertMessages(db, rows);
  return rows.at(-1)?.id ?? '';
}

function queryOf(text: string): SearchQuery {
  const query = parseSearch(text);
  if (query === null) throw new Error(`No word in ${text}.`);
  return query;
}

async function find(text: string): Promise<(string | null)[]> {
  const { results } = await search(store.db, queryOf(text), {
    includesAgents: false,
    limit: 100,
    after: null,
  });
  return results.map(({ message_id: id }) => id);
}

describe('texts beyond the limits of a tsvector', () => {
  it('of 30 000 words are found by each of them, by phrases, and by what is not in them', async () => {
    const words = Array.from({ length: 15_000 }, (_, index) => `w${index}x`);
    const id = await write(store.db, `${words.join(' the ')} finis operis`);
    expect(await find('w14999x')).toEqual([id]);
    expect(await find('"finis operis"')).toEqual([id]);
    expect(await find('w7x -w14998x')).toEqual([]);
    expect(await find('w7x -absent')).toEqual([id]);
  });

  it('of a word of any length, of signs without blanks, of more different words than it takes', async () => {
    const endless = 'z'.repeat(5000);
    const id = await write(store.db, `before ${endless} after`);
    expect(await find(`${endless} "before"`)).toEqual([id]);
    const signs = Array.from({ length: 20_000 }, (_, index) =>
      String.fromCodePoint(0x4e00 + ((index * 7) % 20_000)),
    );
    const chinese = await write(store.db, signs.join(''));
    expect(await find(signs.slice(5, 9).join(''))).toEqual([chinese]);
    const many = Array.from({ length: 40_000 }, (_, index) => `${'q'.repeat(20)}${index}`).join(' ');
    const full = await write(store.db, many);
    expect(await find(`${'q'.repeat(20)}17`)).toEqual([full]);
  });

  it('holds the newest 2000 of what is everywhere, and says that there is more', async () => {
    await write(store.db, ...Array.from({ length: 2100 }, (_, index) => `everywhere number ${index}`));
    const page = { includesAgents: false, limit: 3000, after: null };
    const { results, isTruncated } = await search(store.db, queryOf('everywhere '), page);
    expect([results.length, isTruncated]).toEqual([2000, true]);
    expect((await findSessions(store.db, queryOf('everywhere '), page)).ids).toEqual(['s']);
  });
});

describe('hits among many messages, however they are spread', () => {
  const TEXTS = 3000;
  let ids: readonly string[];
  beforeAll(async () => {
    const texts = Array.from({ length: TEXTS }, (_, index) =>
      [
        `text${index}`,
        index % 2 === 0 ? 'steady pace' : 'pace steady',
        ...(index < 1000 ? ['ancient'] : []),
        ...(index >= TEXTS - 300 ? ['recent'] : []),
        ...(index % 1000 === 999 ? ['seldom'] : []),
      ].join(' '),
    );
    const first = messages;
    await write(store.db, ...texts);
    ids = texts.map((_, index) => `m${first + 1 + index}`);
  });

  const isOf: Record<string, (index: number) => boolean> = {
    'pace "steady"': () => true,
    '"steady pace"': (index) => index % 2 === 0,
    'stea* -"steady pace"': (index) => index % 2 === 1,
    '"recent"': (index) => index >= TEXTS - 300,
    '"recent" -seldom': (index) => index >= TEXTS - 300 && index % 1000 !== 999,
    '"ancient"': (index) => index < 1000,
    'ancient "recent"': () => false,
    '"seldom"': (index) => index % 1000 === 999,
    text29: (index) => `text${index}`.startsWith('text29'),
  };
  it.each(Object.entries(isOf))('are all found: %s', async (text, isHit) => {
    const expected = ids.filter((_, index) => isHit(index));
    const page = { includesAgents: false, limit: 2000, after: null };
    const { results, isTruncated } = await search(store.db, queryOf(text), page);
    const found = new Set(results.map(({ message_id: id }) => id));
    expect(found).toEqual(new Set(expected.slice(-2000)));
    expect(isTruncated).toBe(expected.length > 2000);
    const { ids: sessions } = await findSessions(store.db, queryOf(text), page);
    expect(sessions).toEqual(expected.length === 0 ? [] : ['s']);
  });

  it('are looked up in the index of words where they are few, and not where they are everywhere', async () => {
    await sql`vacuum analyze`.execute(store.db);
    const stepOf = async (text: string) => {
      const walk = { below: Number.MAX_SAFE_INTEGER, limit: 2001 };
      const from = await POSTGRES_SEARCH.stepFrom(store.db, queryOf(text), walk);
      const found = POSTGRES_SEARCH.found(queryOf(text), { ...walk, from });
      const { rows } = await sql<{ 'QUERY PLAN': string }>`
        explain select seq from ${found} as found
      `.execute(store.db);
      const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
      return { isAll: from === 0, byIndex: plan.includes('Index Scan on search_messages_words') };
    };
    expect(await stepOf('"seldom"')).toEqual({ isAll: true, byIndex: true });
    expect(await stepOf('"steady"')).toEqual({ isAll: false, byIndex: false });
  });
});

it('words that are cut while a text changes are those of the text that stays', async () => {
  const ids = await Promise.all(Array.from({ length: 20 }, (_, index) => write(store.db, `draft ${index}`)));
  await Promise.all([
    ...Array.from({ length: 4 }, () => find('draft')),
    ...ids.map((id) =>
      updateMessage(store.db, 's', id, { content: `final ${id}`, thinking: null, status: 'complete' }),
    ),
    ...Array.from({ length: 4 }, () => find('final')),
  ]);
  expect(new Set(await find('final '))).toEqual(new Set(ids));
  expect(await find('draft ')).toEqual([]);
  expect(await faultsOfSearch(dataDir)).toEqual([]);
});

it('a text that is written anew is not found until it rests, and goes with its row', async () => {
  const id = await write(store.db, 'ephemeral words');
  const change = { content: 'ephemeral signs', thinking: null };
  expect(await find('ephemeral')).toEqual([id]);
  await updateMessage(store.db, 's', id, { ...change, status: 'streaming' });
  expect(await find('ephemeral')).toEqual([]);
  await updateMessage(store.db, 's', id, { ...change, status: 'complete' });
  expect(await find('"ephemeral signs"')).toEqual([id]);
  await sql`delete from messages where id = ${id}`.execute(store.db);
  expect(await find('ephemeral')).toEqual([]);
});
