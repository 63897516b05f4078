// What stands in the way of using a database of PostgreSQL, found before anything is written to it.
import type { Pool, PoolClient } from 'pg';
import { randomHex } from '../../../kit/ids.ts';
import { MIGRATIONS } from '../../migrations/migrations.ts';
import { isTooOld, MIN_VERSION_KEY } from '../../min-version.ts';
import { StoreOpenError } from '../../store-open-error.ts';
import { throughPooler, writtenByNewer } from './open-error.ts';

const OLDEST = 140_000;

interface ServerState {
  readonly version: number;
  readonly shown_version: string;
  readonly encoding: string;
  readonly is_standby: boolean;
  readonly is_read_only: boolean;
  readonly schema: string | null;
  readonly user: string;
  readonly may_create: boolean;
}

const STATE = `select
  current_setting('server_version_num')::int as version,
  current_setting('server_version') as shown_version,
  current_setting('server_encoding') as encoding,
  pg_is_in_recovery() as is_standby,
  current_setting('transaction_read_only') = 'on' as is_read_only,
  current_schema() as schema,
  current_user as user,
  coalesce(has_schema_privilege(current_schema(), 'create'), false) as may_create`;

export interface ExaminedServer {
  /** As people know it: 15.12. */
  readonly version: string;
  /** Steps that its schema is behind; null: it is empty. */
  readonly behind: number | null;
}

/**
 * @param name of the database, as it may be shown
 * @throws StoreOpenError, what the driver says when it cannot be reached or refuses
 */
export async function examineServer(pool: Pool, name: string): Promise<ExaminedServer> {
  const { rows } = await pool.query<ServerState>(STATE);
  const [state] = rows;
  if (state === undefined) throw new Error('A query without tables has one row.');
  const fault = faultOf(state);
  if (fault !== null) throw new StoreOpenError(`${name} ${fault}`);
  await refusePooler(pool, name);
  const done = await refuseForeignContent(pool, name);
  return { version: state.shown_version, behind: done && Object.keys(MIGRATIONS).length - done.length };
}

function faultOf(state: ServerState): string | null {
  if (state.version < OLDEST) return `is PostgreSQL ${state.shown_version}; mochi-server needs 14 or newer.`;
  if (state.encoding !== 'UTF8') {
    return `stores text as ${state.encoding}, which cannot hold every sign. Make one with: create database … encoding 'UTF8' template template0`;
  }
  if (state.is_standby) return 'is a standby, which cannot be written to. Name the primary server.';
  if (state.is_read_only) {
    return 'is read-only (default_transaction_read_only is on). Switch that off for this user or database.';
  }
  if (state.schema === null) return 'has none of the schemas of the search path. Make one.';
  if (!state.may_create) {
    return `does not let ${state.user} make tables. As its owner: grant create on schema ${state.schema} to "${state.user}"`;
  }
  return null;
}

/**
 * What is set on a connection is found there again, and nowhere else: else there is a pooler in between that gives each
 * transaction another connection, and timeouts, locks and notifications would be those of others.
 */
async function refusePooler(pool: Pool, name: string): Promise<void> {
  const mark = randomHex(8);
  const [one, other] = [await pool.connect(), await pool.connect()];
  try {
    await one.query(`set mochi.mark = '${mark}'`);
    await other.query('begin');
    const isElsewhere = (await markOf(other)) === mark;
    const isKept = (await markOf(one)) === mark;
    await other.query('rollback');
    if (isKept && !isElsewhere) return;
    throw throughPooler(name, 'transaction');
  } finally {
    other.release();
    one.release();
  }
}

async function markOf(client: PoolClient): Promise<string | null> {
  const { rows } = await client.query<{ mark: string | null }>(
    "select current_setting('mochi.mark', true) as mark",
  );
  return rows[0]?.mark ?? null;
}

/** @returns the steps that were made; null: it is empty */
async function refuseForeignContent(pool: Pool, name: string): Promise<string[] | null> {
  const { rows } = await pool.query<{ name: string }>(
    'select tablename as name from pg_tables where schemaname = current_schema()',
  );
  if (rows.length === 0) return null;
  const done = rows.some((table) => table.name === 'kysely_migration') ? await migrationsOf(pool) : null;
  const known = Object.keys(MIGRATIONS);
  // Others keep their migrations like that, too.
  if (done === null || (done.length > 0 && !done.includes(known[0] ?? ''))) {
    throw new StoreOpenError(
      `${name} has tables of another program. It was left as it is: make a database of its own for mochi-server.`,
    );
  }
  const needs = rows.some((table) => table.name === 'meta') ? await minVersionOf(pool) : null;
  if (isTooOld(needs)) throw writtenByNewer(name, needs);
  if (!done.every((migration) => known.includes(migration))) throw writtenByNewer(name, null);
  return done;
}

async function minVersionOf(pool: Pool): Promise<string | null> {
  const { rows } = await pool.query<{ value: string }>('select value from meta where key = $1', [
    MIN_VERSION_KEY,
  ]);
  return rows[0]?.value ?? null;
}

async function migrationsOf(pool: Pool): Promise<string[]> {
  const { rows } = await pool.query<{ name: string }>('select name from kysely_migration');
  return rows.map((row) => row.name);
}
