// What an agent does next: it plans, works in rounds, and reports when a limit is reached. Pure.
import type { AgentWork } from '../contract/agent-event.ts';

export interface RunLimits {
  /** Rounds, the report included. */
  readonly maxRounds: number;
  /** Of work; null: none. */
  readonly timeoutMs: number | null;
  /** Read and written; null: any. */
  readonly maxTokens: number | null;
}

export interface RunSpent {
  readonly activeMs: number;
  readonly tokens: number;
}

/** Why it has to stop. */
type LimitReason = 'max_iterations' | 'timeout' | 'token_limit';

export interface RunState {
  readonly phase: AgentWork;
  /** 0 while it plans. */
  readonly round: number;
  /** Of the report: why there is one. */
  readonly limit: LimitReason | null;
}

/** @param plans whether it makes a plan first */
export function firstState(limits: RunLimits, plans: boolean): RunState {
  if (plans) return { phase: 'planning', round: 0, limit: null };
  return workState(1, { activeMs: 0, tokens: 0 }, limits);
}

/**
 * Once its answer is stored, and its calls are settled.
 * @param hasCalled whether the answer asked for tools
 * @returns null: it has ended
 */
export function nextState(
  { phase, round }: RunState,
  hasCalled: boolean,
  { spent, limits }: { readonly spent: RunSpent; readonly limits: RunLimits },
): RunState | null {
  if (phase === 'reporting') return null;
  // In the first round a model may only announce what it will do.
  if (phase === 'executing' && !hasCalled && round > 1) return null;
  return workState(round + 1, spent, limits);
}

/** The last round that a limit allows is the report, so that the end is always text. */
function workState(round: number, spent: RunSpent, limits: RunLimits): RunState {
  const limit = limitReached(round, spent, limits);
  return { phase: limit === null ? 'executing' : 'reporting', round, limit };
}

function limitReached(round: number, spent: RunSpent, limits: RunLimits): LimitReason | null {
  if (limits.timeoutMs !== null && spent.activeMs >= limits.timeoutMs) return 'timeout';
  if (limits.maxTokens !== null && spent.tokens >= limits.maxTokens) return 'token_limit';
  return round >= limits.maxRounds ? 'max_iterations' : null;
}
