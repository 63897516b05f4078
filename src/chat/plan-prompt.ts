// The plan of one model call: which window, which messages, and the receipt that says so.
import type { ContextReceipt, WindowReason } from '../contract/context-window.ts';
import type { EngineMessage, EngineModel } from '../contract/engine.ts';
import { MochiError } from '../contract/errors.ts';
import type { PathPlace } from '../store/active-path.ts';
import { listPath, type PromptMessage, SYSTEM_DEPTH } from '../store/messages.ts';
import type { PromptMark } from '../store/prompt-mark.ts';
import type { StoredSession } from '../store/sessions.ts';
import { listToolCalls } from '../store/tool-calls.ts';
import {
  type ChosenWindow,
  chooseWindow,
  type WindowLimits,
  type WindowQuestion,
  windowLimits,
} from '../window/choose-window.ts';
import { addSizes, estimateTokens, NO_SIZE, type PromptSize, sizeOf } from '../window/estimate.ts';
import { buildPrompt, systemText } from './build-prompt.ts';
import { comparePrompts } from './compare-prompts.ts';
import { type GatheredHistory, gatherHistory } from './gather-history.ts';
import { readExchanges } from './read-history.ts';
import type { TurnDeps } from './turn-deps.ts';
import type { TurnRequest } from './turn-request.ts';

/** What planning may touch. */
export type PlanDeps = Pick<TurnDeps, 'db' | 'modelWindows' | 'tokenRatios' | 'windowPolicy'>;

export interface PromptPlan {
  readonly messages: readonly EngineMessage[];
  readonly chosen: ChosenWindow;
  readonly receipt: ContextReceipt;
  /** Of what is sent: what the engine's count is held against. */
  readonly size: PromptSize;
  /** What the next prompt is planned on top of, once this one was answered. */
  readonly mark: PromptMark;
}

export interface PromptQuestion {
  readonly session: StoredSession;
  readonly model: EngineModel | null;
  readonly request: TurnRequest;
  /** The message to answer, or the last tool result. */
  readonly tip: PathPlace;
  /** The prompt before, of this turn or of an earlier one; null for a first one. */
  readonly before: PromptMark | null;
  /** Why the first call of this turn got its window; null for the first call. */
  readonly reason: WindowReason | null;
  /** Bytes per token of this very prompt, where the engine has counted it; null: as learned of the model. */
  readonly ratio: number | null;
}

/** The system prompt and the newest exchange always go in; older exchanges while they fit, the newest first. */
export async function planPrompt(deps: PlanDeps, question: PromptQuestion): Promise<PromptPlan> {
  const { session, tip, before } = question;
  const system = await readSystem(deps, session);
  const asked = askWindow(deps, question);
  const limits = windowLimits(asked);
  const { history, summary } = await gather(deps, question, { system, limits });
  const chosen = choose(question, asked, history);
  const mark = toMark(question, { limits, history, summary, window: chosen.window });
  const { messages } = history;
  const compared = await comparePrompts(deps.db, session.session_id, { before, now: mark, messages });
  const callers = messages
    .filter((message) => message.tool_calls !== null)
    .map((message) => message.message_id);
  const loaded = deps.modelWindows.loaded(session.model);
  const content = systemText({ system: system?.content ?? null, summary });
  return {
    messages: buildPrompt(
      { system: system?.content ?? null, summary },
      messages,
      await listToolCalls(deps.db, session.session_id, callers),
    ),
    chosen,
    size: addSizes(content === null ? NO_SIZE : sizeOf({ content }), history.size),
    mark,
    receipt: {
      window: chosen.window,
      window_reason: chosen.reason,
      planned_tokens: history.plannedTokens,
      prompt_tokens: null,
      output_tokens: null,
      messages_sent: mark.sent,
      messages_left_out: tip.depth + 1 - messages.length,
      summary_used: summary !== null,
      loaded_window: loaded,
      reload_expected: loaded === null || (chosen.window !== null && chosen.window !== loaded),
      prefix_reused: compared.prefixReused,
      cache_break: compared.cacheBreak,
      suspected_truncation: false,
    },
  };
}

/**
 * Whether the request could be answered at all, before anything of it is stored.
 * @param tip the stored message to answer; null: the new one of the request
 * @throws MochiError context_overflow
 */
export async function checkFits(
  deps: PlanDeps,
  question: Pick<PromptQuestion, 'session' | 'model' | 'request'> & { readonly tip: PathPlace | null },
): Promise<void> {
  const { session, request, model, tip } = question;
  // Whatever is wrong with a model that nobody could ask about, it is not the message.
  if (model === null) return;
  const system = await readSystem(deps, session);
  const newest = tip === null ? null : await readNewest(deps, session, tip);
  const message = newest ?? sizeOf({ content: request.message ?? '', images: request.images });
  const size = addSizes(system === null ? NO_SIZE : sizeOf(system), message);
  const required =
    estimateTokens(size, deps.tokenRatios.current(session.model)) + formatTokens(deps, question);
  const { largest, budget } = windowLimits(askWindow(deps, question));
  if (required <= budget) return;
  throw new MochiError(
    'context_overflow',
    `The message does not fit: it needs about ${required} tokens, and a window of ${largest} tokens leaves ${budget} for the prompt. Shorten it, or use a model or a window that holds more.`,
    { required_tokens: required, prompt_budget: budget, window: largest },
  );
}

async function gather(
  deps: PlanDeps,
  question: PromptQuestion,
  fixed: { readonly system: PromptMessage | null; readonly limits: WindowLimits },
): Promise<{ readonly history: GatheredHistory; readonly summary: string | null }> {
  const { session, tip } = question;
  const { system, limits } = fixed;
  const bytesPerToken = question.ratio ?? deps.tokenRatios.current(session.model);
  const tokensOf = (content: string) => estimateTokens(sizeOf({ content }), bytesPerToken);
  const before = continuable(question, limits);
  const newSummary = session.summary?.summary ?? null;
  const history = await gatherHistory({
    db: deps.db,
    sessionId: session.session_id,
    tip,
    budget: limits.budget - formatTokens(deps, question),
    fixedTokens:
      (system === null ? 0 : tokensOf(system.content)) +
      (before?.summary == null ? 0 : tokensOf(before.summary)),
    summaryTokens: newSummary === null ? 0 : tokensOf(newSummary),
    bytesPerToken,
    previous: before,
  });
  const isAllSent = history.messages.length === tip.depth + 1;
  // A newer summary would break the prompt at its first message: it waits until that breaks anyway.
  const isAsBefore = before !== null && history.messages[0]?.message_id === before.startId;
  return { history, summary: isAllSent ? null : isAsBefore ? before.summary : newSummary };
}

/** The prompt before, if this one may go on from its first message. */
function continuable(
  { session, before, ratio }: PromptQuestion,
  { budget }: WindowLimits,
): PromptMark | null {
  // A count that has just been proved wrong is nothing to go on from.
  if (
    before === null ||
    ratio !== null ||
    before.model !== session.model ||
    before.systemId !== session.systemId
  )
    return null;
  return before.budget === budget ? before : null;
}

function askWindow(
  deps: PlanDeps,
  { session, model, request }: Pick<PromptQuestion, 'session' | 'model' | 'request'>,
): WindowQuestion {
  return {
    config: session.context_window,
    ...deps.windowPolicy,
    trainedLength: model?.trainedLength ?? null,
    turnWindow: request.options.num_ctx ?? null,
    modelWindow: deps.modelWindows.current(session.model),
    loadedWindow: deps.modelWindows.loaded(session.model),
    numPredict: request.options.num_predict ?? null,
  };
}

function choose(question: PromptQuestion, asked: WindowQuestion, history: GatheredHistory): ChosenWindow {
  const { session, reason } = question;
  const lastAnswer = history.messages.findLast((message) => message.role === 'assistant');
  const chosen = chooseWindow(asked, {
    plannedTokens: history.plannedTokens,
    isFirstTurn: lastAnswer === undefined,
    hasModelChanged: lastAnswer !== undefined && lastAnswer.model !== session.model,
  });
  return reason === null ? chosen : { ...chosen, reason };
}

/** Options that make an engine load the model anew (Ollama: server/sched.go `needsReload`), or write another prompt. */
const RELOADING_OPTIONS = [
  'num_batch',
  'num_gpu',
  'main_gpu',
  'use_mmap',
  'num_thread',
  'draft_num_predict',
] as const;

function toMark(
  { session, request, tip }: PromptQuestion,
  plan: {
    readonly limits: WindowLimits;
    readonly history: GatheredHistory;
    readonly summary: string | null;
    readonly window: number | null;
  },
): PromptMark {
  const { history, summary } = plan;
  const [first] = history.messages;
  const { options } = request;
  const reloading = RELOADING_OPTIONS.map((name) => options[name] ?? null);
  const hasPrelude = session.systemId !== null || summary !== null;
  return {
    model: session.model,
    budget: plan.limits.budget,
    options: JSON.stringify([plan.window, request.think, ...reloading]),
    systemId: session.systemId,
    summary,
    startId: first?.message_id ?? null,
    start: first?.depth ?? 0,
    tip,
    sent: history.messages.length + (hasPrelude ? 1 : 0),
    answerId: null,
    usedTokens: null,
  };
}

/** A schema may be written into the prompt; that it is not costs little room. */
function formatTokens(
  deps: PlanDeps,
  { session, request }: Pick<PromptQuestion, 'session' | 'request'>,
): number {
  if (request.format === null || request.format === 'json') return 0;
  const content = JSON.stringify(request.format);
  return estimateTokens(sizeOf({ content }), deps.tokenRatios.current(session.model));
}

async function readSystem(deps: PlanDeps, session: StoredSession): Promise<PromptMessage | null> {
  if (session.systemId === null) return null;
  const range = { from: SYSTEM_DEPTH, to: SYSTEM_DEPTH };
  const [system] = await listPath(deps.db, session.session_id, range);
  return system ?? null;
}

/** The size of the newest exchange; null when there is none. */
async function readNewest(
  deps: PlanDeps,
  session: StoredSession,
  tip: PathPlace,
): Promise<PromptSize | null> {
  for await (const exchange of readExchanges(deps.db, session.session_id, tip.depth)) return exchange.size;
  return null;
}
