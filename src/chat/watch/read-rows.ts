// What is known of a turn that another server drives when that one cannot be asked.
import { MochiError } from '../../contract/errors.ts';
import type { Db } from '../../store/database.ts';
import { findOtherOwner } from '../../store/turn-owners.ts';
import { findTurn } from '../../store/turns.ts';
import { listUndecided } from '../../store/undecided.ts';
import { readSnapshot, type StoredTurns } from './replay-turn.ts';
import type { RowReader } from './rows-of-turn.ts';

export function createRowReader(db: Db, stored: StoredTurns): RowReader {
  return {
    async describe(turnId) {
      const turn = await findTurn(db, turnId);
      if (turn !== null) return turn;
      throw new MochiError('turn_not_found', `Turn ${turnId} not found`, { turn_id: turnId });
    },
    async snapshot(turn) {
      const approvals = (await listUndecided(db, [turn.turn_id])).get(turn.turn_id) ?? [];
      return readSnapshot(db, turn, approvals);
    },
    openEnded: (turn) => stored.open(turn),
    ownerOf: async (turnId) => (await findOtherOwner(db, turnId))?.id ?? null,
  };
}
