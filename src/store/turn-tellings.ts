// What turns took and were sent, of several at once.
import type { ContextReceipt } from '../contract/context-window.ts';
import type { TurnUsage } from '../contract/turn.ts';
import type { Db } from './database.ts';
import { toTurn, turnQuery } from './turns.ts';

export interface TurnTelling {
  readonly usage: TurnUsage | null;
  readonly context: ContextReceipt | null;
  readonly [field: string]: unknown;
}

/** By their ids. */
export async function describeTurns(db: Db, turnIds: readonly string[]): Promise<Map<string, TurnTelling>> {
  if (turnIds.length === 0) return new Map();
  const rows = await turnQuery(db).where('turns.id', 'in', turnIds).execute();
  return new Map(
    rows.map((row) => {
      const { turn_id: id, usage, context } = toTurn(row);
      return [id, { usage, context }];
    }),
  );
}
