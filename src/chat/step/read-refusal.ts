// Reads the token count out of an engine's refusal of a prompt that is too long.
import { MochiError } from '../../contract/errors.ts';
import { saveTokenRatio } from '../../store/token-ratios.ts';
import { type BytesPerToken, fixedTokens } from '../../window/estimate.ts';
import { ratioOfCounted } from '../../window/token-ratios.ts';
import type { PromptPlan } from '../prompt/plan-prompt.ts';
import type { StepDeps } from './step-deps.ts';
import type { TurnProgress } from './turn-progress.ts';

export interface Refusal {
  readonly error: MochiError;
  /** What was refused. */
  readonly plan: PromptPlan;
  /** Bytes per token of that very prompt. */
  readonly ratio: BytesPerToken;
}

/** A refusal without a count says no more than that the window was exceeded; by this much, then. */
const PRESUMED_EXCESS = 1.25;

/**
 * Learns from the count.
 * @returns null for every other failure, and where another plan would be no better
 */
export async function readRefusal(
  deps: StepDeps,
  error: unknown,
  { plan }: TurnProgress,
): Promise<Refusal | null> {
  if (!(error instanceof MochiError) || error.kind !== 'context_overflow' || plan === null) return null;
  const told = error.details['required_tokens'];
  const before = deps.tokenRatios.current(plan.mark.model);
  if (typeof told === 'number') await learnCount(deps, plan, told);
  const { window, step } = plan.chosen;
  // What was set by hand, or left to the engine, is not for us to change.
  if (window === null || step === null) return null;
  const tokens = typeof told === 'number' ? told : Math.ceil(window * PRESUMED_EXCESS);
  if (tokens <= plan.receipt.planned_tokens) return null;
  const ratio = ratioOfCounted(before, plan.size, tokens);
  return ratio === null ? null : { error, plan, ratio };
}

/** Whether the engine would be asked what it has refused. */
export function isSamePrompt(left: PromptPlan, right: PromptPlan): boolean {
  const isAlike = left.mark.startId === right.mark.startId && left.mark.summary === right.mark.summary;
  return isAlike && left.chosen.window === right.chosen.window;
}

async function learnCount(deps: StepDeps, { mark, size }: PromptPlan, tokens: number): Promise<void> {
  const before = deps.tokenRatios.current(mark.model);
  if (ratioOfCounted(before, size, tokens) === null) return;
  const { plain, dense } = size.text;
  // Marks of the template count as well: the text cannot have more tokens than bytes.
  const most = plain + dense + fixedTokens(size);
  const learned = deps.tokenRatios.observe(mark.model, size, Math.min(tokens, most));
  if (learned !== null) await saveTokenRatio(deps.db, mark.model, learned);
}
