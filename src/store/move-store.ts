// Everything of a data folder into PostgreSQL, or back: rows and system prompt files, all or nothing.
import { sql } from 'kysely';
import type { Db } from './database.ts';
import { indexDue } from './dialect/postgres/index-due.ts';
import { type MovedCounts, MoveError, moveRows } from './move-rows.ts';
import { promptFilesOf } from './prompt-files-of.ts';

interface MoveSides {
  /** Of SQLite, with nobody else at it. */
  readonly files: Db;
  /** Of PostgreSQL. */
  readonly rows: Db;
  /** Where the system prompt files are that belong to the database of SQLite. */
  readonly promptFolder: string;
}

interface MoveListener {
  moved(table: string, rows: number): void;
  /** A system prompt file of that name was there, and was not written over. */
  stays(entry: string): void;
}

/** @throws MoveError */
export async function moveTo(sides: MoveSides, listener: MoveListener): Promise<MovedCounts> {
  const { files, rows } = sides;
  const counts = await rows.transaction().execute(async (to) => {
    await takeTime(to);
    const moved = await moveRows(files, to, listener.moved);
    await movePrompts({ from: files, to, ...sides }, listener);
    return moved;
  });
  // A server would do it as well, and PostgreSQL, in a minute, the second.
  await indexDue(rows, Number.POSITIVE_INFINITY);
  await sql`analyze`.execute(rows);
  return counts;
}

/** @throws MoveError */
export function moveFrom(sides: MoveSides, listener: MoveListener): Promise<MovedCounts> {
  const { files, rows } = sides;
  return rows
    .transaction()
    .setIsolationLevel('repeatable read')
    .execute(async (from) => {
      await takeTime(from);
      await refuseServers(from);
      return files.transaction().execute(async (to) => {
        const moved = await moveRows(from, to, listener.moved);
        await movePrompts({ from, to, ...sides }, listener);
        return moved;
      });
    });
}

/** All of it is one statement after another, for as long as it takes. */
async function takeTime(db: Db): Promise<void> {
  await sql`set local statement_timeout = 0`.execute(db);
  await sql`set local idle_in_transaction_session_timeout = 0`.execute(db);
}

async function refuseServers(db: Db): Promise<void> {
  const { rows } = await sql<{ host: string }>`select host from instances where lease_until > now()`.execute(
    db,
  );
  const [first] = rows;
  if (first === undefined) return;
  throw new MoveError(`is not written: a server on ${first.host} uses the database. Stop it first`);
}

async function movePrompts(
  { from, to, promptFolder }: Pick<MoveSides, 'promptFolder'> & { readonly from: Db; readonly to: Db },
  { moved, stays }: MoveListener,
): Promise<void> {
  const [source, target] = [promptFilesOf(from, promptFolder), promptFilesOf(to, promptFolder)];
  let count = 0;
  for (const entry of await source.list()) {
    const content = await source.read(entry);
    if (content === null) continue;
    if (await target.create(entry, content)) count += 1;
    else stays(entry);
  }
  moved('system prompt files', count);
}
