// What there is to say of a database of PostgreSQL, without changing anything in it.
import { type ExaminedServer, examineServer } from './examine-server.ts';
import { explainOpen } from './open-error.ts';
import { openLookingPool } from './pool.ts';
import { shownUrl } from './shown-url.ts';

export interface PostgresState extends ExaminedServer {
  /** As it may be shown. */
  readonly name: string;
  readonly bytes: number;
  /** Connections that there may be at once. */
  readonly places: number;
  /** Those of other programs. */
  readonly others: number;
  /** Of mochi-server, that use it now. */
  readonly servers: readonly ServerThere[];
}

interface ServerThere {
  readonly host: string;
  /** Null: others do not reach it. */
  readonly url: string | null;
  readonly version: string;
}

const SERVERS =
  'select host, url, version from instances where lease_until > now() order by host, url, started_at';

const NUMBERS = `select
  pg_database_size(current_database()) as bytes,
  current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int as places,
  (select count(*) from pg_stat_activity
    where backend_type = 'client backend' and application_name <> 'mochi-server') as others`;

/** @throws StoreOpenError why a server would not start with it */
export async function describePostgres(url: string): Promise<PostgresState> {
  const name = shownUrl(url);
  const { pool } = openLookingPool(url);
  try {
    const examined = await examineServer(pool, name);
    const { rows } = await pool.query<{ bytes: number; places: number; others: number }>(NUMBERS);
    const [numbers] = rows;
    if (numbers === undefined) throw new Error('A query without tables has one row.');
    const servers = examined.behind === 0 ? (await pool.query<ServerThere>(SERVERS)).rows : [];
    return { name, ...examined, ...numbers, servers };
  } catch (error) {
    throw explainOpen(error, name);
  } finally {
    await pool.end();
  }
}
