// Servers on one database that ask one engine: what the operator says that it answers at once, they send together.
import { SharedSlots } from '../chat/line/shared-slots.ts';
import type { Config } from '../config.ts';
import type { Log } from '../kit/log.ts';
import type { Db } from '../store/database.ts';
import { instanceOf } from '../store/tenure.ts';
import { placeOf } from './share-windows.ts';

/** Null: no other server shares the database, or nobody has said how much the engine answers at once. */
export function shareSlots(
  db: Db,
  { ollamaHost, engineParallel: limit }: Pick<Config, 'ollamaHost' | 'engineParallel'>,
  log: Log,
): SharedSlots | null {
  const owner = instanceOf(db);
  if (owner === null || limit === null) return null;
  return new SharedSlots({
    db,
    log,
    engine: placeOf(ollamaHost),
    limit,
    owner,
    clock: () => performance.now(),
  });
}
