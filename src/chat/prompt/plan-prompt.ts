// The plan of one model call: which window, which messages, and the receipt that says so.
import type { ContextReceipt, WindowReason } from '../../contract/context-window.ts';
import type { EngineMessage } from '../../contract/engine.ts';
import { findMessage, type PromptMessage } from '../../store/messages.ts';
import type { PathPlace } from '../../store/path-place.ts';
import type { PromptMark } from '../../store/prompt-mark.ts';
import type { StoredSession } from '../../store/sessions.ts';
import { listToolCalls } from '../../store/tool-calls.ts';
import type { AnswerLimit } from '../../window/answer-limit.ts';
import {
  type ChosenWindow,
  chooseWindow,
  type WindowLimits,
  type WindowQuestion,
  windowLimits,
} from '../../window/choose-window.ts';
import {
  addSizes,
  type BytesPerToken,
  estimateTokens,
  NO_SIZE,
  type PromptSize,
  sizeOf,
} from '../../window/estimate.ts';
import { weightsOf } from '../../window/model-windows.ts';
import { answerRoom } from './answer-room.ts';
import { askWindow, findSystem, formatTokens, type PlanDeps, type PlannedRequest } from './ask-window.ts';
import { buildPrompt, countStored, systemText, thinkOf } from './build-prompt.ts';
import { comparePrompts } from './compare-prompts.ts';
import { type GatheredHistory, gatherHistory } from './gather-history.ts';
import { identifyModel } from './identify-model.ts';

export interface PromptPlan {
  readonly messages: readonly EngineMessage[];
  readonly chosen: ChosenWindow;
  /** What the answer may take. */
  readonly answer: AnswerLimit;
  readonly receipt: ContextReceipt;
  /** Of what is sent: what the engine's count is held against. */
  readonly size: PromptSize;
  /** What the next prompt is planned on top of, once this one was answered. */
  readonly mark: PromptMark;
}

export interface PromptQuestion extends PlannedRequest {
  /** The message to answer, or the last tool result. */
  readonly tip: PathPlace;
  /** The prompt before, of this turn or of an earlier one; null for a first one. */
  readonly before: PromptMark | null;
  /** Why the first call of this turn got its window; null for the first call. */
  readonly reason: WindowReason | null;
  /** Bytes per token of this very prompt, where the engine has counted it; null: as learned of the model. */
  readonly ratio: BytesPerToken | null;
}

/** The system prompt and the newest exchange always go in; older exchanges while they fit, the newest first. */
export async function planPrompt(deps: PlanDeps, question: PromptQuestion): Promise<PromptPlan> {
  const { session, tip, before } = question;
  const system = await findSystem(deps, session);
  const asked = askWindow(deps, question);
  const limits = windowLimits(asked);
  const { history, summary } = await gather(deps, question, { system, limits });
  const chosen = choose(question, asked, history);
  const { messages } = history;
  const prelude = { system: system?.content ?? null, summary };
  const calls = await listToolCalls(deps.db, session.session_id, callersOf(messages));
  const prompt = buildPrompt(prelude, messages, calls);
  const { window } = chosen;
  const mark = toMark(question, { limits, history, summary, window, sent: prompt.length });
  const compared = await comparePrompts(deps.db, session.session_id, {
    before,
    now: mark,
    messages,
    countThrough: (depth) =>
      countStored(
        buildPrompt(
          prelude,
          messages.filter((message) => message.depth <= depth),
          calls,
        ),
      ),
  });
  const { loadedWindow: loaded } = asked;
  const isReload = loaded === null || (window !== null && window !== loaded);
  const content = systemText(prelude);
  const size = addSizes(content === null ? NO_SIZE : sizeOf({ content }), history.size);
  const answer = answerRoom(deps, question, { asked, window, history, size });
  return {
    messages: prompt,
    chosen,
    answer,
    size,
    mark,
    receipt: {
      window,
      window_reason: chosen.reason,
      answer_limit: answer.tokens,
      num_predict_clamped: answer.isClamped,
      planned_tokens: history.plannedTokens,
      prompt_tokens: null,
      output_tokens: null,
      messages_sent: mark.sent,
      messages_left_out: tip.depth + 1 - messages.length,
      summary_used: summary !== null,
      loaded_window: loaded,
      reload_expected: isReload,
      // What is loaded anew has read nothing.
      prefix_reused: isReload ? 0 : compared.prefixReused,
      cache_break: compared.cacheBreak ?? (isReload && before !== null ? 'reload' : null),
      suspected_truncation: false,
      ...identifyModel(session, question.model),
    },
  };
}

function callersOf(messages: readonly PromptMessage[]): string[] {
  return messages.filter((message) => message.tool_calls !== null).map((message) => message.message_id);
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
  const newSummary = await summaryOfPath(deps, session);
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

/** The summary of what was said on this path; one of another branch tells of what was not. */
async function summaryOfPath(
  { db }: PlanDeps,
  { session_id: id, summary }: StoredSession,
): Promise<string | null> {
  if (summary === null || summary.message_id == null) return summary?.summary ?? null;
  const last = await findMessage(db, id, summary.message_id);
  return last?.active === true ? summary.summary : null;
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
  // With more room than before, what was left out may come back.
  return budget <= before.budget ? before : null;
}

function choose(
  { session, reason, tip }: PromptQuestion,
  asked: WindowQuestion,
  { messages, plannedTokens }: GatheredHistory,
): ChosenWindow {
  const lastAnswer = messages.findLast((message) => message.role === 'assistant');
  const chosen = chooseWindow(asked, {
    plannedTokens,
    isCut: messages.length <= tip.depth,
    isFirstTurn: lastAnswer === undefined && messages.length === tip.depth + 1,
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
  { session, model, request, tip }: PromptQuestion,
  plan: {
    readonly limits: WindowLimits;
    readonly history: GatheredHistory;
    readonly summary: string | null;
    readonly window: number | null;
    readonly sent: number;
  },
): PromptMark {
  const { history, summary } = plan;
  const [first] = history.messages;
  const { options } = request;
  const reloading = RELOADING_OPTIONS.map((name) => options[name] ?? null);
  return {
    model: session.model,
    weights: weightsOf(model, session.model),
    digest: model?.digest ?? null,
    window: plan.window,
    budget: plan.limits.budget,
    options: JSON.stringify([thinkOf(model, request.think), ...reloading]),
    systemId: session.systemId,
    summary,
    startId: first?.message_id ?? null,
    start: first?.depth ?? 0,
    tip,
    sent: plan.sent,
    answerId: null,
    usedTokens: null,
  };
}
