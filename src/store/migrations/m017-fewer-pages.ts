// Fewer pages for a turn: what one index can answer has one, and the words of a question come into the search index
// together with those of its answer.
import { type Kysely, sql } from 'kysely';
import { dialectOf } from '../dialect/dialect-of.ts';

export async function m017FewerPages(db: Kysely<unknown>): Promise<void> {
  for (const statement of INDEXES) await sql.raw(statement).execute(db);
  if (dialectOf(db).name !== 'sqlite') return;
  await countBySelf(db);
  for (const trigger of TRIGGERS) await sql.raw(trigger).execute(db);
}

const INDEXES: readonly string[] = [
  // Siblings stand at one depth: on the path is one of them at most, and the others are beside it.
  'drop index messages_children',
  'drop index messages_path',
  'create index messages_path on messages (session_id, active, depth, parent_id)',
  // A turn says which message it is writing.
  'drop index messages_streaming',
  // `turns_of_session` has them in the order of their times.
  'drop index turns_order',
  // Chats, agent chats and unlisted sessions have indexes of their own.
  'drop index sessions_newest',
  'drop index session_rows_unlisted',
  'create index session_rows_unlisted on session_rows (updated_at desc, id) where listed = 0',
];

/**
 * Without `autoincrement` nothing is written to count messages. It changes no byte of the table, so that it can be taken
 * out of the schema's text (https://sqlite.org/lang_altertable.html#otheralter) instead of copying every message.
 */
async function countBySelf(db: Kysely<unknown>): Promise<void> {
  await sql`pragma writable_schema = on`.execute(db);
  await sql`update sqlite_schema set sql = replace(sql, 'primary key autoincrement', 'primary key')
    where type = 'table' and name = 'messages'`.execute(db);
  await sql`pragma writable_schema = reset`.execute(db);
  await sql`delete from sqlite_sequence where name = 'messages'`.execute(db);
}

/** As in m004. */
const IS_INDEXED = "role <> 'system' and status <> 'streaming'";

const TRIGGERS: readonly string[] = [
  'drop trigger search_message_added',
  // Unless it is what a turn answers that has not ended: that turn sees to it.
  `create trigger search_message_added after insert on messages
   when new.role <> 'system' and new.status <> 'streaming' and not exists (
     select 1 from turns where id = new.turn_id and finished_at is null
       and session_id = new.session_id and user_message_id = new.id
   )
   begin
     insert into search_index (rowid, words) values (new.seq, search_words(new.content));
   end`,
  // At its end; or before, when it takes longer.
  `create trigger search_question after update of finished_at, last_event_id, state, settings on turns
   when new.user_message_id is not null
     and (new.finished_at is not null or new.last_event_id > 0 or new.state = 'waiting' or new.settings is not null)
   begin
     insert into search_index (rowid, words)
     select seq, search_words(content) from messages
     where session_id = new.session_id and id = new.user_message_id and ${IS_INDEXED}
       and not exists (select 1 from search_index_docsize where search_index_docsize.id = seq);
   end`,
];
