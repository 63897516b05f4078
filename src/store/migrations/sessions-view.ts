// `sessions` is a view of the rows that are there for everybody. Reading it cannot show what is hidden.
import { type Kysely, sql } from 'kysely';
import { dialectOf } from '../dialect/dialect-of.ts';

/** Of the table alone: why a row is not in the view, and since when. */
const HIDDEN = ['hidden', 'hidden_at'];

/** Makes the view anew: after a change of the columns of `session_rows`. */
export async function viewSessions(db: Kysely<unknown>): Promise<void> {
  const told =
    dialectOf(db).name === 'sqlite'
      ? sql<{ name: string }>`select name from pragma_table_info('session_rows')`
      : sql<{ name: string }>`select column_name as name from information_schema.columns
          where table_schema = current_schema() and table_name = 'session_rows' order by ordinal_position`;
  const { rows } = await told.execute(db);
  const columns = rows.map(({ name }) => name).filter((name) => !HIDDEN.includes(name));
  await sql`drop view if exists sessions`.execute(db);
  await sql`create view sessions as select ${sql.join(columns.map((name) => sql.ref(name)))}
    from session_rows where hidden is null`.execute(db);
}
