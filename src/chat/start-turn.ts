// How a new turn begins, once its place in line has come: at once where it did not wait.
import type { EngineModel } from '../contract/engine.ts';
import { unlessAborted } from '../kit/unless-aborted.ts';
import { readBefore } from '../store/shared-line.ts';
import { changeTurn } from '../store/tenure.ts';
import { markTurnRunning, type QueuedMessage } from '../store/turns.ts';
import { toAgentRun } from './agent-run.ts';
import { createAgentScript } from './agent-script.ts';
import { type Beginning, beginTurn } from './begin-turn.ts';
import { createChatScript } from './chat-script.ts';
import { recallModel } from './check-request.ts';
import { untilPlace } from './drive-turn.ts';
import type { Place } from './line/place.ts';
import { refreshAgentChat } from './open-agent-chat.ts';
import { queuedEvent } from './opening-events.ts';
import type { RunOrigin } from './run-origin.ts';
import type { TurnPlan } from './run-turn.ts';
import type { Person, RunningTurn, Seat } from './step/turn-progress.ts';
import type { TurnDeps } from './turn-deps.ts';
import type { TurnRequest } from './turn-request.ts';
import { untilNext } from './until-next.ts';
import type { LiveTurn } from './watch/live-turn.ts';

export interface NewTurn {
  readonly live: LiveTurn;
  readonly request: TurnRequest;
  readonly message: QueuedMessage | null;
  readonly place: Place;
  readonly seat: Seat;
  readonly model: EngineModel | null;
  /** Null: no agent works in it. */
  readonly run: RunOrigin | null;
  /** Null for a turn that waits in line. */
  readonly beginning: Beginning | null;
}

/** @throws the reason of the stop; what `beginTurn` throws */
export async function startTurn(
  deps: TurnDeps,
  started: NewTurn,
): Promise<{ readonly turn: RunningTurn; readonly plan: TurnPlan }> {
  const { live, request, message, seat, beginning, run } = started;
  const { session, tip, headBefore } = beginning ?? (await beginQueued(deps, started));
  // The model may have been changed while the turn was in line.
  const model = beginning ? started.model : await recallUnlessAborted(deps, session.model, live.signal);
  const ownsTip = tip.id === message?.messageId;
  return {
    turn: {
      live,
      session,
      model,
      request,
      tip,
      ownsTip,
      headBefore,
      seat,
      person: personOf(live, run),
      parent: null,
      runAgent: null,
    },
    plan: {
      script: run === null ? createChatScript : createAgentScript(toAgentRun(deps, { ...started, run })),
      openRound: null,
    },
  };
}

/** Whoever talks to an agent itself is in its chat. */
function personOf({ sessionId }: LiveTurn, run: RunOrigin | null): Person {
  return run === null ? { sessionId } : { sessionId, agentName: run.agent.name, agentSessionId: sessionId };
}

/** A turn that is stopped meanwhile ends where it would have asked the model. */
function recallUnlessAborted(deps: TurnDeps, name: string, signal: AbortSignal): Promise<EngineModel | null> {
  return unlessAborted(recallModel(deps, name), signal).catch(() => null);
}

/** The wait in line, and what a turn that did not wait has done already. */
async function beginQueued(
  deps: TurnDeps,
  { live, request, message, place, run }: NewTurn,
): Promise<Beginning> {
  const { turnId, sessionId, signal } = live;
  const tell = (position: number) => live.append([queuedEvent(position, false)]);
  for (;;) {
    await untilNext(deps, live, { place, signal, tell });
    if (place.isAside) signal.throwIfAborted();
    await untilPlace(live, place);
    const beginning = await changeTurn(deps.db, live, async (db) => {
      if ((await readBefore(db, live)).isBlocked) return null;
      if (run !== null) await refreshAgentChat({ ...deps, db }, { ...run, chatId: sessionId });
      const turn = { sessionId, turnId, request, message, isPromised: true };
      const beginning = await beginTurn({ ...deps, db }, turn);
      await markTurnRunning(db, turnId, beginning.userMessageId);
      return beginning;
    });
    if (beginning !== null) return beginning;
    place.stepAside(0);
  }
}
