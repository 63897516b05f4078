// How many approvals nobody has decided, read beside whoever writes to the database.
import type { StorePlace } from './command-store.ts';
import { readRows } from './open-reader.ts';

/** 0 where the database cannot be read like this. */
export async function countPendingApprovals(place: StorePlace): Promise<number> {
  const [row] = await readRows<{ count: number }>(
    place,
    `select count(*) as count from approvals join sessions on sessions.id = approvals.session_id
     where approvals.state = 'pending'`,
  );
  return row?.count ?? 0;
}
