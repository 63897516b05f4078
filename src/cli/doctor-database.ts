// What the doctor says of the database, whichever it is.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Config } from '../config.ts';
import { networkFileSystemOf } from '../kit/network-file-system.ts';
import { ownCommand } from '../kit/own-command.ts';
import { isOpenToOthers } from '../kit/private-files.ts';
import { describePostgres, type PostgresState } from '../store/dialect/postgres/describe-database.ts';
import { checkDatabase } from '../store/examine-database.ts';
import { requireRights, StoreOpenError } from '../store/store-open-error.ts';
import { type Finding, namesText } from './finding.ts';

export interface DescribedDatabase {
  readonly findings: readonly Finding[];
  /** Servers use it now, wherever they run; never known of a file. */
  readonly isServed: boolean;
}

export async function describeDatabase(config: Config): Promise<DescribedDatabase> {
  const { databaseUrl, dataDir, databasePool } = config;
  const unserved = (findings: readonly Finding[]) => ({ findings, isServed: false });
  if (databaseUrl === null)
    return unserved([describeSqlite(config), ...describeDisk(existingFolder(dataDir))]);
  try {
    const state = await describePostgres(databaseUrl);
    const file = join(dataDir, 'mochi.db');
    const text = `Database: ${file} is there as well, and is not used while MOCHI_DATABASE_URL is set`;
    const next = `Bring it along, while no server runs: ${ownCommand('move --to')}`;
    const findings = [
      describeState(state),
      ...describeServers(state),
      describeConnections(state, databasePool),
      ...(existsSync(file) ? [{ state: 'note', text, ...(state.behind === null && { next }) } as const] : []),
    ];
    return { findings, isServed: state.servers.length > 0 };
  } catch (error) {
    if (!(error instanceof StoreOpenError)) throw error;
    return unserved([
      { state: 'bad', text: `Database: ${error.message}`, next: 'Mend the database, or MOCHI_DATABASE_URL.' },
    ]);
  }
}

function describeState({ name, version, bytes, behind }: PostgresState): Finding {
  const text = `Database: ${name} answers (PostgreSQL ${version}, ${Math.ceil(bytes / 1_048_576)} MB)`;
  if (behind === null)
    return { state: 'note', text: `${text}; it is empty: the first start makes its tables` };
  if (behind === 0) return { state: 'ok', text };
  return { state: 'note', text: `${text}; the next start brings its tables up to date` };
}

function describeServers({ servers }: PostgresState): Finding[] {
  if (servers.length === 0) return [];
  const names = servers.map(({ host, url, version }) => `${url ?? `one on ${host}`} (${version})`);
  return [{ state: 'ok', text: `Servers: ${servers.length} on this database: ${namesText(names)}` }];
}

/** Each server has its pool, and one connection more on which it looks whether the database is there. */
function describeConnections({ servers, places, others }: PostgresState, pool: number): Finding {
  const each = pool + 1;
  const most = Math.max(servers.length, 1) * each;
  const who =
    servers.length > 1
      ? `${servers.length} servers use up to ${each} each, ${most}`
      : `a server uses up to ${each}`;
  const text = `Connections: ${who} of ${places}; other programs have ${others} now`;
  if (most + others <= places) return { state: 'ok', text };
  return {
    state: most > places ? 'bad' : 'note',
    text,
    next: 'Raise max_connections of PostgreSQL, or lower MOCHI_DATABASE_POOL.',
  };
}

/** Locks are not to be relied on there, nor that what was written stays written. */
function describeDisk(folder: string): Finding[] {
  const kind = networkFileSystemOf(folder);
  if (kind === null) return [];
  const text = `Database: ${folder} is on a network file system (${kind}), where SQLite can lose what it has written`;
  return [
    {
      state: 'bad',
      text,
      next: 'Choose a --data-dir on a disk of this machine, or PostgreSQL (MOCHI_DATABASE_URL).',
    },
  ];
}

function describeSqlite({ dataDir }: Config): Finding {
  const file = join(dataDir, 'mochi.db');
  try {
    requireRights(existingFolder(dataDir), file);
    if (!existsSync(file)) {
      return { state: 'note', text: `Database: none yet; the first start makes ${file}` };
    }
    checkDatabase(dataDir);
    if (isOpenToOthers(file)) {
      const text = `Database: ${file} opens, and other users of this machine may read it`;
      return { state: 'note', text, next: `Keep the database to yourself: chmod 600 ${file}` };
    }
    return { state: 'ok', text: `Database: ${file} opens` };
  } catch (error) {
    if (!(error instanceof StoreOpenError)) throw error;
    return {
      state: 'bad',
      text: `Database: ${error.message}`,
      next: 'Mend the database, or choose another --data-dir.',
    };
  }
}

/** The folder, or the one above it in which it would be made. */
function existingFolder(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : existingFolder(dirname(path));
}
