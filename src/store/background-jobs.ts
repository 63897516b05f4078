// Background job rows: what is to be written about a session, so that a restart finds it.
import { sql } from 'kysely';
import type { Database, Db } from './database.ts';

export type JobKind = Database['background_jobs']['kind'];

/** A job at the version with which its work began. */
export interface Job {
  readonly sessionId: string;
  readonly kind: JobKind;
  readonly version: number;
}

export interface WaitingJob extends Job {
  readonly attempts: number;
  /** That of the session. */
  readonly model: string;
}

type JobName = Omit<Job, 'version'>;

/** The session has changed: whatever was wanted before, its newest state is wanted now. */
export async function wantJob(db: Db, { sessionId, kind }: JobName, now: number): Promise<void> {
  await db
    .insertInto('background_jobs')
    .values({ session_id: sessionId, kind, version: 1, wanted: 1, done: 0, attempts: 0, due_at: now })
    .onConflict((conflict) =>
      conflict.columns(['session_id', 'kind']).doUpdateSet({
        version: sql`background_jobs.version + 1`,
        wanted: sql`background_jobs.version + 1`,
        attempts: 0,
        due_at: now,
      }),
    )
    .execute();
}

/** Wanted once in the life of a session: nothing happens when it was wanted, done or settled before. */
export async function wantJobOnce(db: Db, { sessionId, kind }: JobName, now: number): Promise<void> {
  await db
    .insertInto('background_jobs')
    .values({ session_id: sessionId, kind, version: 1, wanted: 1, done: 0, attempts: 0, due_at: now })
    .onConflict((conflict) => conflict.columns(['session_id', 'kind']).doNothing())
    .execute();
}

/** Work begins now, wanted or not. @returns its version, newer than any before */
export async function beginJob(db: Db, { sessionId, kind }: JobName): Promise<number> {
  const row = await db
    .insertInto('background_jobs')
    .values({ session_id: sessionId, kind, version: 1, wanted: 0, done: 0, attempts: 0, due_at: 0 })
    .onConflict((conflict) =>
      conflict.columns(['session_id', 'kind']).doUpdateSet({ version: sql`background_jobs.version + 1` }),
    )
    .returning('version')
    .executeTakeFirstOrThrow();
  return row.version;
}

/** Somebody else has decided: work that is under way comes too late, and none is wanted. */
export async function settleJob(db: Db, name: JobName): Promise<void> {
  const version = await beginJob(db, name);
  await completeJob(db, { ...name, version });
}

/** @returns false when a newer result is there, or the session is gone: this one must not be stored */
export async function completeJob(db: Db, { sessionId, kind, version }: Job): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('background_jobs')
    .set({ done: version })
    .where('session_id', '=', sessionId)
    .where('kind', '=', kind)
    .where('done', '<', version)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** It failed: tried again after all others, unless the session has changed since. @param now milliseconds since the epoch */
export async function postponeJob(db: Db, job: Job, now: number): Promise<void> {
  await db
    .updateTable('background_jobs')
    .set({ attempts: sql`attempts + 1`, due_at: now })
    .where('session_id', '=', job.sessionId)
    .where('kind', '=', job.kind)
    .where('wanted', '<=', job.version)
    .execute();
}

/** As if it had never been wanted. */
export async function forgetJob(db: Db, { sessionId, kind }: JobName): Promise<void> {
  await db
    .deleteFrom('background_jobs')
    .where('session_id', '=', sessionId)
    .where('kind', '=', kind)
    .execute();
}

/**
 * The job that has waited longest; its version is the newest. One step into an index.
 * @param resting models whose sessions are passed over
 */
export async function findNextJob(
  db: Db,
  kinds: readonly JobKind[],
  resting: readonly string[],
): Promise<WaitingJob | null> {
  let query = db
    .selectFrom('background_jobs')
    .innerJoin('sessions', 'sessions.id', 'background_jobs.session_id')
    .select(['session_id', 'background_jobs.kind', 'version', 'attempts', 'sessions.model'])
    .where(sql<boolean>`wanted > done`)
    .where('background_jobs.kind', 'in', kinds)
    .orderBy('due_at')
    .orderBy('background_jobs.kind', 'desc')
    .limit(1);
  if (resting.length > 0) query = query.where('sessions.model', 'not in', resting);
  const row = await query.executeTakeFirst();
  if (row === undefined) return null;
  const { session_id: sessionId, ...job } = row;
  return { sessionId, ...job };
}
