// The servers that share a database of PostgreSQL: each has a lease that it renews; whose lease is over, or who leaves,
// has its turns taken by another.
import { sql } from 'kysely';
import type { Db } from './database.ts';
import { DATABASE_CLOCK } from './database-clock.ts';
import { MIN_VERSION_KEY } from './min-version.ts';
import type { Tenure } from './tenure.ts';

export interface Instance {
  readonly id: string;
  readonly host: string;
  /** Where others reach it; null: nowhere. */
  readonly url: string | null;
  readonly version: string;
  readonly protocol: number;
}

const until = (leaseMs: number) => sql<Date>`now() + ${leaseMs} * interval '1 millisecond'`;

export async function enterInstance(db: Db, instance: Instance, leaseMs: number): Promise<void> {
  await db
    .insertInto('instances')
    .values({ ...instance, state: 'up', lease_until: until(leaseMs) })
    .execute();
}

export interface Renewed {
  /** How many others live. */
  readonly others: number;
  /** From which version on the database may be used; null: it says nothing. */
  readonly minVersion: string | null;
  /** By the clock of the database. */
  readonly instant: number;
}

/** @returns null: it is not there any more, since others have taken what it had */
export async function renewLease(db: Db, id: string, leaseMs: number): Promise<Renewed | null> {
  const row = await db
    .updateTable('instances')
    .set({ lease_until: until(leaseMs) })
    .where('id', '=', id)
    .returning([
      sql<number>`(select count(*) from instances as other where other.id <> ${id} and other.lease_until > now())`.as(
        'others',
      ),
      sql<string | null>`(select value from meta where key = ${MIN_VERSION_KEY})`.as('minVersion'),
      DATABASE_CLOCK.as('instant'),
    ])
    .executeTakeFirst();
  return row ?? null;
}

/** What it has left is nobody's from now on. */
export async function leaveInstance(db: Db, id: string): Promise<void> {
  await db.transaction().execute(async (transaction) => {
    await transaction.updateTable('turns').set({ owner: null }).where('owner', '=', id).execute();
    await transaction.deleteFrom('instances').where('id', '=', id).execute();
  });
}

/** A key of an advisory lock: one looks for turns that were left at a time. */
const TAKING = 0x6d6f_6368;

export interface TakenTurn {
  readonly turnId: string;
  readonly tenure: Tenure;
}

export interface KnownToBeLeft {
  /** Instances that are gone, whatever their lease says. */
  readonly gone?: readonly string[];
  /** Turns of its own that it does not drive. */
  readonly undriven?: readonly string[];
}

/**
 * Takes every turn whose owner is gone, all of one owner or none, those that are nobody's, and those that are known.
 * @returns none where another one is at it at this moment, or this one is stopping
 */
export async function takeLeftTurns(
  db: Db,
  me: string,
  { gone = [], undriven = [] }: KnownToBeLeft,
): Promise<TakenTurn[]> {
  return db.transaction().execute(async (transaction) => {
    // One that is stopping has handed over what waits with it, and takes nothing back.
    const { rows: locked } = await sql<{ is_mine: boolean }>`
      select pg_try_advisory_xact_lock(${TAKING}) as is_mine from instances
      where id = ${me} and state = 'up' for share`.execute(transaction);
    if (locked[0]?.is_mine !== true) return [];
    const { rows: dead } = await sql<{ id: string }>`
      select id from instances where id <> ${me} and (lease_until < now() or id = any(${gone}))
      for update skip locked`.execute(transaction);
    const ids = dead.map(({ id }) => id);
    const { rows } = await sql<{ id: string; epoch: number }>`
      update turns set owner = ${me}, epoch = epoch + 1
      where id in (
        select id from turns
        where (owner = any(${ids}) or (owner is null and finished_at is null
          and exists (select 1 from sessions where sessions.id = turns.session_id))
          or (owner = ${me} and id = any(${undriven})))
        for update
      )
      returning id, epoch`.execute(transaction);
    if (ids.length > 0) await sql`delete from instances where id = any(${ids})`.execute(transaction);
    return rows.map(({ id, epoch }) => ({ turnId: id, tenure: { owner: me, epoch } }));
  });
}

/** With the number of an instance, of a lock that its connection holds for as long as it is there. */
const PRESENCE = 0x6d6f_6368;

/** What the connection of an instance says of it that stays open beside the pool. */
export function presenceOf(id: string): string {
  return `select pg_try_advisory_lock(${PRESENCE}, hashtext('${id}'))`;
}

/** Others on this machine whose connection is gone: an earlier run of this server that was killed. */
export async function listGoneNeighbours(db: Db, { id, host }: Instance): Promise<string[]> {
  const rows = await db
    .selectFrom('instances')
    .select(['id', sql<boolean>`pg_try_advisory_xact_lock(${PRESENCE}, hashtext(id))`.as('is_gone')])
    .where('host', '=', host)
    .where('id', '!=', id)
    .execute();
  return rows.filter((row) => row.is_gone).map((row) => row.id);
}
