// The text of a search box, taken from a query.
import { createHash } from 'node:crypto';
import { MochiError } from '../contract/errors.ts';
import { parseSearch, type SearchQuery, toMatch } from '../store/search-query.ts';

/** @throws MochiError validation_error for a text without a word in it */
export function searchQueryOf(text: string): SearchQuery {
  const query = parseSearch(text);
  if (query !== null) return query;
  const message = 'must hold a letter or a digit to look for';
  throw new MochiError('validation_error', `The request is not valid: q ${message}.`, {
    errors: [{ path: '/q', message }],
  });
}

/** The name of a list of hits, for its cursors: another search is another list. */
export function searchList(name: string, query: SearchQuery): string {
  return `${name} ${createHash('sha256').update(toMatch(query)).digest('base64url').slice(0, 12)}`;
}
