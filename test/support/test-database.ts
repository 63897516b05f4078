// Where a server of a test keeps its data: in SQLite in its folder, or, in `npm run test:postgres`, in a database of its own.
import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import type { Db } from '../../src/store/database.ts';
import { openPostgres, type PostgresStore } from '../../src/store/dialect/postgres/open.ts';
import type { PostgresOptions } from '../../src/store/dialect/postgres/postgres-options.ts';
import { openStore } from '../../src/store/open-store.ts';

/** Of a PostgreSQL whose databases tests may make and drop; set by `npm run test:postgres`. */
export const TEST_POSTGRES = 'MOCHI_TEST_POSTGRES';
/** An empty database, brought up to date. */
export const TEMPLATE = 'mochi_template';

const POOL = 5;
const ofFolders = new Map<string, string>();
const readers = new Map<string, Promise<PostgresStore>>();

/** The same one for the same folder. Undefined: SQLite. */
export async function databaseFor(dataDir: string): Promise<PostgresOptions | undefined> {
  const server = process.env[TEST_POSTGRES];
  if (server === undefined) return undefined;
  let name = ofFolders.get(dataDir);
  if (name === undefined) {
    name = `mochi_${randomBytes(6).toString('hex')}`;
    ofFolders.set(dataDir, name);
    await administer(server, `create database ${name} template ${TEMPLATE}`);
  }
  return { url: databaseUrl(server, name), pool: POOL };
}

/** The data of a folder, without a server or beside one. */
export async function openDatabaseOf(
  dataDir: string,
  { exclusive }: { readonly exclusive: boolean },
): Promise<{ readonly db: Db; close(): Promise<void> }> {
  const database = await databaseFor(dataDir);
  return database === undefined ? openStore({ dataDir, exclusive }) : openPostgres(database);
}

/** A database of PostgreSQL, for looks at it: open until it is dropped, since opening takes longer than a look. */
export async function readerOf(dataDir: string): Promise<Db> {
  let reader = readers.get(dataDir);
  if (reader === undefined) {
    const database = await databaseFor(dataDir);
    if (database === undefined) throw new Error(`${TEST_POSTGRES} is not set.`);
    reader = openPostgres({ ...database, pool: 1 });
    readers.set(dataDir, reader);
  }
  return (await reader).db;
}

/** Nobody uses the folder any more. */
export async function dropDatabaseOf(dataDir: string): Promise<void> {
  const server = process.env[TEST_POSTGRES];
  const name = ofFolders.get(dataDir);
  if (server === undefined || name === undefined) return;
  ofFolders.delete(dataDir);
  await (await readers.get(dataDir))?.close();
  readers.delete(dataDir);
  await administer(server, `drop database ${name} with (force)`);
}

export function databaseUrl(server: string, name: string): string {
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}

export async function administer(server: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: server });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
