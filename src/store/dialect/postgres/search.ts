// Full-text search by `tsvector`, with words that are cut here (m016).
import { sql } from 'kysely';
import { FIRST_TITLE } from '../../search-index.ts';
import type { SearchQuery, SearchTerm } from '../../search-query.ts';
import type { SearchBody } from '../search-body.ts';
import { indexDue } from './index-due.ts';
import { lexeme } from './lexemes.ts';

/** How long one who searches waits for what was written and is not indexed yet, in milliseconds. */
const PATIENCE_MS = 5000;

export const POSTGRES_SEARCH: SearchBody = Object.freeze({
  catchUp: (db) => indexDue(db, performance.now() + PATIENCE_MS),
  found: (query, walk) => sql`(${newest(query, walk)} select seq from newest)`,
  // Words are counted, and of two texts the shorter one wins (the 1).
  ranked: (query, walk) => sql`(
    ${newest(query, walk)}
    select newest.seq, ${rankOf('search_messages.words', query)} as rank
    from newest join search_messages on search_messages.seq = newest.seq
    union all
    select newest.seq, ${rankOf('search_titles.words', query)}
    from newest join search_titles on search_titles.seq = newest.seq - ${sql.lit(FIRST_TITLE)}
    where newest.seq >= ${sql.lit(FIRST_TITLE)}
  )`,
} satisfies SearchBody);

/** Found by the index first, and only then cut: by the order of their numbers the planner might walk through all. */
function newest(query: SearchQuery, { below, limit }: Parameters<SearchBody['found']>[1]) {
  const exact = sql`words @@ ${toTsQuery(query)}::tsquery`;
  const loose = toLooseQuery(query);
  const matches = loose === null ? exact : sql`(${exact} or (is_long and words @@ ${loose}::tsquery))`;
  return sql`
    with hits as materialized (
      select seq from search_messages where ${matches} and seq < ${below}
      union all
      select seq + ${sql.lit(FIRST_TITLE)} from search_titles
      where ${exact} and seq < ${below - FIRST_TITLE}
    ),
    newest as materialized (select seq from hits order by seq desc limit ${limit})
  `;
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
function rankOf(column: string, { terms }: SearchQuery) {
  const words = terms.flatMap((term) => term.words.map((word) => `'${lexeme(word)}'`));
  const beginnings = terms.filter(({ isPrefix }) => isPrefix).map((term) => toExpression(term, ' & '));
  // Within one query PostgreSQL takes a word and its beginning for the same.
  const ranks = [words, beginnings]
    .filter(({ length }) => length > 0)
    .map((some) => sql`ts_rank(${sql.ref(column)}, ${some.join(' | ')}::tsquery, 1)::float8`);
  return sql`(${sql.join(ranks, sql` + `)})`;
}

function toExpression({ words, isPrefix }: SearchTerm, operator: string): string {
  const phrase = words.map((word) => `'${lexeme(word)}'`).join(operator);
  return isPrefix ? `(${phrase}:*)` : `(${phrase})`;
}
