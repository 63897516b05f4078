// Durable first: a request is on disk before anybody hears of its turn.

import type { EngineModel } from '../contract/engine.ts';
import { requireHeadedSession, requireSession } from '../sessions/require.ts';
import type { Db } from '../store/database.ts';
import { changeSessionEarly } from '../store/lock-session.ts';
import type { HeadedSession } from '../store/session-head.ts';
import { newTenure } from '../store/tenure.ts';
import { type IdempotencyMark, insertTurn, markTurnRunning, type QueuedMessage } from '../store/turns.ts';
import { acceptUnchanged } from './accept-unchanged.ts';
import { toAskedSettings } from './asked-settings.ts';
import { type Beginning, beginTurn } from './begin-turn.ts';
import { refuseRepeated } from './idempotency.ts';
import { joinSharedLine } from './join-shared-line.ts';
import type { Place } from './line/place.ts';
import { createAgentChat, refreshAgentChat } from './open-agent-chat.ts';
import { closeLeftTurns } from './recover-turns.ts';
import { type RunOrigin, toNewRun } from './run-origin.ts';
import type { TurnDeps } from './turn-deps.ts';
import type { TurnRequest } from './turn-request.ts';
import type { LiveTurn } from './watch/live-turn.ts';

/** What is to become a turn. */
export interface AskedTurn {
  readonly sessionId: string;
  readonly request: TurnRequest;
  /** @throws MochiError for what is known before */
  readonly check: () => Promise<{
    readonly model: EngineModel | null;
    readonly run: RunOrigin | null;
    /** When the newest turn of the session was accepted; null: it has none. */
    readonly newestTurnAt: string | null;
    /** As it is known to be meant; missing: as it is. */
    readonly request?: TurnRequest;
    /** The session with the end of its path, as it was read; null: it was read without. */
    readonly seen?: HeadedSession | null;
  }>;
}

export interface AcceptedTurn {
  /** Null while the turn waits in line. */
  readonly beginning: Beginning | null;
  readonly userMessageId: string | null;
}

interface Acceptance extends AcceptedTurn {
  /** Resolves when it is on the disk. */
  readonly durable: Promise<void>;
}

/**
 * One commit, which is not durable yet: the turn can be planned meanwhile. A turn that may run has its message on the path, one that
 * waits keeps it in its row. @throws Repeated
 */
export async function acceptTurn(
  deps: Pick<TurnDeps, 'db' | 'newId' | 'now'>,
  turn: {
    readonly live: LiveTurn;
    readonly createdAt: string;
    readonly request: TurnRequest;
    readonly message: QueuedMessage | null;
    readonly place: Place;
    /** Turns of the session that live at the moment: no end of theirs is missing. One behind this may be stored before it. */
    readonly living: () => readonly string[];
    readonly idempotency: IdempotencyMark | null;
    /** Null: no agent works in it. */
    readonly run: RunOrigin | null;
    /** As `AskedTurn` has it. */
    readonly seen?: HeadedSession | null;
    /** In the same transaction. */
    readonly alongside?: (db: Db) => Promise<void>;
  },
): Promise<Acceptance> {
  const { message, place, request, createdAt, idempotency, run } = turn;
  const { sessionId, turnId } = turn.live;
  const isStructured = request.format !== null;
  const newRun = run && toNewRun(run);
  turn.live.tenure = newTenure(deps.db);
  const owned = ownedBy(turn.live, request);
  const row = { id: turnId, sessionId, createdAt, idempotency, isStructured, run: newRun, owned };
  if (place.isReady && run === null && turn.alongside === undefined) {
    const { seen = null } = turn;
    // Whoever comes between changes the session. Where nobody can, those behind it must not overtake it here.
    if (turn.live.tenure !== null) await refuseRepeated(deps.db, sessionId, idempotency);
    const beginning = await acceptUnchanged(deps.db, { seen, request, message, row });
    if (beginning !== null)
      return { beginning, userMessageId: beginning.userMessageId, durable: Promise.resolve() };
  }
  // Which of many it will be, or whether it is there already, is known when its place has come.
  const promised = message?.placed === undefined ? (message?.messageId ?? null) : null;
  let before: number | null = null;
  const { result, durable } = await changeSessionEarly(
    deps.db,
    sessionId,
    async (transaction): Promise<AcceptedTurn> => {
      await refuseRepeated(transaction, run?.isNew ? null : sessionId, idempotency);
      await turn.alongside?.(transaction);
      if (run?.isNew) {
        const parentSessionId = run.parent?.sessionId ?? null;
        // It begins with its turn, however long the database was waited for.
        const begun = { ...deps, db: transaction, now: () => createdAt };
        await createAgentChat(begun, { ...run, chatId: sessionId, parentSessionId });
      }
      const shared = await joinSharedLine(transaction, turn);
      if (shared.isBehind) ({ before } = shared);
      if (shared.isBehind || !place.isReady) {
        await requireSession(transaction, sessionId);
        const queued = { ...row, owned: owned && { ...owned, rank: shared.rank } };
        await insertTurn(transaction, {
          ...queued,
          state: 'queued',
          request: message,
          userMessageId: promised,
        });
        return { beginning: null, userMessageId: promised };
      }
      const found = await requireHeadedSession(transaction, sessionId);
      const hasLeft = found.session.active_turn !== null;
      if (hasLeft) await closeLeftTurns({ ...deps, db: transaction }, sessionId, turn.living());
      if (run !== null) await refreshAgentChat({ ...deps, db: transaction }, { ...run, chatId: sessionId });
      // Before its message, whose words come into the search index with those of its answer.
      await insertTurn(transaction, { ...row, state: 'running', request: null, userMessageId: promised });
      const beginning = await beginTurn(
        { ...deps, db: transaction },
        {
          sessionId,
          turnId,
          request,
          message,
          isPromised: false,
        },
        hasLeft || run !== null ? null : found,
      );
      const { userMessageId } = beginning;
      if (userMessageId !== promised) await markTurnRunning(transaction, turnId, userMessageId);
      return { beginning, userMessageId };
    },
  );
  if (before !== null) place.stepAside(before);
  return { ...result, durable };
}

/** What others need of it to go on with it; null: there are none. */
function ownedBy({ tenure }: LiveTurn, request: TurnRequest) {
  return tenure === null ? null : { owner: tenure.owner, rank: 0, settings: toAskedSettings(request) };
}
