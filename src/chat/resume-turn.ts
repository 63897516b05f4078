// A turn that waits for a person, and that another process began: made from its rows, it goes on where it was.
import { requireSession } from '../sessions/require.ts';
import { findMessage } from '../store/messages.ts';
import { listCallsOfTurn } from '../store/settled-calls.ts';
import { changeTurn } from '../store/tenure.ts';
import { noteLastEvent } from '../store/turns.ts';
import { listUndecided } from '../store/undecided.ts';
import type { WaitingTurn } from '../store/waiting-turns.ts';
import { recallModel } from './check-request.ts';
import { EVENT_GAP } from './recover-turns.ts';
import type { OpenRound } from './run-turn.ts';
import { shownApprovals } from './step/shown-approvals.ts';
import type { RunningTurn, Seat } from './step/turn-progress.ts';
import { readTurnSettings, toResumedRequest } from './step/turn-settings.ts';
import type { TurnDeps } from './turn-deps.ts';
import { emptyFold, type FoldedTurn } from './watch/fold-turn.ts';
import { LiveTurn } from './watch/live-turn.ts';
import { toSnapshotCalls, toSnapshotMessage } from './watch/replay-turn.ts';

/** In memory again, as those see it who come to watch. */
export async function openLeftTurn(deps: TurnDeps, waiting: WaitingTurn): Promise<LiveTurn> {
  const { turn_id: turnId, session_id: sessionId, created_at: createdAt, last_event_id } = waiting.turn;
  // Beyond all that was told since the last one was noted.
  const lastEventId = last_event_id + EVENT_GAP;
  const { tenure } = waiting;
  await changeTurn(deps.db, { turnId, sessionId, tenure }, (db) => noteLastEvent(db, turnId, lastEventId));
  const start = { lastEventId, fold: await foldWaiting(deps, waiting) };
  const live = new LiveTurn({ turnId, sessionId, createdAt, start });
  live.tenure = tenure;
  live.isWaiting = true;
  return live;
}

/** @throws MochiError session_not_found, session_load_error */
export async function resumeTurn(
  deps: TurnDeps,
  { turn: row, settings: stored }: WaitingTurn,
  { live, seat }: { readonly live: LiveTurn; readonly seat: Seat },
): Promise<{ readonly turn: RunningTurn; readonly openRound: OpenRound }> {
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
      parent: null,
      runAgent: null,
    },
    openRound: { messageId: row.message_id, settings, receipt: row.context },
  };
}

/** What somebody knows who has watched it until now. */
async function foldWaiting(deps: TurnDeps, waiting: WaitingTurn): Promise<FoldedTurn> {
  const { turn, userMessageId } = waiting;
  const { session_id: sessionId, turn_id: turnId, message_id: messageId } = turn;
  const message = messageId === null ? null : await findMessage(deps.db, sessionId, messageId);
  const calls = toSnapshotCalls(await listCallsOfTurn(deps.db, sessionId, turnId));
  const firstOpen = calls.findIndex(({ success }) => success === null);
  const pending = (await listUndecided(deps.db, [turnId])).get(turnId) ?? [];
  return {
    ...emptyFold(),
    sessionId,
    state: 'waiting',
    userMessageId,
    context: turn.context,
    message: message && toSnapshotMessage(message),
    // Those that were told: the one that is waited for is the last.
    toolCalls: firstOpen === -1 ? calls : calls.slice(0, firstOpen + 1),
    approvals: shownApprovals(pending),
  };
}
