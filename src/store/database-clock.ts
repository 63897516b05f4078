// The time of a database that several servers share is that of the database: what one of them stores for a while is over
// for all at the same moment, and lists are in the order in which things happened.
import { sql } from 'kysely';
import { followClock } from '../kit/clock.ts';
import type { Db } from './database.ts';

/** What the clock of PostgreSQL shows, in milliseconds since the epoch. */
export const DATABASE_CLOCK = sql<number>`(extract(epoch from clock_timestamp()) * 1000)::float8`;

/** @param from what `performance.now()` said before it was asked */
export function followDatabase(instant: number, from: number): void {
  followClock(instant, { from, until: performance.now() });
}

/** Asks it. */
export async function readDatabaseClock(db: Db): Promise<void> {
  const from = performance.now();
  const { rows } = await sql<{ instant: number }>`select ${DATABASE_CLOCK} as instant`.execute(db);
  for (const { instant } of rows) followDatabase(instant, from);
}
