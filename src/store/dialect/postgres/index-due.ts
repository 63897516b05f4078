// Words of messages and titles follow their texts: triggers list what is due in the transaction that writes it (m016), and
// here it is cut. Nobody who writes waits for that; whoever searches does.
import { setImmediate } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Db } from '../../database.ts';
import { toLexemes } from './lexemes.ts';

/** Texts that are read at once. */
const BATCH = 50;
/** How long texts are cut before others get a turn, in milliseconds. */
const SLICE_MS = 10;

interface DueText {
  readonly seq: number;
  readonly text: string;
}

/** @param until of `performance.now()` @returns whether nothing is due any more */
export async function indexDue(db: Db, until: number): Promise<boolean> {
  const { rows } = await ANY_DUE.execute(db);
  for (const { name } of rows) {
    while (await indexSome(db, name)) if (performance.now() > until) return false;
  }
  return true;
}

type DueTable = 'search_messages' | 'search_titles';

/** Every search asks it, and mostly there is none. */
const ANY_DUE = sql<{ name: DueTable }>`
  select 'search_messages' as name where exists (select from search_messages where words is null)
  union all select 'search_titles' where exists (select from search_titles where words is null)
`;

/** The newest of them. @returns whether more may be due */
async function indexSome(db: Db, table: DueTable): Promise<boolean> {
  const { rows: first } = await listDue(table).execute(db);
  if (first.length === 0) return false;
  return db.transaction().execute(async (transaction) => {
    // Whoever changes the text waits, and lists it anew; another one who indexes waits, and finds it done.
    const { rows } = await sql<{ seq: number }>`${listDue(table)} for update`.execute(transaction);
    const texts = await readTexts(
      transaction,
      table,
      rows.map(({ seq }) => seq),
    );
    const words: string[] = [];
    const isLong: boolean[] = [];
    let startedAt = performance.now();
    for (const { text } of texts) {
      const cut = toLexemes(text);
      words.push(cut.words);
      isLong.push(cut.isLong);
      if (performance.now() - startedAt < SLICE_MS) continue;
      await setImmediate();
      startedAt = performance.now();
    }
    await sql`
      update ${sql.table(table)} as indexed set words = given.words::tsvector, is_long = given.is_long
      from unnest(${texts.map(({ seq }) => seq)}::bigint[], ${words}::text[], ${isLong}::boolean[])
        as given (seq, words, is_long)
      where indexed.seq = given.seq
    `.execute(transaction);
    return rows.length === BATCH;
  });
}

function listDue(table: DueTable) {
  return sql<{ seq: number }>`
    select seq from ${sql.table(table)} where words is null order by seq desc limit ${sql.lit(BATCH)}
  `;
}

/** In a statement of its own: it sees what was written before the rows were locked. */
async function readTexts(db: Db, table: DueTable, seqs: readonly number[]): Promise<readonly DueText[]> {
  const texts =
    table === 'search_messages'
      ? sql<DueText>`select seq, content as text from messages where seq = any(${seqs})`
      : sql<DueText>`select seq, coalesce(title, '') as text from search_titles
          join session_rows on session_rows.id = search_titles.session_id where seq = any(${seqs})`;
  return (await texts.execute(db)).rows;
}
