// Turns that another server on the database drives: who that is, how it is asked to stop one, and what lets its watchers in.
import { sql } from 'kysely';
import { randomHex } from '../kit/ids.ts';
import type { Db } from './database.ts';
import { dialectOf } from './dialect/dialect-of.ts';
import { readMeta } from './meta.ts';
import { instanceOf } from './tenure.ts';

export interface TurnOwner {
  readonly id: string;
  /** The machine it runs on. */
  readonly host: string;
  /** Where others reach it; null: nowhere. */
  readonly url: string | null;
  /** Of what instances say to each other. */
  readonly protocol: number;
}

/** Of a turn without an end; null: it is this server's, nobody's, or nobody else shares the database. */
export async function findOtherOwner(db: Db, turnId: string): Promise<TurnOwner | null> {
  const me = instanceOf(db);
  if (me === null) return null;
  const row = await db
    .selectFrom('turns')
    .innerJoin('instances', 'instances.id', 'turns.owner')
    .select(['instances.id', 'host', 'url', 'protocol'])
    .where('turns.id', '=', turnId)
    .where('finished_at', 'is', null)
    .where('instances.id', '!=', me)
    .executeTakeFirst();
  return row ?? null;
}

/** Where others reach it from now on. */
export async function nameAddress(db: Db, id: string, url: string): Promise<void> {
  await db.updateTable('instances').set({ url }).where('id', '=', id).execute();
}

/** The channel on which an instance is told that one of its turns is wanted cancelled. */
export const CANCEL_CHANNEL = 'mochi_cancel';

export type CancelReason = 'cancelled' | 'deleted' | 'interrupt';

/** It stays said until its owner has heard of it: notices can be missed. */
export async function wantCancelled(db: Db, turnId: string, reason: CancelReason): Promise<void> {
  if (instanceOf(db) === null) return;
  await sql`
    with wanted as (
      update turns set cancel_at = coalesce(cancel_at, now()), cancel_reason = coalesce(cancel_reason, ${reason})
      where id = ${turnId} and finished_at is null returning id
    )
    select pg_notify(${CANCEL_CHANNEL}, id) from wanted
  `.execute(db);
}

export interface WantedCancelled {
  readonly turnId: string;
  readonly sessionId: string;
  readonly reason: CancelReason;
}

/** Of this server's own turns. */
export async function listWantedCancelled(db: Db): Promise<WantedCancelled[]> {
  const me = instanceOf(db);
  if (me === null) return [];
  const rows = await db
    .selectFrom('turns')
    .select(['id', 'session_id', 'cancel_reason'])
    .where('owner', '=', me)
    .where('finished_at', 'is', null)
    .where('cancel_at', 'is not', null)
    .execute();
  return rows.map(({ id, session_id: sessionId, cancel_reason: reason }) => ({
    turnId: id,
    sessionId,
    reason: reason as CancelReason,
  }));
}

/** Those of this server that have no end. */
export async function listOwnTurns(db: Db): Promise<string[]> {
  const me = instanceOf(db);
  if (me === null) return [];
  const rows = await db
    .selectFrom('turns')
    .select('id')
    .where('owner', '=', me)
    .where('finished_at', 'is', null)
    .execute();
  return rows.map(({ id }) => id);
}

/** Those of them that have no end. */
export async function listUnended(db: Db, turnIds: readonly string[]): Promise<string[]> {
  const rows = await db
    .selectFrom('turns')
    .select('id')
    .where(dialectOf(db).isAmong('id', turnIds))
    .where('finished_at', 'is', null)
    .execute();
  return rows.map(({ id }) => id);
}

const SECRET = 'cluster_secret';

/** What instances show each other: whoever can read the database could read the turns as well. */
export async function readClusterSecret(db: Db): Promise<string> {
  await db
    .insertInto('meta')
    .values({ key: SECRET, value: randomHex(64) })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const secret = await readMeta(db, SECRET);
  if (secret === null) throw new Error('The secret that instances share is gone again.');
  return secret;
}
