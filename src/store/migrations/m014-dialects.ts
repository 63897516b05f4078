// What other programs' APIs need of the store: sessions under names of clients, sessions that nobody has asked to be
// kept, and by which history a conversation is recognised.
import { type Kysely, sql } from 'kysely';
import { viewSessions } from './sessions-view.ts';

export async function m014Dialects(db: Kysely<unknown>): Promise<void> {
  const sessions = db.schema.alterTable('session_rows');
  await sessions.addColumn('client_key', 'text').execute();
  await sessions.addColumn('listed', 'integer', (column) => column.notNull().defaultTo(1)).execute();
  await viewSessions(db);
  await db.schema.alterTable('messages').addColumn('client_id', 'text').execute();
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS: readonly string[] = [
  // A deleted session gives its name free at once.
  `create unique index session_rows_client_key on session_rows (client_key)
   where client_key is not null and hidden is null`,
  'drop index session_rows_chats',
  `create index session_rows_chats on session_rows (updated_at desc, id) where kind = 'chat' and listed = 1`,
  'create index session_rows_unlisted on session_rows (updated_at) where listed = 0',
  `create index messages_client_ids on messages (session_id, client_id) where client_id is not null`,
  `create table history_marks (
     hash text not null,
     session_id text not null references session_rows (id) on delete cascade,
     message_id text not null
   )`,
  'create unique index history_marks_hash on history_marks (hash, session_id, message_id)',
  'create index history_marks_session on history_marks (session_id)',
  `create table responses (
     turn_id text primary key references turns (id) on delete cascade,
     request text not null,
     deleted integer not null default 0
   )`,
];
