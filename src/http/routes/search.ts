// Search in everything that was said.
import { Type } from 'typebox';
import { ref } from '../../contract/schema.ts';
import { IncludeAgents, IncludeUnlisted, SearchAnswer, SearchText } from '../../contract/search.ts';
import { type HitPosition, search } from '../../store/search.ts';
import type { App, AppDeps } from '../app-deps.ts';
import { jsonAnswer, responses } from '../document.ts';
import { fromCursor, PageQuery, toCursor } from '../paging.ts';
import { searchList, searchQueryOf } from '../search-text.ts';

/** Results on a page when no limit is given (API.md §2). */
const DEFAULT_LIMIT = 100;

export function searchRoutes(app: App, { db }: AppDeps): void {
  app.get(
    '/api/v1/search',
    {
      schema: {
        tags: ['sessions'],
        operationId: 'search',
        summary: 'Search titles and messages, the best first',
        description:
          'Looks in the titles of sessions and in what users, models and tools said, old branches included; not in system prompts and thinking. An answer that is being written is found when it ends.',
        querystring: Type.Object({
          q: SearchText,
          ...PageQuery.properties,
          include_agents: IncludeAgents,
          unlisted: IncludeUnlisted,
        }),
        response: responses(200, jsonAnswer('A page of results.', ref(SearchAnswer)), [
          'invalid_cursor',
          'validation_error',
          'session_load_error',
        ]),
      },
    },
    async ({ query: { q, limit = DEFAULT_LIMIT, cursor, ...scope } }) => {
      const { include_agents: includesAgents = false, unlisted: includesUnlisted = false } = scope;
      const query = searchQueryOf(q);
      const which = `${includesAgents ? 'search all' : 'search'}${includesUnlisted ? ', unlisted too' : ''}`;
      const list = searchList(which, query);
      const after = cursor === undefined ? null : positionOf(list, cursor);
      const { results, next, isTruncated } = await search(db, query, {
        limit,
        after,
        includesAgents,
        includesUnlisted,
      });
      const nextCursor = next && toCursor(list, [next.seq, next.count]);
      return { results, next_cursor: nextCursor, truncated: isTruncated };
    },
  );
}

/** @throws MochiError invalid_cursor */
function positionOf(list: string, cursor: string): HitPosition {
  const [seq, count] = fromCursor(list, cursor, ['number', 'number']);
  return { seq, count: Math.max(0, Math.trunc(count)) };
}
