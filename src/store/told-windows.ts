// The windows with which servers on one database have models loaded, told as notices: what was missed is found again by
// asking the engine.
import { sql } from 'kysely';
import type { Db } from './database.ts';
import { instanceOf } from './tenure.ts';

export const WINDOW_CHANNEL = 'mochi_windows';

export interface ToldWindow {
  /** Where the engine is. */
  readonly engine: string;
  readonly weights: string;
  readonly window: number;
  /** Null: it was not chosen by the ladder. */
  readonly step: number | null;
}

/** Nobody is told where no other server shares the database. */
export async function tellWindow(db: Db, told: ToldWindow): Promise<void> {
  if (instanceOf(db) === null) return;
  await sql`select pg_notify(${WINDOW_CHANNEL}, ${JSON.stringify(told)})`.execute(db);
}
