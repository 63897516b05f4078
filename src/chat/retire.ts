// A server that is too old for its database by now: it takes nothing new, hands over what waits in line, and ends what has
// begun.
import type { MochiError } from '../contract/errors.ts';
import type { Intake } from './intake.ts';
import { leaveLine } from './leave-line.ts';
import type { TurnHouse } from './turn-house.ts';

/** Never throws. @returns whether it has not been said before */
export async function retire(
  { deps, registry }: Pick<TurnHouse, 'deps' | 'registry'>,
  intake: Intake,
  why: MochiError,
): Promise<boolean> {
  const isNew = intake.close(why);
  // No work in the background begins any more.
  if (isNew) deps.background.hold();
  await leaveLine(deps.db, registry);
  return isNew;
}
