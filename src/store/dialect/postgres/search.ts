// Full-text search by `tsvector`, with words that are cut here (m016).
import { type RawBuilder, sql } from 'kysely';
import type { Db } from '../../database.ts';
import { FIRST_TITLE } from '../../search-index.ts';
import type { SearchQuery, SearchTerm } from '../../search-query.ts';
import type { SearchBody, SearchStep, SearchWalk } from '../search-body.ts';
import { indexDue } from './index-due.ts';
import { lexeme } from './lexemes.ts';

/** How long one who searches waits for what was written and is not indexed yet, in milliseconds. */
const PATIENCE_MS = 5000;

export const POSTGRES_SEARCH: SearchBody = Object.freeze({
  catchUp: (db) => indexDue(db, performance.now() + PATIENCE_MS),
  stepFrom,
  found: (query, step) => sql`(
    ${newest(query, step)}
    ${ofMessages(step, sql`session_id`)}
    union all
    ${ofTitles(sql`session_id`)}
  )`,
  // Words are counted, and of two texts the shorter one wins (the 1).
  ranked: (query, step) => sql`(
    ${newest(query, step)}
    ${ofMessages(step, sql`session_id, active, ${rankOf(query)} as rank`)}
      join search_messages on search_messages.seq = newest.seq and ${isInStep('search_messages.seq', step)}
    union all
    ${ofTitles(sql`session_id, null, ${rankOf(query)}`)}
  )`,
} satisfies SearchBody);

/** Messages that are looked at to tell how often what is looked for is there. */
const SAMPLE = 200;
/** Messages that are looked at one after the other in the time in which the index finds one. */
const PER_HIT = 4;
/** Hits are not as evenly spread as that. */
const MORE = 1.2;

/**
 * What is everywhere is found by walking from the newest message down, so far as it takes to meet enough. The index
 * gives all there are, in no order.
 */
async function stepFrom(db: Db, query: SearchQuery, { below, limit }: SearchWalk): Promise<number> {
  const { rows } = await sql<{ hits: number; oldest: number | null; newest: number | null }>`
    select count(*) filter (where ${matchOf(query)}) as hits, min(seq) as oldest, max(seq) as newest
    from (
      select seq, words, is_long from search_messages where seq < ${below}
      order by seq desc limit ${sql.lit(SAMPLE)}
    ) as sample
  `.execute(db);
  const { hits = 0, oldest = null, newest = null } = rows[0] ?? {};
  if (oldest === null || newest === null || hits === 0) return 0;
  const share = hits / (newest - oldest + 1);
  const length = limit / share;
  return length > PER_HIT * share * newest ? 0 : Math.max(0, Math.floor(newest - length * MORE));
}

/** The numbers of the hits of a step. */
function newest(query: SearchQuery, step: SearchStep) {
  const { below, limit, from } = step;
  const matches = matchOf(query);
  const messages =
    from === 0
      ? // Found by the index of words, and only then cut: `is true` keeps it from walking through all numbers.
        sql`select seq from search_messages where ${matches} and (seq < ${below}) is true`
      : // `is true` keeps it from the index.
        sql`(
          select seq from search_messages where (${matches}) is true and ${isInStep('seq', step)}
          order by seq desc limit ${limit}
        )`;
  return sql`
    with hits as materialized (
      ${messages}
      union all
      select seq + ${sql.lit(FIRST_TITLE)} from search_titles
      where words @@ ${toTsQuery(query)}::tsquery and seq < ${below - FIRST_TITLE}
    ),
    newest as materialized (select seq from hits order by seq desc limit ${limit})
  `;
}

/** The range is told once more: so little of a table is read where there are many hits. */
function ofMessages(step: SearchStep, columns: RawBuilder<unknown>) {
  return sql`
    select newest.seq, ${columns}
    from newest join messages on messages.seq = newest.seq and ${isInStep('messages.seq', step)}
  `;
}

function ofTitles(columns: RawBuilder<unknown>) {
  return sql`
    select newest.seq, ${columns}
    from newest
    join search_titles on search_titles.seq = newest.seq - ${sql.lit(FIRST_TITLE)}
    where newest.seq >= ${sql.lit(FIRST_TITLE)}
  `;
}

function isInStep(column: string, { below, from }: SearchStep) {
  return sql`${sql.ref(column)} < ${below} and ${sql.ref(column)} >= ${from}`;
}

/** Of a message. */
function matchOf(query: SearchQuery) {
  const exact = sql`words @@ ${toTsQuery(query)}::tsquery`;
  const loose = toLooseQuery(query);
  return loose === null ? exact : sql`(${exact} or (is_long and words @@ ${loose}::tsquery))`;
}

/** https://www.postgresql.org/docs/current/datatype-textsearch.html#DATATYPE-TSQUERY */
function toTsQuery({ terms, excluded }: SearchQuery): string {
  const wanted = terms.map((term) => toExpression(term, ' <-> '));
  const unwanted = excluded.map((term) => `!${toExpression(term, ' <-> ')}`);
  return [...wanted, ...unwanted].join(' & ');
}

/** Of a text whose places are not kept, a phrase is found by its words. @returns null where there is no phrase */
function toLooseQuery({ terms, excluded }: SearchQuery): string | null {
  if (![...terms, ...excluded].some(({ words }) => words.length > 1)) return null;
  const wanted = terms.map((term) => toExpression(term, ' & '));
  const unwanted = excluded
    .filter(({ words }) => words.length === 1)
    .map((term) => `!${toExpression(term, ' & ')}`);
  return [...wanted, ...unwanted].join(' & ');
}

/** Each word that is there counts; a whole one twice, so that it comes before what only begins like it. */
function rankOf({ terms }: SearchQuery) {
  const words = terms.flatMap((term) => term.words.map((word) => `'${lexeme(word)}'`));
  const beginnings = terms.filter(({ isPrefix }) => isPrefix).map((term) => toExpression(term, ' & '));
  // Within one query PostgreSQL takes a word and its beginning for the same.
  const ranks = [words, beginnings]
    .filter(({ length }) => length > 0)
    .map((some) => sql`ts_rank(words, ${some.join(' | ')}::tsquery, 1)::float8`);
  return sql`(${sql.join(ranks, sql` + `)})`;
}

function toExpression({ words, isPrefix }: SearchTerm, operator: string): string {
  const phrase = words.map((word) => `'${lexeme(word)}'`).join(operator);
  return isPrefix ? `(${phrase}:*)` : `(${phrase})`;
}
