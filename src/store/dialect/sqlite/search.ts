// Full-text search by FTS5: triggers keep its index, in the transaction of what it indexes (m004).
import { sql } from 'kysely';
import { FIRST_TITLE } from '../../search-index.ts';
import type { SearchQuery, SearchTerm } from '../../search-query.ts';
import type { SearchBody } from '../search-body.ts';

const SESSION_ID = sql`coalesce(messages.session_id, search_titles.session_id) as session_id`;
const OWNERS = sql`
  left join messages on messages.seq = hit.seq
  left join search_titles on search_titles.seq = hit.seq - ${sql.lit(FIRST_TITLE)}
`;

export const SQLITE_SEARCH: SearchBody = Object.freeze({
  catchUp: async () => true,
  // The index goes from the newest to the oldest, and stops where there are enough.
  stepFrom: async () => 0,
  found: (query, { below, limit }) => sql`(
    select hit.seq, ${SESSION_ID}
    from (
      select rowid as seq from search_index where search_index match ${toMatch(query)} and rowid < ${below}
      order by rowid desc limit ${limit}
    ) as hit ${OWNERS}
  )`,
  // bm25 counts rare words more and long texts less: a title wins over a message that is no better.
  ranked: (query, { below, limit }) => sql`(
    select hit.seq, hit.rank, messages.active, ${SESSION_ID}
    from (
      select rowid as seq, -bm25(search_index) as rank from search_index
      where search_index match ${toMatch(query)} and rowid < ${below}
      order by rowid desc limit ${limit}
    ) as hit ${OWNERS}
  )`,
} satisfies SearchBody);

/** In the language of FTS5 (https://www.sqlite.org/fts5.html#full_text_query_syntax). Words hold letters and digits only. */
function toMatch({ terms, excluded }: SearchQuery): string {
  const wanted = terms.map(toExpression).join(' AND ');
  return excluded.length === 0 ? wanted : `(${wanted}) NOT (${excluded.map(toExpression).join(' OR ')})`;
}

function toExpression({ words, isPrefix }: SearchTerm): string {
  const phrase = `"${words.join(' ')}"`;
  // The whole word counts twice, so that it comes before what only begins like it.
  return isPrefix ? `(${phrase} OR ${phrase} *)` : phrase;
}
