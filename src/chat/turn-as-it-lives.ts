// A turn as it stands: its row, and what memory knows better while it lives.
import { MochiError } from '../contract/errors.ts';
import type { Turn } from '../contract/turn.ts';
import type { Db } from '../store/database.ts';
import { findTurn } from '../store/turns.ts';
import type { LiveTurn } from './watch/live-turn.ts';
import type { TurnRegistry } from './watch/turn-registry.ts';

/** @throws MochiError turn_not_found */
export async function requireTurn(db: Db, registry: TurnRegistry, turnId: string): Promise<Turn> {
  const turn = await findTurn(db, turnId);
  if (turn !== null) return asItLives(registry, turn);
  const passing = registry.find(turnId);
  if (passing?.isPassing) return describePassing(passing);
  throw new MochiError('turn_not_found', `Turn ${turnId} not found`, { turn_id: turnId });
}

export function asItLives(registry: TurnRegistry, turn: Turn): Turn {
  const live = registry.find(turn.turn_id);
  if (live === null || turn.finished_at !== null) return turn;
  const { messageId, lastEventId, receipt } = live;
  return { ...turn, message_id: messageId, last_event_id: lastEventId, context: receipt };
}

/** One that is stored nowhere: all that there is to say. */
export function describePassing({
  turnId,
  sessionId,
  createdAt,
  state,
  messageId,
  lastEventId,
  receipt,
}: LiveTurn): Turn {
  return {
    turn_id: turnId,
    session_id: sessionId,
    state,
    created_at: createdAt,
    finished_at: null,
    error: null,
    message_id: messageId,
    finish_reason: null,
    usage: null,
    context: receipt,
    last_event_id: lastEventId,
  };
}
