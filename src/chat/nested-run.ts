// A run as it stands in its parent: who is asked, whose settings count, and where its result goes.
import type { ValidAgent } from '../agents/agent.ts';
import type { RunPlace } from '../agents/translate-events.ts';
import { requireSession } from '../sessions/require.ts';
import type { StoredSession } from '../store/sessions.ts';
import { type AgentRun, bindingOf } from './agent-run.ts';
import type { AgentCallRun, RunningTurn, Seat } from './step/turn-progress.ts';
import type { TurnDeps } from './turn-deps.ts';
import type { TurnRequest } from './turn-request.ts';
import type { LiveTurn } from './watch/live-turn.ts';

/** The turn that has started it. */
export interface RunParentTurn {
  readonly live: LiveTurn;
  readonly session: StoredSession;
  readonly request: TurnRequest;
  readonly seat: Seat;
}

type NestedTurn = Pick<RunningTurn, 'seat' | 'person' | 'parent' | 'runAgent'>;

interface Nesting {
  readonly agent: ValidAgent;
  readonly place: RunPlace;
  readonly call: AgentCallRun;
  readonly resumed: AgentRun['resumed'];
}

export function nestedRun(
  deps: TurnDeps,
  parent: RunParentTurn,
  { agent, place, call, resumed }: Nesting,
): { readonly run: AgentRun; readonly turn: NestedTurn } {
  const { sessionId } = parent.live;
  return {
    run: {
      agent,
      place,
      ...bindingOf(deps, agent),
      resultLimit: call.resultLimit,
      // As it stands now: what a person says meanwhile counts.
      policy: async () =>
        parent.request.toolSettings ?? (await requireSession(deps.db, sessionId)).tool_settings,
      resumed,
      onEnd: call.onEnd,
    },
    turn: nestedTurn(parent, place),
  };
}

/** Of the turn that the run is. */
export function nestedTurn(parent: RunParentTurn, { agentName, chatId }: RunPlace): NestedTurn {
  return {
    seat: parent.seat,
    person: { sessionId: parent.live.sessionId, agentName, agentSessionId: chatId },
    parent: parent.live,
    // Agents call no agents.
    runAgent: null,
  };
}
