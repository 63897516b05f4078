// Sessions in which agents work, kept apart from those of people, and the turns that are their runs.
import { type Kysely, sql } from 'kysely';
import { viewSessions } from './sessions-view.ts';

export async function m013AgentChats(db: Kysely<unknown>): Promise<void> {
  const sessions = db.schema.alterTable('session_rows');
  await sessions.addColumn('kind', 'text', (column) => column.notNull().defaultTo('chat')).execute();
  await sessions.addColumn('agent_name', 'text').execute();
  await sessions
    .addColumn('parent_session_id', 'text', (column) =>
      column.references('session_rows.id').onDelete('cascade'),
    )
    .execute();
  await viewSessions(db);
  for (const index of INDEXES) await sql.raw(index).execute(db);

  const turns = db.schema.alterTable('turns');
  await turns.addColumn('agent_name', 'text').execute();
  await turns.addColumn('phase', 'text').execute();
  await turns.addColumn('round', 'integer').execute();
  await turns.addColumn('active_ms', 'integer').execute();
  await turns.addColumn('tokens', 'integer').execute();
  // Of the call that started the run. Its session need not be the one that the chat belongs to.
  await turns.addColumn('parent_turn_id', 'text').execute();
  await turns.addColumn('parent_session_id', 'text').execute();
  await turns.addColumn('parent_message_id', 'text').execute();
  await turns.addColumn('parent_call_index', 'integer').execute();
  await sql`create index turns_of_parent on turns (parent_turn_id) where parent_turn_id is not null`.execute(
    db,
  );
  await sql`create unique index turns_of_call on turns (parent_session_id, parent_message_id, parent_call_index)
    where parent_message_id is not null`.execute(db);
  // A repeated request that began a chat cannot name it.
  await sql`create index turns_idempotency_of_runs on turns (idempotency_key)
    where idempotency_key is not null and agent_name is not null`.execute(db);
}

/** Lists of either kind walk their own entries alone. */
const INDEXES: readonly string[] = [
  `create index session_rows_chats on session_rows (updated_at desc, id) where kind = 'chat'`,
  `create index session_rows_agents on session_rows (updated_at desc, id) where kind = 'agent'`,
  `create index session_rows_of_agent on session_rows (agent_name, updated_at desc, id) where kind = 'agent'`,
  `create index session_rows_of_parent on session_rows (parent_session_id, updated_at desc, id)
   where parent_session_id is not null`,
];
