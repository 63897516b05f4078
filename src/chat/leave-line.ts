// A server that stops, and shares its database with others: what waits in line here is begun by another one.
import type { Db } from '../store/database.ts';
import { handOverQueued } from '../store/shared-line.ts';
import type { TurnRegistry } from './watch/turn-registry.ts';

/** Never throws: what is not handed over is closed, or taken when the lease is over. */
export async function leaveLine(db: Db, registry: TurnRegistry): Promise<void> {
  const handed = await handOverQueued(db).catch(() => []);
  for (const turnId of handed) registry.find(turnId)?.lose();
}
