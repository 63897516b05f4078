// Everything of one database into another, empty one: from SQLite to PostgreSQL, or back. In one transaction, so that a
// kill leaves it empty.
import { type Kysely, sql } from 'kysely';
import type { Database, Db } from './database.ts';
import { dialectOf } from './dialect/dialect-of.ts';

/** In an order in which nothing names what is not there yet. */
const TABLES = [
  'session_rows',
  'messages',
  'turns',
  'tool_calls',
  'tool_executions',
  'approvals',
  'tool_grants',
  'background_jobs',
  'history_marks',
  'responses',
  'token_ratios',
  'meta',
] as const;
type MovedTable = (typeof TABLES)[number];

/** Read in the order in which their rows were made, which the other database counts anew. */
const ORDERED = ['messages', 'turns', 'tool_executions', 'history_marks'] as const;
/** Of rows that are written at once. */
const MAX_ROWS = 200;
const MAX_CHARACTERS = 4_000_000;
/** Rows that the other database gives at once: some hold megabytes. */
const READ_AT_ONCE = 20;
/** What concerns the database that it is written in. */
const OWN_META = ['erase_due', 'cluster_secret'];

export type MovedCounts = Readonly<Record<MovedTable, number>>;

type Row = Readonly<Record<string, unknown>>;

/** The other database holds something, or not what was read. */
export class MoveError extends Error {
  override readonly name = 'MoveError';
}

/**
 * Sessions that are being deleted or written stay behind.
 * @param from nobody writes to it meanwhile
 * @param to inside a transaction, which is to be undone when this throws
 * @param moved called after each table
 * @throws MoveError
 */
export async function moveRows(
  from: Db,
  to: Db,
  moved: (table: string, rows: number) => void,
): Promise<MovedCounts> {
  await refuseContent(to);
  const columns = await columnsOf(dialectOf(from).name === 'sqlite' ? from : to);
  const counts: Partial<Record<MovedTable, number>> = {};
  const parents = new Map<unknown, unknown>();
  for (const table of TABLES) {
    let rows = 0;
    for await (const batch of readRows(from, table)) {
      rows += batch.length;
      await writeRows(
        to,
        table,
        batch.map((row) => pick(row, columns.get(table) ?? [], parents)),
      );
    }
    if (table === 'session_rows') await nameParents(to, parents);
    await compare(to, table, rows);
    counts[table] = rows;
    moved(table, rows);
  }
  if (dialectOf(to).name === 'postgres') {
    await sql`select setval(pg_get_serial_sequence('messages', 'seq'), max(seq)) from messages having max(seq) is not null`.execute(
      to,
    );
  }
  return counts as MovedCounts;
}

async function refuseContent(db: Db): Promise<void> {
  // Whoever would write to it meanwhile waits, and then finds it full.
  if (dialectOf(db).name === 'postgres') {
    await sql`lock table session_rows, turns, prompt_files in exclusive mode`.execute(db);
  }
  const found = await db.selectFrom('session_rows').select('id').limit(1).execute();
  if (found.length > 0) throw new MoveError('has sessions in it already: it must be empty');
  // What a server that was tried there has left besides: nobody's data.
  await db.deleteFrom('token_ratios').execute();
  await db.deleteFrom('meta').where(isWhole('meta')).execute();
}

/** As SQLite has them: PostgreSQL has more, which servers fill. */
async function columnsOf(db: Kysely<Database>): Promise<ReadonlyMap<string, readonly string[]>> {
  const { rows } = await sql<{ table: string; column: string }>`
    select tables.name as "table", columns.name as "column"
    from sqlite_schema as tables join pragma_table_info(tables.name) as columns where tables.type = 'table'
  `.execute(db);
  return new Map(
    TABLES.map((table) => [table, rows.filter((row) => row.table === table).map(({ column }) => column)]),
  );
}

async function* readRows(db: Db, table: MovedTable): AsyncGenerator<readonly Row[], void> {
  const { order } = dialectOf(db);
  const ordered = ORDERED.find((one) => one === table);
  // One of them stands for all: it is only read.
  const all = db
    .selectFrom(table as 'messages')
    .selectAll()
    .where(isWhole(table));
  const rows = ordered === undefined ? all : all.orderBy(order(ordered));
  let batch: Row[] = [];
  let characters = 0;
  for await (const found of rows.stream(READ_AT_ONCE)) {
    const row: Row = { ...found };
    batch.push(row);
    characters += weigh(row);
    if (batch.length < MAX_ROWS && characters < MAX_CHARACTERS) continue;
    yield batch;
    batch = [];
    characters = 0;
  }
  if (batch.length > 0) yield batch;
}

/** Of sessions that are seen. */
function isWhole(table: MovedTable) {
  switch (table) {
    case 'token_ratios':
      return sql<boolean>`true`;
    case 'meta':
      return sql<boolean>`key not in (${sql.join(OWN_META)})`;
    case 'session_rows':
      return sql<boolean>`hidden is null`;
    case 'responses':
      return sql<boolean>`exists (
        select 1 from turns join sessions on sessions.id = turns.session_id where turns.id = responses.turn_id
      )`;
    default:
      return sql<boolean>`session_id in (select id from sessions)`;
  }
}

function weigh(row: Row): number {
  let characters = 0;
  for (const value of Object.values(row)) if (typeof value === 'string') characters += value.length;
  return characters;
}

/** @param parents gets the session that a chat of an agent belongs to: it may come after it */
function pick(row: Row, columns: readonly string[], parents: Map<unknown, unknown>): Row {
  const picked = Object.fromEntries(columns.map((column) => [column, row[column]]));
  if (!('hidden' in picked)) return picked;
  if (row['parent_session_id'] !== null) parents.set(row['id'], row['parent_session_id']);
  return { ...picked, parent_session_id: null };
}

async function nameParents(db: Db, parents: ReadonlyMap<unknown, unknown>): Promise<void> {
  for (const [id, parent] of parents) {
    await sql`update session_rows set parent_session_id = (select id from sessions where id = ${parent}) where id = ${id}`.execute(
      db,
    );
  }
}

async function writeRows(db: Db, table: MovedTable, rows: readonly Row[]): Promise<void> {
  const [first] = rows;
  if (first === undefined) return;
  const columns = Object.keys(first);
  const values = rows.map((row) => sql`(${sql.join(columns.map((column) => row[column]))})`);
  await sql`
    insert into ${sql.table(table)} (${sql.join(columns.map((column) => sql.ref(column)))})
    values ${sql.join(values)}
    ${table === 'meta' ? sql`on conflict (key) do update set value = excluded.value` : sql``}
  `.execute(db);
}

async function compare(db: Db, table: MovedTable, expected: number): Promise<void> {
  const own = table === 'meta' ? sql`where key not in (${sql.join(OWN_META)})` : sql``;
  const { rows } = await sql<{
    rows: number;
  }>`select count(*) as rows from ${sql.table(table)} ${own}`.execute(db);
  const found = rows[0]?.rows;
  if (found !== expected) {
    throw new MoveError(`has ${found} rows of ${table} after ${expected} were written to it`);
  }
}
