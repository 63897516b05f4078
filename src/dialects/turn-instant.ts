// When a turn was accepted.
import type { DialectDeps } from './dialect.ts';
import type { PlacedTurn } from './place.ts';

/** Milliseconds since the epoch; of a turn that is stored nowhere: now. */
export async function createdAtOf(
  { turns, now }: Pick<DialectDeps, 'turns' | 'now'>,
  { turn, isStored }: PlacedTurn,
): Promise<number> {
  return Date.parse(isStored ? (await turns.describe(turn.turnId)).created_at : now());
}
