// Sessions that nobody sees, so that large ones can come and go in slices; and what belongs to a session, in the
// order of creation, without sorting.
import { type Kysely, sql } from 'kysely';
import { dialectOf } from '../dialect/dialect-of.ts';
import { viewSessions } from './sessions-view.ts';

export async function m007HiddenSessions(db: Kysely<unknown>): Promise<void> {
  // Keys, triggers and indexes of the table go with it.
  await db.schema.alterTable('sessions').renameTo('session_rows').execute();
  await db.schema.alterTable('session_rows').addColumn('hidden', 'text').execute();
  await db.schema.alterTable('session_rows').addColumn('hidden_at', 'integer').execute();
  await sql`create index session_rows_hidden on session_rows (hidden, hidden_at) where hidden is not null`.execute(
    db,
  );
  await viewSessions(db);
  // Entries of one session stand in the order of their rows.
  const order = dialectOf(db).name === 'sqlite' ? ['session_id'] : ['session_id', 'seq'];
  await db.schema.createIndex('messages_order').on('messages').columns(order).execute();
  await db.schema.createIndex('turns_order').on('turns').columns(order).execute();
}
