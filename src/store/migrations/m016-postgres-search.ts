// PostgreSQL: what is searched. Triggers list it in the transaction that writes it, with no words yet: those are cut by
// the program, soon after (dialect/postgres/index-due). SQLite has its index from m004.
import { type Kysely, sql } from 'kysely';
import { dialectOf } from '../dialect/dialect-of.ts';

export async function m016PostgresSearch(db: Kysely<unknown>): Promise<void> {
  if (dialectOf(db).name !== 'postgres') return;
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

/** System prompts are the same in many sessions; a message that is being written is indexed when it rests. */
function isIndexed(row: string): string {
  return `(${row}.role <> 'system' and ${row}.status <> 'streaming')`;
}

const STATEMENTS: readonly string[] = [
  `create table search_messages (
     seq bigint primary key references messages (seq) on delete cascade,
     words tsvector,
     is_long boolean not null default false
   )`,
  'alter table search_titles add column words tsvector, add column is_long boolean not null default false',
  ...['search_messages', 'search_titles'].flatMap((table) => [
    `create index ${table}_words on ${table} using gin (words)`,
    `create index ${table}_due on ${table} (seq) where words is null`,
  ]),
  `create function list_search_message() returns trigger language plpgsql as $$
   begin
     insert into search_messages (seq) values (new.seq)
     on conflict (seq) do update set words = null, is_long = false;
     return null;
   end $$`,
  `create function unlist_search_message() returns trigger language plpgsql as $$
   begin
     delete from search_messages where seq = new.seq;
     return null;
   end $$`,
  `create trigger search_message_added after insert on messages
   for each row when (${isIndexed('new')}) execute function list_search_message()`,
  // A checkpoint of an answer is streaming before and after: it touches nothing.
  `create trigger search_message_changed after update of content, role, status on messages
   for each row when (${isIndexed('new')} and (not ${isIndexed('old')} or new.content is distinct from old.content))
   execute function list_search_message()`,
  `create trigger search_message_reopened after update of content, role, status on messages
   for each row when (${isIndexed('old')} and not ${isIndexed('new')}) execute function unlist_search_message()`,
  `insert into search_messages (seq) select seq from messages where ${isIndexed('messages')}`,
];
