// The line of a session where several servers share its database: one turn runs, those that wait go in their order,
// whichever instance they are with.
import { sql } from 'kysely';
import type { TurnState } from '../contract/turn.ts';
import type { Db } from './database.ts';
import { instanceOf } from './tenure.ts';

export interface LinedTurn {
  readonly id: string;
  readonly state: TurnState;
  readonly rank: number;
  readonly isMine: boolean;
}

/** The turns of a session without an end, in the order in which they go; null: no other server shares the database. */
export async function readSharedLine(db: Db, sessionId: string): Promise<LinedTurn[] | null> {
  const me = instanceOf(db);
  if (me === null) return null;
  const rows = await db
    .selectFrom('turns')
    .select(['id', 'state', 'rank', 'owner'])
    .where('session_id', '=', sessionId)
    .where('finished_at', 'is', null)
    .orderBy(sql`state = 'queued'`)
    .orderBy('rank', 'desc')
    .orderBy('seq')
    .execute();
  return rows.map(({ id, state, rank, owner }) => ({ id, state, rank, isMine: owner === me }));
}

interface Before {
  /** Turns that go before it. */
  readonly before: number;
  /** Whether it may not begin: one runs, or waits for a person, or is before it with another server. */
  readonly isBlocked: boolean;
}

const NOBODY: Before = { before: 0, isBlocked: false };

/** Of a turn that waits or has ended in line; nobody is before it where no other server shares the database. */
export async function readBefore(
  db: Db,
  { sessionId, turnId }: { readonly sessionId: string; readonly turnId: string },
): Promise<Before> {
  const me = instanceOf(db);
  if (me === null) return NOBODY;
  const { rows } = await sql<{ before: number; blocking: number }>`
    select count(*) as before,
      count(*) filter (where other.state <> 'queued' or other.owner is distinct from ${me}) as blocking
    from turns as other, turns as own
    where own.id = ${turnId} and other.session_id = ${sessionId}
      and other.finished_at is null and other.id <> own.id
      and (other.state <> 'queued' or other.rank > own.rank or (other.rank = own.rank and other.seq < own.seq))
  `.execute(db);
  const [{ before, blocking } = { before: 0, blocking: 0 }] = rows;
  return { before, isBlocked: blocking > 0 };
}

/** Those that wait in line here are nobody's from now on, where another server lives. @returns which */
export async function handOverQueued(db: Db): Promise<string[]> {
  const me = instanceOf(db);
  if (me === null) return [];
  await sql`update instances set state = 'draining' where id = ${me}`.execute(db);
  const { rows } = await sql<{ id: string }>`update turns set owner = null
    where owner = ${me} and state = 'queued' and finished_at is null
      and exists (select 1 from instances where id <> ${me} and state = 'up' and lease_until > now())
    returning id`.execute(db);
  return rows.map(({ id }) => id);
}

/** The channel on which instances tell each other that a line has moved. */
export const LINE_CHANNEL = 'mochi_line';

/** Others may be next. */
export async function tellLineMoved(db: Db, sessionId: string): Promise<void> {
  const me = instanceOf(db);
  if (me === null) return;
  await sql`select pg_notify(${LINE_CHANNEL}, ${sessionId}) where exists (
    select 1 from turns where session_id = ${sessionId} and finished_at is null and owner <> ${me})`.execute(
    db,
  );
}
