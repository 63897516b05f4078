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
import { createLostScript } from './lost-script.ts';
import { nestedRun, nestedTurn, type RunParentTurn } from './nested-run.ts';
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
  registry.add(live, driveTurn(deps, { live, message: null, place, begun: begin() }));
  const { messageId, callIndex } = parent;
  return { live, waiting, run, begun, messageId, callIndex };
}

/** One whose agent is gone ends at once. */
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
    const agent = await findValid(deps, agentName);
    const { turn, openRound } = await resumeTurn(deps, waiting, { live, seat: parent.seat });
    const goOn = (own: Partial<RunningTurn>, script: TurnPlan['script']) =>
      begun.begun.resolve({ turn: { ...turn, ...own }, plan: { script, openRound } });
    if (agent === null) {
      const { resultLimit, onEnd } = call;
      const left = { place, resultLimit, onEnd };
      goOn(nestedTurn(parent, place), createLostScript(left, agentGone(agentName), round));
      return { live, place, maxRounds: 1, after };
    }
    const nested = nestedRun(deps, parent, { agent, place, call, resumed: { phase, round, activeMs } });
    goOn(nested.turn, createAgentScript(nested.run));
    return { live, place, maxRounds: nested.run.limits.maxRounds, after };
  } catch (error) {
    begun.begun.reject(error);
    return { live, place, maxRounds: 1, after };
  }
}

/** A run that a client has started; one whose agent is gone ends at once. */
export async function resumeRun(
  deps: TurnDeps,
  { agentName, phase, round, activeMs }: WaitingRun,
  { turn, openRound }: { readonly turn: RunningTurn; readonly openRound: OpenRound },
): Promise<Begun> {
  const { live, request } = turn;
  const { sessionId: chatId, turnId: runId } = live;
  const person = { sessionId: chatId, agentName, agentSessionId: chatId };
  const begun = (script: TurnPlan['script']) => ({ turn: { ...turn, person }, plan: { script, openRound } });
  const agent = await findValid(deps, agentName);
  if (agent === null) {
    const place = { agentName, chatId, runId, callId: null, callIndex: null };
    const left = { place, resultLimit: deps.toolLimits.resultCharacters, onEnd: null };
    return begun(createLostScript(left, agentGone(agentName), round));
  }
  const run = toAgentRun(deps, { live, request, run: { agent } });
  return begun(createAgentScript({ ...run, resumed: { phase, round, activeMs } }));
}

/** Null: it is gone, or cannot work. */
async function findValid({ agents }: TurnDeps, name: string): Promise<ValidAgent | null> {
  await agents.ready();
  const agent = agents.find(name);
  return agent?.valid === true ? agent : null;
}

function agentGone(name: string): MochiError {
  return new MochiError('agent_not_found', `The agent ${name} is not there any more, or cannot be used.`, {
    agent_name: name,
  });
}
