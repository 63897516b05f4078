// Durable first: a request is on disk before anybody hears of its turn.

import { requireSession } from '../sessions/require.ts';
import { type IdempotencyMark, insertTurn, type QueuedMessage } from '../store/turns.ts';
import { type Beginning, beginTurn } from './begin-turn.ts';
import type { Place } from './line/turn-lines.ts';
import { closeLeftTurns } from './recover-turns.ts';
import type { TurnDeps } from './turn-deps.ts';
import type { TurnRequest } from './turn-request.ts';
import type { LiveTurn } from './watch/live-turn.ts';

export interface AcceptedTurn {
  /** Null while the turn waits in line. */
  readonly beginning: Beginning | null;
  readonly userMessageId: string | null;
}

/** One commit: a turn that may run has its message on the path, one that waits keeps it in its row. */
export async function acceptTurn(
  deps: TurnDeps,
  turn: {
    readonly live: LiveTurn;
    readonly createdAt: string;
    readonly request: TurnRequest;
    readonly message: QueuedMessage | null;
    readonly place: Place;
    /** Turns of the session that live: no end of theirs is missing. */
    readonly living: readonly string[];
    readonly idempotency: IdempotencyMark | null;
  },
): Promise<AcceptedTurn> {
  const { message, place, request, createdAt, idempotency } = turn;
  const { sessionId, turnId } = turn.live;
  const isStructured = request.format !== null;
  const row = { id: turnId, sessionId, createdAt, idempotency, isStructured };
  return deps.db.transaction().execute(async (transaction) => {
    if (!place.isReady) {
      await requireSession(transaction, sessionId);
      const userMessageId = message?.messageId ?? null;
      await insertTurn(transaction, { ...row, state: 'queued', request: message, userMessageId });
      return { beginning: null, userMessageId };
    }
    await closeLeftTurns({ ...deps, db: transaction }, sessionId, turn.living);
    const beginning = await beginTurn(
      { ...deps, db: transaction },
      {
        sessionId,
        turnId,
        request,
        message,
        isPromised: false,
      },
    );
    const { userMessageId } = beginning;
    await insertTurn(transaction, { ...row, state: 'running', request: null, userMessageId });
    return { beginning, userMessageId };
  });
}
