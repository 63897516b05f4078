// Which context window a model call asks for. Every change of it makes the engine reload the model, so it
// climbs in few steps, together for all sessions of a model, and only when something would not fit.
import type { ContextWindowConfig, WindowReason } from '../contract/context-window.ts';
import { MochiError } from '../contract/errors.ts';

/** The first step, in tokens; doubled from step to step up to the trained length. */
const FIRST_WINDOW = 8192;
/** Reply reserve in tokens when the client sets no num_predict. */
const DEFAULT_RESERVE = 1024;
/** Estimates are wrong in both directions: a prompt may take this much more than planned. */
const MARGIN = 1.1;

export interface WindowQuestion {
  readonly config: ContextWindowConfig;
  /** The server's own switch; off wins over the session's. */
  readonly dynamicEnabled: boolean;
  /** Trained length of the model; null when the engine does not say. */
  readonly trainedLength: number | null;
  /** false: the engine could not be asked about the model. Whatever is wrong then, it is not the message. */
  readonly isModelKnown: boolean;
  /** A window for this turn only (`options.num_ctx`). */
  readonly turnWindow: number | null;
  /** The step on which the model stands for other sessions; null when it was not used yet. */
  readonly modelWindow: number | null;
  /** What must go in: system prompt and the newest exchange, in estimated tokens. */
  readonly requiredTokens: number;
  /** `options.num_predict`; null when unset. */
  readonly numPredict: number | null;
  readonly isFirstTurn: boolean;
  readonly hasModelChanged: boolean;
}

export interface ChosenWindow {
  /** What the engine is asked for; null leaves it to the engine. */
  readonly window: number | null;
  readonly reason: WindowReason;
  /** How many estimated tokens the prompt may take. */
  readonly promptBudget: number;
}

/** @throws MochiError context_overflow when what must go in cannot */
export function chooseWindow(question: WindowQuestion): ChosenWindow {
  const { config, trainedLength, turnWindow, requiredTokens } = question;
  const clamp = (window: number) => Math.min(window, trainedLength ?? window);
  const manual = turnWindow ?? (config.manual_override ? config.current_window : null);
  if (manual !== null) return fit(clamp(manual), 'manual_override', clamp(manual), question);
  if (!question.dynamicEnabled || !config.dynamic_enabled) {
    return fit(null, 'no_adjustment', trainedLength ?? FIRST_WINDOW, question);
  }
  const start = Math.max(clamp(FIRST_WINDOW), clamp(question.modelWindow ?? 0));
  const largest = trainedLength ?? FIRST_WINDOW;
  let window = start;
  while (window < largest && window - replyReserve(question) < requiredTokens * MARGIN) {
    window = Math.min(window * 2, largest);
  }
  return fit(window, reasonFor(question, window > start), window, question);
}

function fit(
  window: number | null,
  reason: WindowReason,
  size: number,
  question: WindowQuestion,
): ChosenWindow {
  const promptBudget = budgetOf(size, question);
  const { requiredTokens } = question;
  if (requiredTokens > promptBudget && question.isModelKnown) {
    throw new MochiError(
      'context_overflow',
      `The message does not fit: it needs about ${requiredTokens} tokens, and a window of ${size} tokens leaves ${promptBudget} for the prompt. Shorten it, or use a model or a window that holds more.`,
      { required_tokens: requiredTokens, prompt_budget: promptBudget, window: size },
    );
  }
  return { window, reason, promptBudget };
}

function budgetOf(window: number, question: WindowQuestion): number {
  // A reply limit beyond the largest window must not push out every message.
  const reserve = Math.min(replyReserve(question), Math.floor(window / 2));
  return Math.floor((window - reserve) / MARGIN);
}

function replyReserve({ numPredict }: WindowQuestion): number {
  return numPredict !== null && numPredict > 0 ? numPredict : DEFAULT_RESERVE;
}

function reasonFor(question: WindowQuestion, hasClimbed: boolean): WindowReason {
  if (question.isFirstTurn) return 'initial_setup';
  if (question.hasModelChanged) return 'model_change';
  return hasClimbed ? 'usage_threshold' : 'no_adjustment';
}
