// Which context window a model call asks for. Every change of it makes the engine reload the model, so it
// climbs in few steps, together for all sessions of a model, and only when something would not fit.
import type { ContextWindowConfig, WindowReason } from '../contract/context-window.ts';

/** An answer is tried with as little room as this, where the largest window leaves no more. Tokens. */
const LEAST_ROOM = 128;
const LEAST_ROOM_PART = 1 / 32;
/** Estimates are wrong in both directions: a prompt may take this much more than planned. */
const MARGIN = 1.1;

export interface WindowQuestion {
  readonly config: ContextWindowConfig;
  /** The server's own switch; off wins over the session's. */
  readonly dynamicEnabled: boolean;
  /** The first step, in tokens; doubled from step to step up to the trained length. */
  readonly firstWindow: number;
  /** The operator's limit for windows that nobody set by hand; null: none. */
  readonly maxWindow: number | null;
  /** Trained length of the model; null when the engine does not say. */
  readonly trainedLength: number | null;
  /** A window for this turn only (`options.num_ctx`). */
  readonly turnWindow: number | null;
  /** The room that the client wants at the least, as far as the limits allow; null: it does not say. */
  readonly atLeast: number | null;
  /** The step on which the model stands for other sessions; null when it has none. */
  readonly modelWindow: number | null;
  /** The window with which the engine holds the model; null when that is not known or it does not. */
  readonly loadedWindow: number | null;
  /** The largest window that may be tried, since a larger one could not be loaded; null: any. */
  readonly loadableWindow: number | null;
  /** `options.num_predict`; null when unset. */
  readonly numPredict: number | null;
  /** Room for an answer of the model where the client sets no limit, in tokens. */
  readonly usualReserve: number;
}

/** How much may be planned at all. */
export interface WindowLimits {
  /** Tokens of the largest window that may be asked for. */
  readonly largest: number;
  /** How many estimated tokens a prompt may take in it. */
  readonly budget: number;
  /** How many are tried where less will not do: estimates may be too high, and the engine knows. */
  readonly most: number;
}

export interface ChosenWindow {
  /** What the engine is asked for; null leaves it to the engine. */
  readonly window: number | null;
  readonly reason: WindowReason;
  /** The step of the ladder that the turn needs; null where the ladder was not asked. */
  readonly step: number | null;
}

/** The window that somebody set by hand; null: the ladder or the engine decides. */
function manualWindow({ config, trainedLength, turnWindow }: WindowQuestion): number | null {
  const manual = turnWindow ?? (config.manual_override ? config.current_window : null);
  return manual === null ? null : Math.min(manual, trainedLength ?? manual);
}

function isLeftToEngine({ config, dynamicEnabled }: WindowQuestion): boolean {
  return !dynamicEnabled || !config.dynamic_enabled;
}

/** What is asked of an engine that has its own window: nothing, unless the client wants more. */
function leftWindow({ atLeast, trainedLength, maxWindow, loadedWindow }: WindowQuestion): number | null {
  if (atLeast === null) return null;
  return Math.max(loadedWindow ?? 0, Math.min(atLeast, trainedLength ?? atLeast, maxWindow ?? atLeast));
}

export function windowLimits(question: WindowQuestion): WindowLimits {
  const largest = largestWindow(question);
  const leastRoom = Math.min(LEAST_ROOM, replyReserve(question), Math.ceil(largest * LEAST_ROOM_PART));
  return { largest, budget: budgetOf(largest, question), most: largest - leastRoom };
}

function largestWindow(question: WindowQuestion): number {
  const { trainedLength, loadedWindow, maxWindow, firstWindow, loadableWindow, atLeast } = question;
  const manual = manualWindow(question);
  if (manual !== null) return manual;
  if (isLeftToEngine(question)) {
    return leftWindow(question) ?? loadedWindow ?? trainedLength ?? firstWindow;
  }
  const trained = trainedLength ?? Math.max(firstWindow, loadedWindow ?? 0, atLeast ?? 0);
  return Math.min(trained, maxWindow ?? trained, loadableWindow ?? trained);
}

/**
 * The lowest step that holds the prompt and the reply, never below the one where the model stands; a loaded
 * window that is no smaller and holds them is used as it is, since that costs no reload.
 * @param turn what is planned, in estimated tokens, and how the turn stands to the ones before
 */
export function chooseWindow(
  question: WindowQuestion,
  turn: {
    readonly plannedTokens: number;
    /** Something had to stay out. */
    readonly isCut: boolean;
    readonly isFirstTurn: boolean;
    readonly hasModelChanged: boolean;
  },
): ChosenWindow {
  const manual = manualWindow(question);
  if (manual !== null) return { window: manual, reason: 'manual_override', step: null };
  if (isLeftToEngine(question)) return { window: leftWindow(question), reason: 'no_adjustment', step: null };
  const largest = largestWindow(question);
  const { firstWindow, modelWindow, atLeast } = question;
  const start = Math.min(Math.max(firstWindow, modelWindow ?? 0, atLeast ?? 0), largest);
  const fits = (window: number) => window >= turn.plannedTokens * MARGIN + reserveIn(window, question);
  const holds = (window: number) => window >= largest || fits(window);
  let step = start;
  while (step < largest && !holds(step)) step = Math.min(step * 2, largest);
  const { loadedWindow: loaded } = question;
  const isLoadedEnough = loaded !== null && loaded >= start && holds(loaded);
  const hasClimbed = !isLoadedEnough && step > start;
  const isShort = largest === question.loadableWindow && (turn.isCut || !fits(largest));
  const reason = isShort ? 'load_failed' : reasonFor(turn, hasClimbed);
  return { window: isLoadedEnough ? loaded : step, reason, step };
}

function budgetOf(window: number, question: WindowQuestion): number {
  // A reply limit beyond the largest window must not push out every message.
  const reserve = Math.min(replyReserve(question), Math.floor(window / 2));
  return Math.floor((window - reserve) / MARGIN);
}

/** What an answer needs of a window. One that is expected to be long takes half of it at most. */
function reserveIn(window: number, question: WindowQuestion): number {
  const { numPredict } = question;
  const reserve = replyReserve(question);
  return numPredict !== null && numPredict > 0 ? reserve : Math.min(reserve, Math.floor(window / 2));
}

/** Tokens that a plan leaves free for the answer. */
export function replyReserve({ numPredict, usualReserve }: WindowQuestion): number {
  return numPredict !== null && numPredict > 0 ? numPredict : usualReserve;
}

function reasonFor(
  turn: { readonly isFirstTurn: boolean; readonly hasModelChanged: boolean },
  hasClimbed: boolean,
): WindowReason {
  if (hasClimbed) return 'usage_threshold';
  if (turn.isFirstTurn) return 'initial_setup';
  return turn.hasModelChanged ? 'model_change' : 'no_adjustment';
}
