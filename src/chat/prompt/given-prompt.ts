// The plan of a prompt that came whole with its request, and is stored nowhere.
import type { EngineMessage } from '../../contract/engine.ts';
import { chooseWindow, type WindowLimits, windowLimits } from '../../window/choose-window.ts';
import {
  addSizes,
  type BytesPerToken,
  estimateTokens,
  NO_SIZE,
  type PromptSize,
  sizeOf,
} from '../../window/estimate.ts';
import type { PassingRequest } from '../passing-request.ts';
import { answerRoom } from './answer-room.ts';
import {
  type AskedRequest,
  askWindow,
  formatTokens,
  nudgeOf,
  nudgeSize,
  type PlanDeps,
} from './ask-window.ts';
import { overflow } from './check-fits.ts';
import { toMark } from './mark-prompt.ts';
import { forcedOf, offeredTools, toolsSize } from './offered-tools.ts';
import { fixedSize, type PromptPlan, type PromptQuestion } from './plan-prompt.ts';
import { planReceipt } from './plan-receipt.ts';

/** What the model is to see. */
export type GivenPrompt = Pick<PassingRequest, 'system' | 'messages' | 'truncation' | 'completion'>;

/** Something has to stay out: this part of the budget is filled then, so that the next requests begin alike. */
const FILLED_PART = 0.75;

/** Everything, or the newest whole exchanges where older ones may stay out. */
export function planGiven(deps: PlanDeps, question: PromptQuestion, given: GivenPrompt): PromptPlan {
  const ratio = question.ratio ?? deps.tokenRatios.current(question.session.model);
  const asked = askWindow(deps, question);
  const limits = windowLimits(asked);
  const { loadedWindow: loaded } = asked;
  const fixed = addSizes(besideSize(question, given), nudgeSize(question));
  const room = limits.budget - formatTokens(deps, question) - estimateTokens(fixed, ratio);
  const start = given.truncation === 'refuse' ? 0 : firstSent(given.messages, { ratio, room });
  const sent = given.messages.slice(start);
  const size = addSizes(fixed, sizesOf(sent));
  const history = {
    messages: [],
    size,
    plannedTokens: estimateTokens(size, ratio),
    counted: null,
    isCutAnew: start > 0,
  };
  const chosen = chooseWindow(asked, {
    plannedTokens: history.plannedTokens,
    isCut: start > 0,
    isFirstTurn: !given.messages.some(({ role }) => role === 'assistant'),
    hasModelChanged: false,
  });
  const { window } = chosen;
  const system: EngineMessage[] = given.system === null ? [] : [{ role: 'system', content: given.system }];
  const messages = [...system, ...sent];
  const mark = toMark(question, { limits, history, summary: null, window, sent: messages.length });
  const answer = answerRoom(deps, question, { asked, window, history, size });
  const { reason } = question;
  return {
    messages,
    nudge: nudgeOf(question),
    tools: offeredTools(question),
    forced: forcedOf(question),
    chosen: reason === null ? chosen : { ...chosen, reason },
    answer,
    size,
    // What was refused is told apart by where it began.
    mark: { ...mark, startId: String(start) },
    receipt: planReceipt(deps, question, {
      chosen,
      answer,
      loaded,
      plannedTokens: history.plannedTokens,
      sent: messages.length,
      leftOut: start,
      isSummaryUsed: false,
      isFirst: true,
      prefixReused: 0,
      cacheBreak: null,
    }),
  };
}

/**
 * What may not stay out must fit the largest window.
 * @throws MochiError context_overflow
 */
export function checkGiven(deps: PlanDeps, question: AskedRequest, given: GivenPrompt): void {
  // Whatever is wrong with a model that nobody could ask about, it is not the message.
  if (question.model === null) return;
  const asked = askWindow(deps, question);
  const ratio = deps.tokenRatios.current(question.session.model);
  const { messages, system } = given;
  const newest = messages.findLastIndex(({ role }) => role === 'user');
  const needed = given.truncation === 'refuse' ? messages : messages.slice(Math.max(0, newest));
  const toolTokens = estimateTokens(toolsSize(question), ratio);
  const besideTokens = estimateTokens(besideSize(question, given), ratio) - toolTokens;
  const messageTokens = estimateTokens(sizesOf(needed), ratio) + formatTokens(deps, question);
  const limits: WindowLimits = windowLimits(asked);
  if (besideTokens + toolTokens + messageTokens <= limits.most) return;
  throw overflow(
    {
      systemTokens: system === null ? 0 : besideTokens,
      toolTokens,
      messageTokens: messageTokens + (system === null ? besideTokens : 0),
    },
    { ...limits, isLoadable: asked.loadableWindow !== limits.largest },
  );
}

function besideSize(question: AskedRequest, { system }: GivenPrompt): PromptSize {
  const fixed = fixedSize(question, system !== null);
  return system === null ? fixed : addSizes(fixed, sizeOf({ content: system }));
}

function sizesOf(messages: readonly EngineMessage[]): PromptSize {
  return messages.reduce((sum, message) => addSizes(sum, sizeOfGiven(message)), NO_SIZE);
}

function sizeOfGiven({ toolCalls = [], ...message }: EngineMessage): PromptSize {
  return sizeOf({ ...message, tool_calls: toolCalls.length > 0 ? toolCalls : null });
}

/**
 * Where the prompt begins: at a user message. Found by going through the conversation as it came to be, so that the same
 * place is found for what it grows to, without having kept anything.
 */
function firstSent(
  messages: readonly EngineMessage[],
  { ratio, room }: { readonly ratio: BytesPerToken; readonly room: number },
): number {
  const exchanges: { readonly start: number; tokens: number }[] = [];
  let first = 0;
  let total = 0;
  for (const [index, message] of messages.entries()) {
    const tokens = estimateTokens(sizeOfGiven(message), ratio);
    total += tokens;
    const open = exchanges.at(-1);
    if (open === undefined || message.role === 'user') exchanges.push({ start: index, tokens });
    else open.tokens += tokens;
    if (total <= room) continue;
    for (; first < exchanges.length - 1 && total > room * FILLED_PART; first += 1) {
      total -= exchanges[first]?.tokens ?? 0;
    }
  }
  return exchanges[first]?.start ?? 0;
}
