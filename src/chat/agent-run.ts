// A turn that is a run of an agent: what it works with, and for whom.
import type { ValidAgent } from '../agents/agent.ts';
import type { RunLimits } from '../agents/phases.ts';
import type { RunResult } from '../agents/result-text.ts';
import { isGated, limitsOf } from '../agents/server-limits.ts';
import { baseOf, type RunPlace } from '../agents/translate-events.ts';
import type { TurnEvent } from '../contract/turn-event.ts';
import { completeToolSettings } from '../sessions/settings.ts';
import type { RunPosition } from '../store/agent-runs.ts';
import type { Db } from '../store/database.ts';
import type { SessionPolicy } from '../tools/policy/decide-call.ts';
import type { RunOrigin } from './run-origin.ts';
import type { TurnDeps } from './turn-deps.ts';
import type { TurnRequest } from './turn-request.ts';
import type { LiveTurn } from './watch/live-turn.ts';

export interface AgentRun {
  /** As it was when the run began. */
  readonly agent: ValidAgent;
  readonly place: RunPlace;
  readonly limits: RunLimits;
  /** Whether a person approves the plan. */
  readonly isGated: boolean;
  /** Of what whoever started it reads, in characters. */
  readonly resultLimit: number;
  /** What the session in which the person is says about calls, as it stands now. */
  readonly policy: () => Promise<SessionPolicy>;
  /** Where another process left it; null: it begins. */
  readonly resumed: (RunPosition & { readonly activeMs: number }) | null;
  /** In the transaction that ends the run: the call that started it is answered there. Null: none did. */
  readonly onEnd: ((db: Db, result: RunResult) => Promise<void>) | null;
}

/** What a run works with that has come to its turn. */
export function toAgentRun(
  deps: Pick<TurnDeps, 'agentLimits' | 'toolLimits'>,
  { live, request, run: { agent } }: OpenedRun,
): AgentRun {
  return {
    agent,
    place: placeOf(agent, live),
    ...bindingOf(deps, agent),
    resultLimit: deps.toolLimits.resultCharacters,
    policy: async () => request.toolSettings ?? completeToolSettings(null),
    resumed: null,
    onEnd: null,
  };
}

/** What the agent and the operator say together. */
export function bindingOf(
  { agentLimits }: Pick<TurnDeps, 'agentLimits'>,
  { skill }: ValidAgent,
): Pick<AgentRun, 'limits' | 'isGated'> {
  return { limits: limitsOf(skill.run, agentLimits), isGated: isGated(skill.run, agentLimits) };
}

interface OpenedRun {
  readonly live: Pick<LiveTurn, 'sessionId' | 'turnId'>;
  readonly request: TurnRequest;
  readonly run: Pick<RunOrigin, 'agent'>;
}

function placeOf({ name }: ValidAgent, { sessionId, turnId }: OpenedRun['live']): RunPlace {
  return { agentName: name, chatId: sessionId, runId: turnId, callId: null, callIndex: null };
}

/** Told first of a run, after `turn_start`. */
export function agentStart({ live, request, run }: OpenedRun & { readonly run: RunOrigin }): TurnEvent {
  const { agent, model, isNew } = run;
  const instruction = request.message ?? '';
  const base = baseOf(ownPlace(placeOf(agent, live)));
  return { event: 'agent_start', data: { ...base, instruction, model, continued: !isNew } };
}

/** In its own log a run is nobody's call: whoever started it tells that in its own. */
export function ownPlace(place: RunPlace): RunPlace {
  return { ...place, callId: null, callIndex: null };
}
