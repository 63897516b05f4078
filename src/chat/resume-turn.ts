// A turn that waits for a person, and that another process began: made from its rows, it goes on where it was.
import { requireSession } from '../sessions/require.ts';
import { findMessage } from '../store/messages.ts';
import { listCallsOfTurn } from '../store/tool-calls.ts';
import type { WaitingTurn } from '../store/waiting-turns.ts';
import { createChatScript } from './chat-script.ts';
import { recallModel } from './check-request.ts';
import type { TurnPlan } from './run-turn.ts';
import { shownApprovals } from './step/shown-approvals.ts';
import type { RunningTurn, Seat } from './step/turn-progress.ts';
import { readTurnSettings, toResumedRequest } from './step/turn-settings.ts';
import type { TurnDeps } from './turn-deps.ts';
import { emptyFold, type FoldedTurn } from './watch/fold-turn.ts';
import type { LiveTurn } from './watch/live-turn.ts';
import { toSnapshotCalls, toSnapshotMessage } from './watch/replay-turn.ts';

/** @throws MochiError session_not_found, session_load_error */
export async function resumeTurn(
  deps: TurnDeps,
  { turn: row, settings: stored }: WaitingTurn,
  { live, seat }: { readonly live: LiveTurn; readonly seat: Seat },
): Promise<{ readonly turn: RunningTurn; readonly plan: TurnPlan }> {
  const { sessionId } = live;
  const settings = readTurnSettings(stored);
  const now = await requireSession(deps.db, sessionId);
  const session = { ...now, model: settings?.model ?? now.model };
  const { headId, headDepth } = session;
  if (headId === null || row.message_id === null) throw new Error('A waiting turn has calls on the path.');
  return {
    turn: {
      live,
      session,
      model: await recallModel(deps, session.model),
      request: toResumedRequest(settings),
      tip: { id: headId, depth: headDepth },
      ownsTip: false,
      headBefore: null,
      seat,
      person: { sessionId },
    },
    plan: {
      script: createChatScript,
      openRound: { messageId: row.message_id, settings, receipt: row.context },
    },
  };
}

/** What somebody knows who has watched it until now. */
export async function foldWaiting(deps: TurnDeps, waiting: WaitingTurn): Promise<FoldedTurn> {
  const { turn, userMessageId } = waiting;
  const { session_id: sessionId, turn_id: turnId, message_id: messageId } = turn;
  const message = messageId === null ? null : await findMessage(deps.db, sessionId, messageId);
  const calls = toSnapshotCalls(await listCallsOfTurn(deps.db, sessionId, turnId));
  const firstOpen = calls.findIndex(({ success }) => success === null);
  const pending = (await deps.approvals.ofTurn(deps.db, turnId)).filter(({ state }) => state === 'pending');
  return {
    ...emptyFold(),
    state: 'waiting',
    userMessageId,
    context: turn.context,
    message: message && toSnapshotMessage(message),
    // Those that were told: the one that is waited for is the last.
    toolCalls: firstOpen === -1 ? calls : calls.slice(0, firstOpen + 1),
    approvals: shownApprovals(pending),
  };
}
