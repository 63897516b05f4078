// `mochi-server move`: everything of a data folder into a database of PostgreSQL, or back, while no server runs.
import { existsSync } from 'node:fs';
import { type Config, databaseUrlFault } from '../config.ts';
import { databaseFile } from '../store/database-files.ts';
import { openPostgres } from '../store/dialect/postgres/open.ts';
import { shownUrl } from '../store/dialect/postgres/shown-url.ts';
import { type MovedCounts, MoveError } from '../store/move-rows.ts';
import { moveFrom, moveTo } from '../store/move-store.ts';
import { openStore } from '../store/open-store.ts';
import { complain, EXIT_FAILURE } from './command.ts';
import { asExit } from './explain-error.ts';
import { say } from './terminal.ts';

export interface Move {
  readonly url: string;
  readonly direction: 'to' | 'from';
}

type Option = string | true | undefined;

/** @throws ExitError */
export function readMove(
  { databaseUrl }: Pick<Config, 'databaseUrl'>,
  { to, from }: { readonly to: Option; readonly from: Option },
): Move {
  const given = to ?? from;
  if (given === undefined || (to !== undefined && from !== undefined)) {
    throw complain([
      'Say where everything goes: --to postgres://…, or where it comes from: --from postgres://…',
    ]);
  }
  const url = given === true ? databaseUrl : given;
  if (url === null) throw complain(['Name the database, here or in MOCHI_DATABASE_URL.']);
  const fault = databaseUrlFault(url);
  if (fault !== null) throw complain([`The database ${fault}.`]);
  return { url, direction: to === undefined ? 'from' : 'to' };
}

/** What is moved from stays as it is. @throws ExitError */
export async function runMove(config: Config, { url, direction }: Move): Promise<void> {
  const place = shownUrl(url);
  if (direction === 'to' && !existsSync(databaseFile(config.dataDir))) {
    throw complain([`There is no database in ${config.dataDir} (--data-dir).`]);
  }
  try {
    const files = await openStore({ dataDir: config.dataDir, exclusive: true });
    try {
      const rows = await openPostgres({ url, pool: 2 });
      try {
        const sides = { files: files.db, rows: rows.db, promptFolder: config.systemPromptsDir };
        const counts = await (direction === 'to' ? moveTo : moveFrom)(sides, { moved, stays });
        const [source, target] = direction === 'to' ? [config.dataDir, place] : [place, config.dataDir];
        say(`${describe(counts)} moved from ${source} to ${target}, counted on both sides.\n`);
        say(`${source} was left as it is. ${ADVICE[direction]}\n`);
      } finally {
        await rows.close();
      }
    } finally {
      await files.close();
    }
  } catch (error) {
    if (error instanceof MoveError) {
      const target = direction === 'to' ? place : config.dataDir;
      throw complain([`${target} ${error.message}. Nothing was written.`], EXIT_FAILURE);
    }
    throw asExit(error, config);
  }
}

const ADVICE = {
  to: 'Start the server with MOCHI_DATABASE_URL. Folders of tools and agents are files on each machine: they do not move.',
  from: 'Start the server without MOCHI_DATABASE_URL.',
};

function stays(entry: string): void {
  say(`  the system prompt file ${entry} is there already, and stays\n`);
}

function moved(table: string, rows: number): void {
  if (rows > 0) say(`  ${rows} ${table.replace('session_rows', 'sessions').replaceAll('_', ' ')}\n`);
}

function describe({ session_rows: sessions, messages }: MovedCounts): string {
  return `${sessions} ${sessions === 1 ? 'session' : 'sessions'} with ${messages} ${messages === 1 ? 'message' : 'messages'}`;
}
