// Search in everything that was said.
import { createHash } from 'node:crypto';
import { Type } from 'typebox';
import { MochiError } from '../../contract/errors.ts';
import { ref } from '../../contract/schema.ts';
import { SearchAnswer, SearchText } from '../../contract/search.ts';
import { type HitPosition, search } from '../../store/search.ts';
import { type SearchQuery, toMatch } from '../../store/search-query.ts';
import type { App, AppDeps } from '../app-deps.ts';
import { jsonAnswer, responses } from '../document.ts';
import { fromCursor, PageQuery, toCursor } from '../paging.ts';
import { searchQueryOf } from '../search-text.ts';

/** Results on a page when no limit is given (API.md §2). */
const DEFAULT_LIMIT = 100;

export function searchRoutes(app: App, { db }: AppDeps): void {
  app.get(
    '/api/v1/search',
    {
      schema: {
        tags: ['sessions'],
        summary: 'Search titles and messages, the best first',
        description:
          'Looks in the titles of sessions and in what users, models and tools said, old branches included; not in system prompts and thinking. An answer that is being written is found when it ends.',
        querystring: Type.Object({ q: SearchText, ...PageQuery.properties }),
        response: responses(200, jsonAnswer('A page of results.', ref(SearchAnswer)), [
          'invalid_cursor',
          'validation_error',
          'session_load_error',
        ]),
      },
    },
    async ({ query: { q, limit = DEFAULT_LIMIT, cursor } }) => {
      const query = searchQueryOf(q);
      const after = cursor === undefined ? null : positionOf(cursor, query);
      const { results, next, isTruncated } = await search(db, query, { limit, after });
      const nextCursor = next && toCursor([fingerprint(query), next.seq, next.count]);
      return { results, next_cursor: nextCursor, truncated: isTruncated };
    },
  );
}

/** @throws MochiError invalid_cursor, also for that of another search */
function positionOf(cursor: string, query: SearchQuery): HitPosition {
  const [search, seq, count] = fromCursor(cursor, ['string', 'number', 'number']);
  if (search !== fingerprint(query) || !Number.isSafeInteger(count) || count < 0) {
    throw new MochiError('invalid_cursor', 'The cursor was not issued by this search.', {});
  }
  return { seq, count };
}

function fingerprint(query: SearchQuery): string {
  return createHash('sha256').update(toMatch(query)).digest('base64url').slice(0, 12);
}
