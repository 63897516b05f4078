// What was decided about each call, every attempt to run one, the questions to people and what they want remembered;
// and what a waiting turn needs to go on in another process.
import { type ColumnDefinitionBuilder, type Kysely, sql } from 'kysely';
import { withOrder } from './creation-order.ts';

export async function m012JournalAndApprovals(db: Kysely<unknown>): Promise<void> {
  for (const column of ['digest', 'verdict', 'rule', 'repairs', 'mcp_state']) {
    await db.schema.alterTable('tool_calls').addColumn(column, 'text').execute();
  }
  for (const column of ['settings', 'on_disconnect']) {
    await db.schema.alterTable('turns').addColumn(column, 'text').execute();
  }
  await createExecutions(db);
  await createApprovals(db);
  await createGrants(db);
}

const required = (column: ColumnDefinitionBuilder) => column.notNull();
const ofSession = (column: ColumnDefinitionBuilder) =>
  column.references('session_rows.id').onDelete('cascade');

async function createExecutions(db: Kysely<unknown>): Promise<void> {
  await withOrder(db, db.schema.createTable('tool_executions'))
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('session_id', 'text', ofSession)
    .addColumn('message_id', 'text')
    .addColumn('call_index', 'integer')
    .addColumn('attempt', 'integer', required)
    .addColumn('tool', 'text', required)
    .addColumn('source', 'text', required)
    .addColumn('arguments', 'text', required)
    .addColumn('digest', 'text', required)
    .addColumn('fingerprint', 'text', required)
    .addColumn('read_only', 'integer', required)
    .addColumn('state', 'text', required)
    .addColumn('boot_id', 'text', required)
    .addColumn('started_at', 'text', required)
    .addColumn('finished_at', 'text')
    .addColumn('duration_ms', 'integer')
    .addColumn('error', 'text')
    .addColumn('repairs', 'text', required)
    .addColumn('truncated', 'integer', (column) => column.notNull().defaultTo(0))
    .addColumn('is_retried', 'integer', (column) => column.notNull().defaultTo(0))
    .addColumn('result_bytes', 'integer')
    .addColumn('output', 'text')
    .addColumn('log', 'text')
    .execute();
  await db.schema
    .createIndex('tool_executions_call')
    .on('tool_executions')
    .columns(['session_id', 'message_id', 'call_index', 'attempt'])
    .unique()
    .execute();
  await db.schema
    .createIndex('tool_executions_newest')
    .on('tool_executions')
    .columns(['started_at desc', 'id'])
    .execute();
  await db.schema
    .createIndex('tool_executions_of_session')
    .on('tool_executions')
    .columns(['session_id', 'started_at desc', 'id'])
    .execute();
  await db.schema
    .createIndex('tool_executions_of_tool')
    .on('tool_executions')
    .columns(['tool', 'started_at desc', 'id'])
    .execute();
  // Of statistics: no row is read for them.
  await db.schema
    .createIndex('tool_executions_counts')
    .on('tool_executions')
    .columns(['tool', 'state', 'duration_ms', 'session_id'])
    .execute();
  await sql`create index tool_executions_running on tool_executions (boot_id) where state = 'running'`.execute(
    db,
  );
  await sql`create index tool_executions_unknown on tool_executions (session_id, digest)
    where state = 'unknown' and is_retried = 0`.execute(db);
}

async function createApprovals(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('approvals')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('change', 'integer', (column) => column.notNull().unique())
    .addColumn('kind', 'text', required)
    .addColumn('state', 'text', required)
    .addColumn('session_id', 'text', (column) => ofSession(column.notNull()))
    .addColumn('turn_id', 'text', required)
    .addColumn('message_id', 'text')
    .addColumn('call_index', 'integer')
    .addColumn('agent_session_id', 'text')
    .addColumn('body', 'text', required)
    .addColumn('digest', 'text')
    .addColumn('fingerprint', 'text')
    .addColumn('created_at', 'text', required)
    .addColumn('expires_at', 'text')
    .addColumn('decided_at', 'text')
    .addColumn('decision', 'text')
    .execute();
  await db.schema
    .createIndex('approvals_newest')
    .on('approvals')
    .columns(['created_at desc', 'id'])
    .execute();
  await db.schema
    .createIndex('approvals_of_session')
    .on('approvals')
    .columns(['session_id', 'created_at desc', 'id'])
    .execute();
  await db.schema.createIndex('approvals_of_turn').on('approvals').column('turn_id').execute();
  await sql`create index approvals_pending on approvals (session_id) where state = 'pending'`.execute(db);
  await sql`create index approvals_expiry on approvals (expires_at) where state = 'pending'`.execute(db);
}

async function createGrants(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('tool_grants')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('scope', 'text', required)
    .addColumn('session_id', 'text', ofSession)
    .addColumn('tool', 'text', required)
    .addColumn('fingerprint', 'text', required)
    .addColumn('match', 'text', required)
    .addColumn('arguments_digest', 'text')
    .addColumn('arguments', 'text')
    .addColumn('confirmation_id', 'text', required)
    .addColumn('created_at', 'text', required)
    .execute();
  await db.schema.createIndex('tool_grants_of_session').on('tool_grants').column('session_id').execute();
}
