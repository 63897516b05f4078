// From which version of mochi-server on a database may be used: a newer one may store things that an older one would
// misread, without a change of the schema by which that would be found.
import { VERSION } from '../version.ts';
import type { Db } from './database.ts';
import { readMeta } from './meta.ts';

/**
 * Raised by the release that stores what older ones misread, to the oldest that does not. Every start says so in the
 * database; an older server that runs there then takes nothing new.
 */
const MIN_VERSION = '0.1.0';

/** In `meta`; missing: every version may. */
export const MIN_VERSION_KEY = 'min_version';

/** @param stored what the database says; null: nothing */
export function isTooOld(stored: string | null): boolean {
  return stored !== null && compareVersions(VERSION, stored) < 0;
}

/** Never lowered: whoever else comes up at the same moment may have said more. A migration may say more, too. */
export async function raiseMinVersion(db: Db, version = MIN_VERSION): Promise<void> {
  for (;;) {
    const stored = await readMeta(db, MIN_VERSION_KEY);
    if (compareVersions(stored ?? FIRST_VERSION, version) >= 0) return;
    const { numInsertedOrUpdatedRows: changed = 0n } = await db
      .insertInto('meta')
      .values({ key: MIN_VERSION_KEY, value: version })
      .onConflict((conflict) =>
        conflict
          .column('key')
          .doUpdateSet({ value: version })
          .where('meta.value', '=', stored ?? ''),
      )
      .executeTakeFirst();
    if (changed > 0n) return;
  }
}

/** Databases that say nothing may be used by it. */
const FIRST_VERSION = '0.1.0';

/** As the numbers of the releases: what comes before one is taken for it. What is no version is newer than all. */
function compareVersions(one: string, other: string): number {
  const [left, right] = [numbersOf(one), numbersOf(other)];
  const index = left.findIndex((number, place) => number !== right[place]);
  return (left[index] ?? 0) - (right[index] ?? 0);
}

function numbersOf(version: string): number[] {
  const [, ...numbers] = /^(\d+)\.(\d+)\.(\d+)(?:[-+].*)?$/.exec(version) ?? [];
  return numbers.length === 0 ? [Number.MAX_VALUE, 0, 0] : numbers.map(Number);
}
