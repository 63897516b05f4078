// The script of an agent: it plans, works in rounds until it rests, and reports when a limit is reached.

import {
  EXECUTION_PROMPT,
  type PhasePrompts,
  planningPrompt,
  REPORT_PROMPT,
  readPhasePrompts,
} from '../agents/phase-prompts.ts';
import { firstState, nextState, type RunState } from '../agents/phases.ts';
import type { RunEnd } from '../agents/result-text.ts';
import { inPhase } from '../agents/translate-events.ts';
import type { EngineUsage } from '../contract/engine.ts';
import type { MochiError } from '../contract/errors.ts';
import type { TurnUsage } from '../contract/turn.ts';
import type { TurnEvent } from '../contract/turn-event.ts';
import { moveRun } from '../store/agent-runs.ts';
import type { Offer } from '../tools/offer.ts';
import type { AgentRun } from './agent-run.ts';
import { awaitPlan, planQuestion, planUnasked } from './approve-plan.ts';
import { endRun, failRun } from './end-run.ts';
import { completeAnswer } from './step/complete-answer.ts';
import { finishToolRequest } from './step/finish-step.ts';
import { addUsage } from './step/measure-call.ts';
import type { TurnEnding } from './step/turn-ending.ts';
import type { RunningTurn, TurnProgress } from './step/turn-progress.ts';
import { wordForRun } from './stop-reasons.ts';
import type { TurnDeps } from './turn-deps.ts';
import type { TurnScript } from './turn-script.ts';
import { WorkClock } from './work-clock.ts';

const NO_TOOLS: Offer = { tools: [], missing: [] };

export function createAgentScript(run: AgentRun) {
  return (deps: TurnDeps, turn: RunningTurn, progress: TurnProgress): TurnScript =>
    new AgentScript({ deps, turn, progress, run });
}

interface Parts {
  readonly deps: TurnDeps;
  readonly turn: RunningTurn;
  readonly progress: TurnProgress;
  readonly run: AgentRun;
}

/** Has a lifetime: that of a run in this process. */
class AgentScript implements TurnScript {
  readonly #parts: Parts;
  readonly #clock: WorkClock;
  #state: RunState;
  /** How the step ended that was the last; null: none has ended yet. */
  #ended: 'called' | 'rested' | null;
  #prompts: PhasePrompts;

  constructor(parts: Parts) {
    const { agent, limits, resumed } = parts.run;
    this.#parts = parts;
    this.#clock = new WorkClock(resumed?.activeMs ?? 0);
    // Whoever waits for a person has made a plan, or asked for tools.
    this.#ended = resumed === null ? null : resumed.phase === 'gate' ? 'rested' : 'called';
    this.#state = resumed === null ? firstState(limits, agent.skill.run.planning) : toState(resumed);
    this.#prompts = { planning: planningPrompt([]), execution: EXECUTION_PROMPT, warnings: [] };
  }

  async offer(): Promise<Offer> {
    const { deps, turn, run } = this.#parts;
    const { tools } = run.agent.offer;
    this.#prompts = await readPhasePrompts(deps.agentLimits.prompts, tools);
    for (const warning of this.#prompts.warnings) deps.log.warn({ turn_id: turn.live.turnId }, warning);
    return run.agent.offer;
  }

  policy() {
    return this.#parts.run.policy();
  }

  async prepare(): Promise<void> {
    const { progress, run } = this.#parts;
    if (this.#ended === null) {
      await this.#move(null, this.#state);
    } else {
      const spent = { activeMs: this.#clock.activeMs, tokens: progress.usage?.total_tokens ?? 0 };
      const next = nextState(this.#state, this.#ended === 'called', { spent, limits: run.limits });
      if (next === null) throw new Error('A run that has ended does not go on.');
      await this.#move(this.#state, next);
      this.#state = next;
    }
    this.#ended = 'called';
    progress.offer = this.#state.phase === 'executing' ? run.agent.offer : NO_TOOLS;
    progress.nudge = this.#prompt();
  }

  async *rest(usage: EngineUsage): AsyncGenerator<readonly TurnEvent[], boolean> {
    const { deps, turn, progress, run } = this.#parts;
    const isLast = nextState(this.#state, false, { spent: NOTHING, limits: run.limits }) === null;
    if (isLast) {
      const ending = await this.#end(toEnd(this.#state, run), addUsage(progress.usage, usage));
      yield await completeAnswer(deps, turn, progress, { usage, ending });
      return true;
    }
    const isGate = this.#state.phase === 'planning' && run.isGated;
    if (isGate && turn.request.onApproval === 'fail') throw planUnasked(run.agent.name);
    const question = isGate ? planQuestion(this.#parts) : null;
    const more = question === null ? [] : [question];
    await finishToolRequest(deps, turn, progress, { usage, calls: [], asks: false, more });
    this.#ended = 'rested';
    if (question !== null) yield* this.#gate(progress.tip.id);
    return false;
  }

  tell(events: readonly TurnEvent[]): readonly TurnEvent[] {
    for (const event of events) this.#clock.hear(event);
    const { phase: agent_phase, round } = this.#state;
    return inPhase(events, { agent_phase, round, max_rounds: this.#parts.run.limits.maxRounds });
  }

  async *resume(messageId: string): AsyncGenerator<readonly TurnEvent[], boolean> {
    if (this.#parts.run.resumed?.phase !== 'gate') return false;
    yield* this.#gate(messageId);
    return true;
  }

  word(failure: MochiError): MochiError {
    return wordForRun(failure);
  }

  fail(failure: MochiError): Promise<TurnEnding> {
    return failRun(this.#parts, failure, this.#state.round);
  }

  /** Waits until the plan is approved. @throws MochiError when it is not */
  async *#gate(messageId: string): AsyncGenerator<readonly TurnEvent[], void> {
    const planned = { phase: 'planning', round: 0 } as const;
    const isResumed = this.#parts.run.resumed !== null;
    if (!isResumed) await this.#move(planned, { phase: 'gate', round: 0 });
    yield* awaitPlan(this.#parts, messageId);
    await this.#move({ phase: 'gate', round: 0 }, planned);
    this.#state = { ...planned, limit: null };
  }

  async #move(
    from: Parameters<typeof moveRun>[2]['from'],
    { phase, round }: Parameters<typeof moveRun>[2]['to'],
  ): Promise<void> {
    const { deps, turn, progress } = this.#parts;
    await moveRun(deps.db, turn.live.turnId, {
      from,
      to: { phase, round },
      activeMs: this.#clock.activeMs,
      tokens: progress.usage?.total_tokens ?? 0,
    });
  }

  #prompt(): string {
    const { planning, execution } = this.#prompts;
    return { planning, executing: execution, reporting: REPORT_PROMPT }[this.#state.phase];
  }

  #end(end: RunEnd, usage: TurnUsage | null): Promise<TurnEnding> {
    const { round } = this.#state;
    return endRun(this.#parts, { end, round, usage });
  }
}

const NOTHING = { activeMs: 0, tokens: 0 };

function toState({ phase, round }: { readonly phase: string; readonly round: number }): RunState {
  const isReport = phase === 'reporting';
  return {
    phase: phase === 'gate' || phase === 'planning' ? 'planning' : isReport ? 'reporting' : 'executing',
    round,
    limit: isReport ? 'max_iterations' : null,
  };
}

function toEnd({ limit }: RunState, { limits }: AgentRun): RunEnd {
  switch (limit) {
    case null:
      return { reason: 'completed' };
    case 'max_iterations':
      return { reason: limit, count: limits.maxRounds };
    case 'timeout':
      return { reason: limit, count: Math.round((limits.timeoutMs ?? 0) / 1000) };
    case 'token_limit':
      return { reason: limit, count: limits.maxTokens ?? 0 };
    default:
      return limit satisfies never;
  }
}
