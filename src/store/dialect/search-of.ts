// Where a database keeps what is searched.
import type { Db } from '../database.ts';
import { dialectOf } from './dialect-of.ts';
import { POSTGRES_SEARCH } from './postgres/search.ts';
import type { SearchBody } from './search-body.ts';
import { SQLITE_SEARCH } from './sqlite/search.ts';

export function searchOf(db: Db): SearchBody {
  return dialectOf(db).name === 'postgres' ? POSTGRES_SEARCH : SQLITE_SEARCH;
}
