// What there is to say of a database of PostgreSQL, without changing anything in it.
import { type ExaminedServer, examineServer } from './examine-server.ts';
import { explainOpen } from './open-error.ts';
import { openPatientPool } from './pool.ts';
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
  readonly servers: number;
}

const NUMBERS = `select
  pg_database_size(current_database()) as bytes,
  current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int as places,
  (select count(*) from pg_stat_activity
    where backend_type = 'client backend' and application_name <> 'mochi-server') as others`;

/** @throws StoreOpenError why a server would not start with it */
export async function describePostgres(url: string): Promise<PostgresState> {
  const name = shownUrl(url);
  const { pool } = openPatientPool(url);
  try {
    const examined = await examineServer(pool, name);
    const { rows } = await pool.query<{ bytes: number; places: number; others: number }>(NUMBERS);
    const [numbers] = rows;
    if (numbers === undefined) throw new Error('A query without tables has one row.');
    const counted =
      examined.behind === 0
        ? await pool.query<{ count: number }>(
            'select count(*) as count from instances where lease_until > now()',
          )
        : null;
    return { name, ...examined, ...numbers, servers: counted?.rows[0]?.count ?? 0 };
  } catch (error) {
    throw explainOpen(error, name);
  } finally {
    await pool.end();
  }
}
