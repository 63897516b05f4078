// The text of a search box, taken from a query.
import { createHash } from 'node:crypto';
import { invalidField } from '../contract/errors.ts';
import { parseSearch, type SearchQuery } from '../store/search-query.ts';

/** @throws MochiError validation_error for a text without a word in it */
export function searchQueryOf(text: string): SearchQuery {
  const query = parseSearch(text);
  if (query !== null) return query;
  throw invalidField('/q', 'must hold a letter or a digit to look for');
}

/** The name of a list of hits, for its cursors: another search is another list. */
export function searchList(name: string, query: SearchQuery): string {
  return `${name} ${createHash('sha256').update(JSON.stringify(query)).digest('base64url').slice(0, 12)}`;
}
