// Connections on which several statements may go at once: the rows of the last one are the answer. Kysely reads but one.
import type { PostgresCursor, PostgresPool, PostgresPoolClient, PostgresQueryResult } from 'kysely';

/** The same pool. */
export function withLastResults(pool: PostgresPool): PostgresPool {
  const known = new WeakMap<PostgresPoolClient, LastResults>();
  return {
    options: pool.options,
    end: () => pool.end(),
    async connect() {
      const client = await pool.connect();
      const wrapped = known.get(client) ?? new LastResults(client);
      known.set(client, wrapped);
      return wrapped;
    },
  };
}

class LastResults implements PostgresPoolClient {
  readonly #client: PostgresPoolClient;

  constructor(client: PostgresPoolClient) {
    this.#client = client;
  }

  query<R>(text: string, parameters: readonly unknown[]): Promise<PostgresQueryResult<R>>;
  query<R>(cursor: PostgresCursor<R>): PostgresCursor<R>;
  query<R>(
    asked: string | PostgresCursor<R>,
    parameters: readonly unknown[] = [],
  ): Promise<PostgresQueryResult<R>> | PostgresCursor<R> {
    if (typeof asked !== 'string') return this.#client.query(asked);
    return this.#client.query<R>(asked, parameters).then(lastOf);
  }

  release(isToBeEnded?: boolean): void {
    this.#client.release(isToBeEnded);
  }
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
