// PostgreSQL: who has a call with an engine, and who waits for one. Unlogged: nobody waits for the disk before a model is
// asked, and after a crash of the database each server says again what it has.
import { type Kysely, sql } from 'kysely';
import { dialectOf } from '../dialect/dialect-of.ts';

export async function m019EngineSlots(db: Kysely<unknown>): Promise<void> {
  if (dialectOf(db).name !== 'postgres') return;
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS: readonly string[] = [
  // A slot is one row, so that no two have it.
  `create unlogged table engine_slots (
     line text collate "C" not null,
     slot bigint not null,
     owner text collate "C" not null references instances (id) on delete cascade,
     -- Given up for whoever waits.
     is_spare boolean not null,
     primary key (line, slot)
   )`,
  'create index engine_slots_owned on engine_slots (owner)',
  // One row for each server, of the call that it has kept waiting longest.
  `create unlogged table engine_waiters (
     line text collate "C" not null,
     owner text collate "C" not null references instances (id) on delete cascade,
     since timestamptz not null,
     seen_at timestamptz not null,
     primary key (line, owner)
   )`,
  'create index engine_waiters_owned on engine_waiters (owner)',
  // Nothing came to use it.
  'drop index turns_at_engine',
  'alter table turns drop column engine',
];
