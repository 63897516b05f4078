// Sessions, their message trees, turns and tool calls.
import { type Kysely, sql } from 'kysely';
import { withOrder } from './creation-order.ts';

/** The migration sees no table types: they describe the newest schema, not this one. */
export async function m001SessionsMessagesTurns(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('meta')
    .addColumn('key', 'text', (column) => column.primaryKey())
    .addColumn('value', 'text', (column) => column.notNull())
    .execute();

  await db.schema
    .createTable('sessions')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('model', 'text', (column) => column.notNull())
    .addColumn('created_at', 'text', (column) => column.notNull())
    .addColumn('updated_at', 'text', (column) => column.notNull())
    .addColumn('title', 'text')
    .addColumn('metadata', 'text', (column) => column.notNull())
    .addColumn('tool_settings', 'text', (column) => column.notNull())
    .addColumn('agent_settings', 'text', (column) => column.notNull())
    .addColumn('context_window', 'text', (column) => column.notNull())
    .addColumn('summary', 'text')
    .addColumn('summary_model', 'text')
    .addColumn('system_id', 'text')
    .addColumn('head_id', 'text')
    .addColumn('head_depth', 'integer', (column) => column.notNull())
    .addColumn('preview', 'text')
    .addColumn('import_hash', 'text')
    .addColumn('extra', 'text')
    .execute();
  await db.schema.createIndex('sessions_newest').on('sessions').columns(['updated_at desc', 'id']).execute();
  await sql`create index sessions_import_hash on sessions (import_hash) where import_hash is not null`.execute(
    db,
  );

  await db.schema
    .createTable('messages')
    .addColumn('seq', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('session_id', 'text', (column) =>
      column.notNull().references('sessions.id').onDelete('cascade'),
    )
    .addColumn('id', 'text', (column) => column.notNull())
    .addColumn('parent_id', 'text')
    .addColumn('depth', 'integer', (column) => column.notNull())
    .addColumn('active', 'integer', (column) => column.notNull())
    .addColumn('role', 'text', (column) => column.notNull())
    .addColumn('content', 'text', (column) => column.notNull())
    .addColumn('thinking', 'text')
    .addColumn('timestamp', 'text', (column) => column.notNull())
    .addColumn('model', 'text')
    .addColumn('eval_count', 'integer')
    .addColumn('prompt_eval_count', 'integer')
    .addColumn('tool_calls', 'text')
    .addColumn('source_file', 'text')
    .addColumn('tool_name', 'text')
    .addColumn('tool_call_id', 'text')
    .addColumn('turn_id', 'text')
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('images', 'text')
    .addColumn('extra', 'text')
    .execute();
  await db.schema.createIndex('messages_id').on('messages').columns(['session_id', 'id']).unique().execute();
  await db.schema
    .createIndex('messages_path')
    .on('messages')
    .columns(['session_id', 'active', 'depth'])
    .execute();
  await db.schema
    .createIndex('messages_children')
    .on('messages')
    .columns(['session_id', 'parent_id'])
    .execute();
  await sql`create index messages_streaming on messages (session_id) where status = 'streaming'`.execute(db);

  await withOrder(db, db.schema.createTable('turns'))
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('session_id', 'text', (column) =>
      column.notNull().references('sessions.id').onDelete('cascade'),
    )
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('created_at', 'text', (column) => column.notNull())
    .addColumn('finished_at', 'text')
    .addColumn('request', 'text')
    .addColumn('user_message_id', 'text')
    .addColumn('message_id', 'text')
    .addColumn('error', 'text')
    .addColumn('usage', 'text')
    .addColumn('context', 'text')
    .addColumn('last_event_id', 'integer', (column) => column.notNull())
    .execute();
  await db.schema.createIndex('turns_of_session').on('turns').columns(['session_id', 'created_at']).execute();
  await sql`create index turns_unfinished on turns (session_id) where finished_at is null`.execute(db);

  await db.schema
    .createTable('tool_calls')
    .addColumn('session_id', 'text', (column) =>
      column.notNull().references('sessions.id').onDelete('cascade'),
    )
    .addColumn('message_id', 'text', (column) => column.notNull())
    .addColumn('call_index', 'integer', (column) => column.notNull())
    .addColumn('call_id', 'text', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('arguments', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('result_message_id', 'text')
    .addPrimaryKeyConstraint('tool_calls_key', ['session_id', 'message_id', 'call_index'])
    .execute();
  await sql`create index tool_calls_open on tool_calls (session_id) where result_message_id is null`.execute(
    db,
  );
}
