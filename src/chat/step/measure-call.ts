// What the engine counted of a model call: into the receipt, the usage of the turn, and what is learned of the model.
import type { ContextReceipt } from '../../contract/context-window.ts';
import type { EngineUsage } from '../../contract/engine.ts';
import type { TurnUsage } from '../../contract/turn.ts';
import { addSizes, type BytesPerToken } from '../../window/estimate.ts';
import { isSuspicious } from '../../window/token-ratios.ts';
import type { TurnDeps } from '../turn-deps.ts';
import type { Draft } from './draft.ts';
import type { TurnProgress } from './turn-progress.ts';

/** The receipt with what the engine counted; the mark too, where the count can be right. */
export function measured(
  deps: TurnDeps,
  progress: TurnProgress,
  { draft, usage }: { readonly draft: Draft; readonly usage: EngineUsage },
): ContextReceipt {
  const { plan, mark } = progress;
  if (plan === null) throw new Error('A model call has a plan.');
  const { promptTokens, outputTokens } = usage;
  const { model, weights = model } = plan.mark;
  const ratio = deps.tokenRatios.current(model);
  const isCut = promptTokens !== null && isSuspicious(plan.size, promptTokens, ratio);
  const usedTokens = (promptTokens ?? 0) + (outputTokens ?? 0);
  const withAnswer = addSizes(plan.size, draft.size);
  if (mark !== null && promptTokens !== null && !isSuspicious(withAnswer, usedTokens, ratio)) {
    progress.mark = { ...mark, usedTokens };
  }
  // What the client has cut short says nothing about how long answers become.
  if (outputTokens !== null && !plan.answer.isWished) deps.answerLengths.observe(model, outputTokens);
  progress.receipt = {
    ...plan.receipt,
    prompt_tokens: promptTokens,
    output_tokens: outputTokens,
    loaded_window: deps.modelWindows.loaded(weights),
    suspected_truncation: isCut,
  };
  return progress.receipt;
}

/** @returns the new ratio where it is worth storing */
export function learnRatio(
  deps: TurnDeps,
  { plan }: TurnProgress,
  { promptTokens }: EngineUsage,
): BytesPerToken | null {
  if (plan === null || promptTokens === null) return null;
  return deps.tokenRatios.observe(plan.mark.model, plan.size, promptTokens);
}

/** Every model call of the turn counts. */
export function addUsage(sum: TurnUsage | null, usage: EngineUsage): TurnUsage {
  const add = (left: number | null | undefined, right: number | null) =>
    left == null && right === null ? null : (left ?? 0) + (right ?? 0);
  const prompt = add(sum?.prompt_tokens, usage.promptTokens);
  const output = add(sum?.output_tokens, usage.outputTokens);
  return {
    prompt_tokens: prompt,
    output_tokens: output,
    total_tokens: add(prompt, output),
    load_ms: add(sum?.load_ms, usage.loadMs),
    prompt_eval_ms: add(sum?.prompt_eval_ms, usage.promptEvalMs),
    eval_ms: add(sum?.eval_ms, usage.evalMs),
  };
}
