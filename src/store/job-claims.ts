// Who is at a job in the background, where several servers share a database: one claims it, the others pass it over.
import { sql } from 'kysely';
import { findNextJob, type JobKind, type WaitingJob } from './background-jobs.ts';
import type { Db } from './database.ts';
import { instanceOf } from './tenure.ts';

/** Longer than any job takes that still runs. A claim ends before that with its instance. */
const CLAIM_MINUTES = 30;

/**
 * The job that has waited longest of those that nobody is at; it is this instance's until it is released.
 * @param resting models whose sessions are passed over
 */
export async function claimNextJob(
  db: Db,
  kinds: readonly JobKind[],
  resting: readonly string[],
): Promise<WaitingJob | null> {
  const me = instanceOf(db);
  if (me === null) return findNextJob(db, kinds, resting);
  const { rows } = await sql<WaitingJob>`
    update background_jobs as claimed
    set claimed_by = ${me}, claimed_until = now() + ${CLAIM_MINUTES} * interval '1 minute'
    from (
      select job.session_id, job.kind, sessions.model
      from background_jobs as job join sessions on sessions.id = job.session_id
      where job.wanted > job.done and job.kind = any(${kinds}::text[]) and sessions.model <> all(${resting}::text[])
        and (job.claimed_until is null or job.claimed_until < now() or job.claimed_by = ${me}
          or not exists (select 1 from instances where id = job.claimed_by collate "C" and lease_until > now()))
      order by job.due_at, job.kind desc
      limit 1
      for update of job skip locked
    ) as next
    where claimed.session_id = next.session_id and claimed.kind = next.kind
    returning claimed.session_id as "sessionId", claimed.kind, claimed.version, claimed.attempts, next.model
  `.execute(db);
  return rows[0] ?? null;
}

/** Anybody may be at it, if it is wanted still. */
export async function releaseJob(
  db: Db,
  { sessionId, kind }: Pick<WaitingJob, 'sessionId' | 'kind'>,
): Promise<void> {
  const me = instanceOf(db);
  if (me === null) return;
  await sql`update background_jobs set claimed_by = null, claimed_until = null
    where session_id = ${sessionId} and kind = ${kind} and claimed_by = ${me}`.execute(db);
}

/** Whether others may leave a job with which they have begun. */
export function sharesJobs(db: Db): boolean {
  return instanceOf(db) !== null;
}
