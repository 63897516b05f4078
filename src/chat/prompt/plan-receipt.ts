// The receipt of a plan: what is asked of the engine, and what was left out.
import type { CacheBreak, ContextReceipt } from '../../contract/context-window.ts';
import type { AnswerLimit } from '../../window/answer-limit.ts';
import type { ChosenWindow } from '../../window/choose-window.ts';
import type { PlanDeps, PlannedRequest } from './ask-window.ts';
import { identifyModel } from './identify-model.ts';
import { toolsReceipt } from './offered-tools.ts';

interface Planned {
  readonly chosen: ChosenWindow;
  readonly answer: AnswerLimit;
  /** With which the engine holds the model; null: not known, or it does not. */
  readonly loaded: number | null;
  readonly plannedTokens: number;
  readonly sent: number;
  readonly leftOut: number;
  readonly isSummaryUsed: boolean;
  /** Whether something was sent before that it can be compared with. */
  readonly isFirst: boolean;
  /** Where the model is held as it was. */
  readonly prefixReused: number;
  readonly cacheBreak: CacheBreak | null;
}

export function planReceipt(deps: PlanDeps, question: PlannedRequest, planned: Planned): ContextReceipt {
  const { chosen, answer, loaded, cacheBreak, isFirst } = planned;
  const { window, reason } = chosen;
  const isReload = loaded === null || (window !== null && window !== loaded);
  return {
    window,
    window_reason: reason,
    answer_limit: answer.tokens,
    num_predict_clamped: answer.isClamped,
    planned_tokens: planned.plannedTokens,
    prompt_tokens: null,
    output_tokens: null,
    messages_sent: planned.sent,
    messages_left_out: planned.leftOut,
    summary_used: planned.isSummaryUsed,
    loaded_window: loaded,
    reload_expected: isReload,
    // What is loaded anew has read nothing.
    prefix_reused: isReload ? 0 : planned.prefixReused,
    cache_break: cacheBreak ?? (isReload && !isFirst ? 'reload' : null),
    suspected_truncation: false,
    ...identifyModel(question.session, question.model),
    ...toolsReceipt(deps, question),
  };
}
