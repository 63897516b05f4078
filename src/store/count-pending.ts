// How many approvals nobody has decided, read beside whoever writes to the database.
import { databaseFile } from './database-files.ts';
import { openReadable } from './open-readable.ts';

/** 0 where the database cannot be read like this: the examination of the database says why. */
export function countPendingApprovals(dataDir: string): number {
  try {
    const { driver, close } = openReadable(databaseFile(dataDir));
    try {
      const row = driver
        .prepare<[], { count: number }>(
          `select count(*) as count from approvals join sessions on sessions.id = approvals.session_id
           where approvals.state = 'pending'`,
        )
        .get();
      return row?.count ?? 0;
    } finally {
      close();
    }
  } catch {
    return 0;
  }
}
