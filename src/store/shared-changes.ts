// What this server has changed, told to the others that share its database: several commits at once, and only which
// things are not what they were.
import { type DialectAdapter, sql } from 'kysely';
import type { StoreChange } from './change-notes.ts';
import type { Db } from './database.ts';
import { instanceOf } from './tenure.ts';

export const CHANGES_CHANNEL = 'mochi_changes';

/** How long others wait to be told together of what comes. */
const GATHER_MS = 50;
/** A notice has 8000 bytes at most. */
const MOST_AT_ONCE = 100;
/** How often it is tried: who is cut off from the database begins anew by itself. */
const TRIES = 5;
const PAUSE_MS = 1000;

interface Notice {
  readonly from: string;
  readonly changes: readonly StoreChange[];
}

/** Not told yet, by what all that goes to a database shares. */
const untold = new WeakMap<DialectAdapter, Map<string, StoreChange>>();

/** Never throws. Nobody is told where no other server shares the database. */
export function tellOthers(db: Db, changes: readonly StoreChange[]): void {
  const from = instanceOf(db);
  if (from === null) return;
  const { adapter } = db.getExecutor();
  const gathered = untold.get(adapter) ?? new Map<string, StoreChange>();
  for (const change of changes) gathered.set(`${change.kind} ${change.id}`, change);
  if (untold.has(adapter)) return;
  untold.set(adapter, gathered);
  setTimeout(() => {
    untold.delete(adapter);
    const all = [...gathered.values()];
    for (let start = 0; start < all.length; start += MOST_AT_ONCE) {
      void send(db, { from, changes: all.slice(start, start + MOST_AT_ONCE) }, TRIES);
    }
  }, GATHER_MS).unref();
}

async function send(db: Db, notice: Notice, tries: number): Promise<void> {
  try {
    await sql`select pg_notify(${CHANGES_CHANNEL}, ${JSON.stringify(notice)})`.execute(db);
  } catch {
    if (tries > 1) setTimeout(() => void send(db, notice, tries - 1), PAUSE_MS).unref();
  }
}

/** @returns what another server has changed; nothing: it is our own notice */
export function readOthers(db: Db, payload: string): readonly StoreChange[] {
  // Nobody else writes it.
  const { from, changes } = JSON.parse(payload) as Notice;
  return from === instanceOf(db) ? [] : changes;
}
