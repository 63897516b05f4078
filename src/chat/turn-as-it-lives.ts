// A turn as it stands: its row, and what memory knows better while it lives.
import { MochiError } from '../contract/errors.ts';
import type { Turn } from '../contract/turn.ts';
import type { Db } from '../store/database.ts';
import { findTurn } from '../store/turns.ts';
import type { TurnRegistry } from './watch/turn-registry.ts';

/** @throws MochiError turn_not_found */
export async function requireTurn(db: Db, registry: TurnRegistry, turnId: string): Promise<Turn> {
  const turn = await findTurn(db, turnId);
  if (turn !== null) return asItLives(registry, turn);
  throw new MochiError('turn_not_found', `Turn ${turnId} not found`, { turn_id: turnId });
}

export function asItLives(registry: TurnRegistry, turn: Turn): Turn {
  const live = registry.find(turn.turn_id);
  if (live === null || turn.finished_at !== null) return turn;
  const { messageId, lastEventId, receipt } = live;
  return { ...turn, message_id: messageId, last_event_id: lastEventId, context: receipt };
}
