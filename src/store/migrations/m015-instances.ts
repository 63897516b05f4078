// Several servers on one database of PostgreSQL: who is there, whose each turn is, and what they share. A database of
// SQLite has one server, which has all of this in memory.
import { type Kysely, sql } from 'kysely';
import { dialectOf } from '../dialect/dialect-of.ts';

export async function m015Instances(db: Kysely<unknown>): Promise<void> {
  if (dialectOf(db).name === 'sqlite') return;
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS: readonly string[] = [
  `create table instances (
     id text collate "C" primary key,
     host text not null,
     url text,
     version text not null,
     protocol bigint not null,
     state text not null,
     started_at timestamptz not null default now(),
     lease_until timestamptz not null
   )`,
  // Null: nobody's. A turn that has ended is nobody's, and one that is whose server is not there cannot be made.
  'alter table turns add column owner text collate "C" references instances (id)',
  // Another one whenever the turn changes hands.
  'alter table turns add column epoch bigint not null default 0',
  // In the line of its session: the higher goes first, whenever it came.
  'alter table turns add column rank bigint not null default 0',
  // Whose model call it has under way.
  'alter table turns add column engine text',
  'alter table turns add column cancel_at timestamptz',
  'alter table turns add column cancel_reason text',
  'create index turns_owned on turns (owner) where owner is not null',
  `create unique index turns_one_running on turns (session_id)
   where state in ('running', 'waiting') and finished_at is null and owner is not null`,
  'create index turns_unplaced on turns (session_id) where request is not null and finished_at is not null',
  'create index turns_at_engine on turns (engine) where engine is not null',
  'alter table background_jobs add column claimed_by text',
  'alter table background_jobs add column claimed_until timestamptz',
];
