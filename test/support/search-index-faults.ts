// Holds the search index against the messages and titles that it should hold.
import { join } from 'node:path';
import SqliteDriver from 'better-sqlite3';
import { sql } from 'kysely';
import { indexedWords } from '../../src/kit/words.ts';
import type { Db } from '../../src/store/database.ts';
import { indexDue } from '../../src/store/dialect/postgres/index-due.ts';
import { toLexemes } from '../../src/store/dialect/postgres/lexemes.ts';
import { FIRST_TITLE } from '../../src/store/search-index.ts';
import { databaseFor, openDatabaseOf } from './test-database.ts';

/** The words of every text with their places, as the index has them. */
const INSTANCES = `
  select doc, group_concat(term || '@' || offset, ' ') as words
  from (select doc, term, offset from temp.places order by doc, offset, term) group by doc`;

/** @returns what is wrong, as far as it is found, in the database of the folder */
export async function faultsOfSearch(dataDir: string): Promise<string[]> {
  if ((await databaseFor(dataDir)) === undefined) return searchIndexFaults(dataDir);
  const store = await openDatabaseOf(dataDir, { exclusive: false });
  try {
    return (await indexDue(store.db, Number.POSITIVE_INFINITY))
      ? await differences(store.db)
      : ['not all is due'];
  } finally {
    await store.close();
  }
}

/** Of PostgreSQL. */
async function differences(db: Db): Promise<string[]> {
  const { rows } = await sql<{ doc: number; text: string | null; words: string | null }>`
    select coalesce(resting.seq, search_messages.seq) as doc, content as text, words::text
    from (select seq, content from messages where role <> 'system' and status <> 'streaming') as resting
    full join search_messages on search_messages.seq = resting.seq
    union all
    select search_titles.seq + ${sql.lit(FIRST_TITLE)}, title, words::text from sessions
    full join search_titles on session_id = id where title is not null or session_id is not null
  `.execute(db);
  const faults: string[] = [];
  for (const { doc, text, words } of rows) {
    const expected =
      text === null
        ? null
        : (await sql<{ words: string }>`select ${toLexemes(text).words}::tsvector::text as words`.execute(db))
            .rows[0]?.words;
    if (words !== expected) faults.push(`${doc} has ${words}, should have ${expected}`);
  }
  return faults;
}

/** Of SQLite. @returns what is wrong, as far as it is found. @throws SqliteError when the index is damaged in itself */
export function searchIndexFaults(dataDir: string): string[] {
  const driver = new SqliteDriver(join(dataDir, 'mochi.db'), { timeout: 10_000 });
  try {
    driver.exec("insert into search_index (search_index) values ('integrity-check')");
    driver.exec("create virtual table temp.places using fts5vocab('main', 'search_index', 'instance')");
    // One look at both: the server may be writing.
    const { found, expected } = driver.transaction(() => ({
      found: driver.prepare(INSTANCES).all(),
      expected: rebuild(driver),
    }))();
    const [more, less] = [difference(found, expected), difference(expected, found)];
    return [...more.map((place) => `${place} is in the index`), ...less.map((place) => `${place} should be`)];
  } finally {
    driver.close();
  }
}

/** An index of the same rows, made anew in memory. */
function rebuild(driver: SqliteDriver.Database): unknown[] {
  const rows = driver
    .prepare(
      `select seq as doc, content as text from messages where role <> 'system' and status <> 'streaming'
       union all
       select search_titles.seq + ${FIRST_TITLE}, title from sessions join search_titles on session_id = id
       union all
       select -1, title from sessions where title is not null and id not in (select session_id from search_titles)`,
    )
    .all() as { doc: number; text: string }[];
  const fresh = new SqliteDriver(':memory:');
  try {
    fresh.exec("create virtual table search_index using fts5(words, tokenize = 'ascii')");
    fresh.exec("create virtual table temp.places using fts5vocab('main', 'search_index', 'instance')");
    const insert = fresh.prepare('insert into search_index (rowid, words) values (?, ?)');
    for (const { doc, text } of rows) insert.run(doc, indexedWords(text));
    return fresh.prepare(INSTANCES).all();
  } finally {
    fresh.close();
  }
}

function difference(left: readonly unknown[], right: readonly unknown[]): string[] {
  const others = new Set(right.map((row) => JSON.stringify(row)));
  return left.map((row) => JSON.stringify(row)).filter((row) => !others.has(row));
}
