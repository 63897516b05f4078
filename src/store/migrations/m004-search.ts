// The index of full-text search, kept by triggers: in the transaction of what it indexes, whoever writes it.
import { setImmediate } from 'node:timers/promises';
import { type Kysely, sql } from 'kysely';
import { FIRST_TITLE } from '../search-index.ts';

/** Messages indexed in one statement. */
const BATCH = 500;

export async function m004Search(db: Kysely<unknown>): Promise<void> {
  // Words come folded and with blanks between them from search_words(), so the plainest tokenizer does. The text
  // is not stored again. A message is indexed under its `seq`; titles have rows of their own far above, because
  // sessions have no number that a VACUUM would leave alone.
  await sql`create virtual table search_index using fts5(
    words, content = '', contentless_delete = 1, tokenize = 'ascii'
  )`.execute(db);
  await sql`create table search_titles (
    seq integer primary key,
    session_id text not null unique references sessions (id) on delete cascade
  )`.execute(db);
  for (const trigger of TRIGGERS) await sql.raw(trigger).execute(db);

  await sql`insert into search_titles (session_id) select id from sessions where title is not null order by updated_at`.execute(
    db,
  );
  await indexMessages(db);
}

/** Batch by batch, so that memory does not grow with the database and signals are heard. */
async function indexMessages(db: Kysely<unknown>): Promise<void> {
  const { rows } = await sql<{ last: number | null }>`select max(seq) as last from messages`.execute(db);
  const last = rows[0]?.last ?? 0;
  for (let after = 0; after < last; after += BATCH) {
    await sql`
      insert into search_index (rowid, words)
      select seq, search_words(content) from messages
      where seq > ${after} and seq <= ${after + BATCH} and ${sql.raw(isIndexed('messages'))}
    `.execute(db);
    await setImmediate();
  }
}

/** System prompts are the same in many sessions; a message that is being written is indexed when it rests. */
function isIndexed(row: string): string {
  return `${row}.role <> 'system' and ${row}.status <> 'streaming'`;
}

const ADD = 'insert into search_index (rowid, words) values (new.seq, search_words(new.content));';
const REMOVE = 'delete from search_index where rowid = old.seq;';

const TRIGGERS: readonly string[] = [
  `create trigger search_message_added after insert on messages when ${isIndexed('new')} begin ${ADD} end`,
  `create trigger search_message_removed after delete on messages when ${isIndexed('old')} begin ${REMOVE} end`,
  // A checkpoint of an answer is streaming before and after: it touches nothing.
  `create trigger search_message_reopened after update of content, role, status on messages
   when ${isIndexed('old')} and not (${isIndexed('new')}) begin ${REMOVE} end`,
  `create trigger search_message_rests after update of content, role, status on messages
   when ${isIndexed('new')} and not (${isIndexed('old')}) begin ${ADD} end`,
  `create trigger search_message_changed after update of content on messages
   when ${isIndexed('new')} and ${isIndexed('old')} and new.content is not old.content begin ${REMOVE} ${ADD} end`,

  `create trigger search_title_added after insert on search_titles begin
     insert into search_index (rowid, words)
     select new.seq + ${FIRST_TITLE}, search_words(title) from sessions where id = new.session_id;
   end`,
  `create trigger search_title_removed after delete on search_titles begin
     delete from search_index where rowid = old.seq + ${FIRST_TITLE};
   end`,
  `create trigger search_session_added after insert on sessions when new.title is not null begin
     insert into search_titles (session_id) values (new.id);
   end`,
  `create trigger search_session_titled after update of title on sessions when new.title is not old.title begin
     delete from search_titles where session_id = new.id;
     insert into search_titles (session_id) select new.id where new.title is not null;
   end`,
];
