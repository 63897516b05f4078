// What turns wait for: their own questions to people, and those of the runs that they have started.
import type { Approval } from '../contract/approval.ts';
import { toStored } from './approvals.ts';
import type { Db } from './database.ts';
import { dialectOf } from './dialect/dialect-of.ts';

/** What people have to decide for some turns, and for the runs that these have started: by turn, the oldest first. */
export async function listUndecided(
  db: Db,
  turnIds: readonly string[],
): Promise<ReadonlyMap<string, Approval[]>> {
  if (turnIds.length === 0) return new Map();
  const rows = await db
    .selectFrom('turns')
    .select(['id', 'parent_turn_id'])
    .where(dialectOf(db).isAmong('parent_turn_id', turnIds))
    .execute();
  const parents = new Map(rows.map(({ id, parent_turn_id: parent }) => [id, parent ?? id]));
  const pending = await db
    .selectFrom('approvals')
    .selectAll()
    .where('turn_id', 'in', [...turnIds, ...parents.keys()])
    .where('state', '=', 'pending')
    .orderBy('created_at')
    .orderBy('id')
    .execute();
  return Map.groupBy(
    pending.map((row) => toStored(row).approval),
    ({ turn_id: id }) => parents.get(id) ?? id,
  );
}
