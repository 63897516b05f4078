// A run that waits for a person since an earlier run of the server: its place is taken at the start, and it goes on once
// its parent does.
import type { ValidAgent } from '../agents/agent.ts';
import type { RunPlace } from '../agents/translate-events.ts';
import { MochiError } from '../contract/errors.ts';
import { unlessAborted } from '../kit/unless-aborted.ts';
import type { RunParent } from '../store/agent-runs.ts';
import type { WaitingRun, WaitingTurn } from '../store/waiting-turns.ts';
import { toAgentRun } from './agent-run.ts';
import { createAgentScript } from './agent-script.ts';
import { driveTurn } from './drive-turn.ts';
import { nestedRun, type RunParentTurn } from './nested-run.ts';
import type { FollowedRun } from './relay-run.ts';
import { openLeftTurn, resumeTurn } from './resume-turn.ts';
import type { OpenRound, TurnPlan } from './run-turn.ts';
import { TurnSuspended } from './step/await-decision.ts';
import type { AgentCallRun, RunningTurn } from './step/turn-progress.ts';
import type { TurnDeps } from './turn-deps.ts';
import type { TurnHouse } from './turn-house.ts';
import type { LiveTurn } from './watch/live-turn.ts';

type Begun = { readonly turn: RunningTurn; readonly plan: TurnPlan };

export interface LeftRun extends Pick<RunParent, 'messageId' | 'callIndex'> {
  readonly live: LiveTurn;
  readonly waiting: WaitingTurn;
  readonly run: WaitingRun;
  readonly begun: PromiseWithResolvers<Begun>;
}

/** It holds its chat from now on. @param closing aborted when the server stops */
export async function holdLeftRun(
  { deps, lines, registry }: TurnHouse,
  waiting: WaitingTurn,
  {
    run,
    parent,
    closing,
  }: { readonly run: WaitingRun; readonly parent: RunParent; readonly closing: AbortSignal },
): Promise<LeftRun> {
  const live = await openLeftTurn(deps, waiting);
  const place = lines.enterRun(live.sessionId, live.turnId);
  const begun = Promise.withResolvers<Begun>();
  const begin = () =>
    unlessAborted(begun.promise, closing).catch((error: unknown) => {
      throw closing.aborted ? new TurnSuspended() : error;
    });
  registry.add(live, driveTurn(deps, { live, message: null, place, begin }));
  const { messageId, callIndex } = parent;
  return { live, waiting, run, begun, messageId, callIndex };
}

/** @throws MochiError session_not_found, agent_not_found */
export async function adoptRun(
  deps: TurnDeps,
  parent: RunParentTurn,
  { begun, call }: { readonly begun: LeftRun; readonly call: AgentCallRun },
): Promise<FollowedRun> {
  const { live, waiting, run } = begun;
  const { agentName, phase, round, activeMs } = run;
  const { callId, callIndex } = call.call;
  const place: RunPlace = { agentName, chatId: live.sessionId, runId: live.turnId, callId, callIndex };
  const after = live.lastEventId;
  try {
    const agent = await requireValid(deps, agentName);
    const nested = nestedRun(deps, parent, { agent, place, call, resumed: { phase, round, activeMs } });
    const { turn, openRound } = await resumeTurn(deps, waiting, { live, seat: parent.seat });
    begun.begun.resolve({
      turn: { ...turn, ...nested.turn },
      plan: { script: createAgentScript(nested.run), openRound },
    });
    return { live, place, maxRounds: nested.run.limits.maxRounds, after };
  } catch (error) {
    begun.begun.reject(error);
    return { live, place, maxRounds: 1, after };
  }
}

/** A run that a client has started. @throws MochiError agent_not_found */
export async function resumeRun(
  deps: TurnDeps,
  { agentName, phase, round, activeMs }: WaitingRun,
  { turn, openRound }: { readonly turn: RunningTurn; readonly openRound: OpenRound },
): Promise<Begun> {
  const agent = await requireValid(deps, agentName);
  const { live, request } = turn;
  const run = toAgentRun(deps, { live, request, run: { agent } });
  const person = { sessionId: live.sessionId, agentName, agentSessionId: live.sessionId };
  return {
    turn: { ...turn, person },
    plan: { script: createAgentScript({ ...run, resumed: { phase, round, activeMs } }), openRound },
  };
}

/** @throws MochiError agent_not_found */
async function requireValid({ agents }: TurnDeps, name: string): Promise<ValidAgent> {
  await agents.ready();
  const agent = agents.find(name);
  if (agent !== null && agent.valid) return agent;
  throw agentGone(name);
}

function agentGone(name: string): MochiError {
  return new MochiError('agent_not_found', `The agent ${name} is not there any more, or cannot be used.`, {
    agent_name: name,
  });
}
