// The plan of one model call: which window, which messages, and the receipt that says so.
import type { ContextReceipt, WindowReason } from '../../contract/context-window.ts';
import type { EngineMessage } from '../../contract/engine.ts';
import { findMessage, type PromptMessage } from '../../store/messages.ts';
import type { PathPlace } from '../../store/path-place.ts';
import type { PromptMark } from '../../store/prompt-mark.ts';
import type { StoredSession } from '../../store/sessions.ts';
import { listToolCalls } from '../../store/tool-calls.ts';
import type { RegisteredTool } from '../../tools/registered-tool.ts';
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
  type PromptSize,
  sizeOf,
} from '../../window/estimate.ts';
import { answerRoom } from './answer-room.ts';
import {
  type AskedRequest,
  askWindow,
  findSystem,
  formatTokens,
  nudgeOf,
  nudgeSize,
  ownSize,
  type PlanDeps,
  type PlannedRequest,
  systemMark,
} from './ask-window.ts';
import { buildPrompt, countStored, systemText } from './build-prompt.ts';
import { comparePrompts, isSameOffer } from './compare-prompts.ts';
import { type GatheredHistory, gatherHistory } from './gather-history.ts';
import { toMark } from './mark-prompt.ts';
import { forcedOf, offeredTools, toolsDigest, toolsSize } from './offered-tools.ts';
import { planReceipt } from './plan-receipt.ts';

export interface PromptPlan {
  /** None, once the engine has them. */
  messages: readonly EngineMessage[];
  /** Said after them, and stored nowhere; null: nothing. */
  readonly nudge: string | null;
  /** What the model is offered, in this order. */
  readonly tools: readonly RegisteredTool[];
  /** One of these has to be called: asked for as structured output, and not sent as tools. None: it does as it likes. */
  readonly forced: readonly RegisteredTool[];
  readonly chosen: ChosenWindow;
  /** What the answer may take. */
  readonly answer: AnswerLimit;
  readonly receipt: ContextReceipt;
  /** Of what is sent: what the engine's count is held against. */
  readonly size: PromptSize;
  /** What the next prompt is planned on top of, once this one was answered. */
  mark: PromptMark;
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
  const system = await findSystem(deps, session, question.request);
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
  const content = systemText(prelude);
  const own = addSizes(fixedSize(question, content !== null), nudgeSize(question));
  const said = content === null ? own : addSizes(own, sizeOf({ content }));
  const size = addSizes(said, history.size);
  const answer = answerRoom(deps, question, { asked, window, history, size });
  return {
    messages: prompt,
    nudge: nudgeOf(question),
    tools: offeredTools(question),
    forced: forcedOf(question),
    chosen,
    answer,
    size,
    mark,
    receipt: planReceipt(deps, question, {
      chosen,
      answer,
      loaded,
      plannedTokens: history.plannedTokens,
      sent: mark.sent,
      leftOut: tip.depth + 1 - messages.length,
      isSummaryUsed: summary !== null,
      isFirst: before === null,
      ...compared,
    }),
  };
}

/** What stands around the conversation whatever it is. */
export function fixedSize(question: AskedRequest, hasSystem: boolean): PromptSize {
  return addSizes(ownSize(question.model, hasSystem), toolsSize(question));
}

function callersOf(messages: readonly PromptMessage[]): string[] {
  return messages.filter((message) => message.tool_calls !== null).map((message) => message.message_id);
}

async function gather(
  deps: PlanDeps,
  question: PromptQuestion,
  fixed: { readonly system: Pick<PromptMessage, 'content'> | null; readonly limits: WindowLimits },
): Promise<{ readonly history: GatheredHistory; readonly summary: string | null }> {
  const { session, tip } = question;
  const { system, limits } = fixed;
  const bytesPerToken = question.ratio ?? deps.tokenRatios.current(session.model);
  const tokensOf = (content: string) => estimateTokens(sizeOf({ content }), bytesPerToken);
  const before = continuable(question, limits);
  const newSummary = await summaryOfPath(deps, session);
  const summaryTokens = newSummary === null ? 0 : tokensOf(newSummary);
  const history = await gatherHistory({
    db: deps.db,
    sessionId: session.session_id,
    tip,
    budget: limits.budget - formatTokens(deps, question),
    fixedTokens:
      estimateTokens(addSizes(fixedSize(question, system !== null), nudgeSize(question)), bytesPerToken) +
      (system === null ? 0 : tokensOf(system.content)) +
      (before?.summary == null ? 0 : tokensOf(before.summary)),
    summaryTokens,
    bytesPerToken,
    previous: before,
  });
  const isAllSent = history.messages.length === tip.depth + 1;
  // A newer summary would break the prompt at its first message: it waits until that breaks anyway.
  const isAsBefore = before !== null && history.messages[0]?.message_id === before.startId;
  if (isAllSent) return { history, summary: null };
  if (isAsBefore) return { history, summary: before.summary };
  // The message comes first: beside one that nearly fills the window there is no room for more.
  if (history.plannedTokens <= limits.most) return { history, summary: newSummary };
  return { history: { ...history, plannedTokens: history.plannedTokens - summaryTokens }, summary: null };
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
function continuable(question: PromptQuestion, { budget }: WindowLimits): PromptMark | null {
  const { session, before, ratio } = question;
  // A count that has just been proved wrong is nothing to go on from.
  if (
    before === null ||
    ratio !== null ||
    before.model !== session.model ||
    before.systemId !== systemMark(question) ||
    // What was counted holds the tools of then.
    !isSameOffer(before, { tools: toolsDigest(question) })
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
