// What full-text search asks of a database: hits by their number, which is that of a message or of a title.
import type { RawBuilder } from 'kysely';
import type { Db } from '../database.ts';
import type { SearchQuery } from '../search-query.ts';

/** The newest hits below a number: so a walk goes on. */
export interface SearchWalk {
  readonly below: number;
  readonly limit: number;
}

/** One step of it. */
export interface SearchStep extends SearchWalk {
  /** Messages before it are left to the next step; 0: none are. */
  readonly from: number;
}

export interface SearchBody {
  /** Sees to it that everything that was written is found. @returns false where that takes too long: it goes on */
  catchUp(db: Db): Promise<boolean>;
  /** How far down the next step goes. */
  stepFrom(db: Db, query: SearchQuery, walk: SearchWalk): Promise<number>;
  /** A table of `seq` and `session_id`, which is null in a session that comes or goes. */
  found(query: SearchQuery, step: SearchStep): RawBuilder<unknown>;
  /** The same with `active`, of messages, and `rank`: higher is better. */
  ranked(query: SearchQuery, step: SearchStep): RawBuilder<unknown>;
}
