// What full-text search asks of a database: hits by their number, which is that of a message or of a title.
import type { RawBuilder } from 'kysely';
import type { Db } from '../database.ts';
import type { SearchQuery } from '../search-query.ts';

/** The newest hits below a number: so a walk goes on. */
export interface SearchWalk {
  readonly below: number;
  readonly limit: number;
}

export interface SearchBody {
  /** Sees to it that everything that was written is found. @returns false where that takes too long: it goes on */
  catchUp(db: Db): Promise<boolean>;
  /** A table of `seq`, the newest first. */
  found(query: SearchQuery, walk: SearchWalk): RawBuilder<unknown>;
  /** The same with `rank`: higher is better. */
  ranked(query: SearchQuery, walk: SearchWalk): RawBuilder<unknown>;
}
