// SQLite alone: remembers that text was deleted, whoever deletes it, until its last traces are taken out of the file.
import { type Kysely, sql } from 'kysely';
import { dialectOf } from '../dialect/dialect-of.ts';

const MARK = "insert or replace into meta (key, value) values ('erase_due', hex(randomblob(8)));";

const TRIGGERS: readonly string[] = [
  `create trigger erase_message after delete on messages begin ${MARK} end`,
  `create trigger erase_session after delete on session_rows begin ${MARK} end`,
  `create trigger erase_title after update of title on session_rows
   when old.title is not null and new.title is not old.title begin ${MARK} end`,
];

export async function m010EraseDue(db: Kysely<unknown>): Promise<void> {
  if (dialectOf(db).name === 'postgres') return;
  for (const trigger of TRIGGERS) await sql.raw(trigger).execute(db);
}
