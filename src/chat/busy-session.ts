// Whether a session is busy, for whoever does not wait until it is free.
import { sessionBusy } from '../store/session-busy.ts';
import { findTurn } from '../store/turns.ts';
import type { TurnHouse } from './turn-house.ts';
import type { TurnsElsewhere } from './turns-elsewhere.ts';

/**
 * A turn that has ended holds its session until the disk has its end, while everybody reads that nothing runs: nobody is
 * refused for that. Resolves when no such turn holds it.
 */
export async function outwaitEnded(
  { deps, lines, registry }: Pick<TurnHouse, 'deps' | 'lines' | 'registry'>,
  sessionId: string,
): Promise<void> {
  const [holder] = lines.turnsOf(sessionId);
  if (holder === undefined) return;
  const turn = await findTurn(deps.db, holder);
  if (turn !== null && turn.finished_at !== null) await registry.ended(holder);
}

/** @throws MochiError session_busy where a turn of another server holds it */
export async function refuseElsewhere(elsewhere: TurnsElsewhere, sessionId: string): Promise<void> {
  const other = await elsewhere.holderOf(sessionId);
  if (other !== null) throw sessionBusy(sessionId, other.id, other.state === 'waiting');
}

/** Whoever goes on at once meets no turn. @throws MochiError session_busy where a turn of this server holds it */
export function refuseHolder(
  { lines, registry }: Pick<TurnHouse, 'lines' | 'registry'>,
  sessionId: string,
): void {
  const [holder] = lines.turnsOf(sessionId);
  if (holder === undefined) return;
  throw sessionBusy(sessionId, holder, registry.find(holder)?.isWaiting === true);
}
