// The pool as kysely has it. Several statements may go at once: the rows of the last one are the answer. Writes that come
// again and again are planned once on each connection.
import type { PostgresCursor, PostgresPool, PostgresPoolClient, PostgresQueryResult } from 'kysely';

interface NamedStatement {
  readonly name: string;
  readonly text: string;
  readonly values: readonly unknown[];
}

interface PlanningClient extends PostgresPoolClient {
  query<R>(text: string, parameters: readonly unknown[]): Promise<PostgresQueryResult<R>>;
  query<R>(cursor: PostgresCursor<R>): PostgresCursor<R>;
  query<R>(statement: NamedStatement): Promise<PostgresQueryResult<R>>;
}

export interface PlanningPool extends PostgresPool {
  connect(): Promise<PlanningClient>;
}

export function toStorePool(pool: PlanningPool): PostgresPool {
  const known = new WeakMap<PlanningClient, StoreClient>();
  const names = new StatementNames();
  return {
    options: pool.options,
    end: () => pool.end(),
    async connect() {
      const client = await pool.connect();
      const wrapped = known.get(client) ?? new StoreClient(client, names);
      known.set(client, wrapped);
      return wrapped;
    },
  };
}

class StoreClient implements PostgresPoolClient {
  readonly #client: PlanningClient;
  readonly #names: StatementNames;

  constructor(client: PlanningClient, names: StatementNames) {
    this.#client = client;
    this.#names = names;
  }

  query<R>(text: string, parameters: readonly unknown[]): Promise<PostgresQueryResult<R>>;
  query<R>(cursor: PostgresCursor<R>): PostgresCursor<R>;
  query<R>(
    asked: string | PostgresCursor<R>,
    values: readonly unknown[] = [],
  ): Promise<PostgresQueryResult<R>> | PostgresCursor<R> {
    if (typeof asked !== 'string') return this.#client.query(asked);
    const name = this.#names.of(asked);
    if (name !== null) return this.#client.query<R>({ name, text: asked, values });
    return this.#client.query<R>(asked, values).then(lastOf);
  }

  release(isToBeEnded?: boolean): void {
    this.#client.release(isToBeEnded);
  }
}

/** What a statement must have come as often as to be kept, and how many there are: each connection keeps them all. */
const USUAL = 3;
const MOST_NAMES = 200;
/** Texts that are counted. */
const MOST_TEXTS = 2000;

/** Has a lifetime: that of a pool. */
class StatementNames {
  readonly #seen = new Map<string, number>();
  readonly #names = new Map<string, string>();

  /** Null: it is planned each time. */
  of(text: string): string | null {
    const known = this.#names.get(text);
    if (known !== undefined) return known;
    if (!isKeepable(text) || this.#names.size >= MOST_NAMES) return null;
    const times = (this.#seen.get(text) ?? 0) + 1;
    if (times === USUAL) {
      this.#seen.delete(text);
      this.#names.set(text, `mochi_${this.#names.size}`);
    } else if (times > 1 || this.#seen.size < MOST_TEXTS) this.#seen.set(text, times);
    return null;
  }
}

/** One that is kept must always give the same columns, be there more of them after a newer version has started. */
function isKeepable(text: string): boolean {
  return /^(?:insert|update|delete|with "moved") /.test(text) && !text.includes('returning *');
}

/** The driver gives a list where there were several. */
function lastOf<R>(
  results: PostgresQueryResult<R> | readonly PostgresQueryResult<R>[],
): PostgresQueryResult<R> {
  if (!isList(results)) return results;
  const last = results.at(-1);
  if (last === undefined) throw new Error('There was no statement.');
  return last;
}

function isList<R>(results: R | readonly R[]): results is readonly R[] {
  return Array.isArray(results);
}
