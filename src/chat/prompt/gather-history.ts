// Which messages of a path go into a prompt: all of them while they fit, else the newest whole exchanges.

import type { Db } from '../../store/database.ts';
import type { PromptMessage } from '../../store/messages.ts';
import type { PathPlace } from '../../store/path-place.ts';
import type { PromptMark } from '../../store/prompt-mark.ts';
import { addSizes, estimateTokens, NO_SIZE, type PromptSize } from '../../window/estimate.ts';
import { type Exchange, readExchanges, totalSize } from './read-history.ts';

/**
 * Where something must stay out, this part of the budget is filled: the next turns then go on from the same
 * first message, and the engine reads only what is new, instead of everything at every turn.
 */
const FILLED_PART = 0.75;

export interface HistoryQuestion {
  readonly db: Db;
  readonly sessionId: string;
  readonly tip: PathPlace;
  /** Estimated tokens that the prompt may take. */
  readonly budget: number;
  /** Tokens of what stands before the history. */
  readonly fixedTokens: number;
  /** Tokens of the summary that will stand for what is left out anew. */
  readonly summaryTokens: number;
  readonly bytesPerToken: number;
  /** The prompt before, where this one may go on from it. */
  readonly previous: PromptMark | null;
}

export interface GatheredHistory {
  /** In order. */
  readonly messages: readonly PromptMessage[];
  readonly size: PromptSize;
  /** Of the whole prompt, by the engine's own count where there is one. */
  readonly plannedTokens: number;
  /** Whether the first message is another one than before, because something had to stay out. */
  readonly isCutAnew: boolean;
}

/** The newest exchange always goes in: that it fits was seen before. */
export async function gatherHistory(question: HistoryQuestion): Promise<GatheredHistory> {
  const { budget, fixedTokens, bytesPerToken, previous } = question;
  const taken: { readonly exchange: Exchange; readonly tokens: number }[] = [];
  let estimated = fixedTokens;
  let counted: number | null = null;
  let isCutAnew = false;
  const limit = Math.floor(budget * FILLED_PART) - question.summaryTokens;
  const exchanges = readExchanges(question.db, question.sessionId, question.tip.depth);
  for await (const exchange of exchanges) {
    const tokens = estimateTokens(exchange.size, bytesPerToken);
    counted ??= countFrom(exchange, estimated - fixedTokens, question);
    if (taken.length > 0 && (counted ?? estimated + tokens) > budget) isCutAnew = true;
    if (isCutAnew && estimated + tokens > limit) break;
    taken.push({ exchange, tokens });
    estimated += tokens;
    if (!isCutAnew && exchange.messages[0]?.message_id === previous?.startId) break;
  }
  if (isCutAnew) {
    while (taken.length > 1 && estimated > limit) estimated -= taken.pop()?.tokens ?? 0;
  }
  const kept = taken.map(({ exchange }) => exchange).toReversed();
  return {
    messages: kept.flatMap((exchange) => exchange.messages),
    size: kept.reduce((sum, exchange) => addSizes(sum, exchange.size), NO_SIZE),
    plannedTokens: isCutAnew ? estimated + question.summaryTokens : (counted ?? estimated),
    isCutAnew,
  };
}

/** What the engine counted up to the answer before, and the estimate of what came since; null: not in this exchange. */
function countFrom(
  { messages }: Exchange,
  newerTokens: number,
  { previous, bytesPerToken }: HistoryQuestion,
): number | null {
  if (previous === null || previous.usedTokens === null) return null;
  const answer = messages.findIndex((message) => message.message_id === previous.answerId);
  if (answer === -1) return null;
  const since = totalSize(messages.slice(answer + 1));
  return previous.usedTokens + newerTokens + estimateTokens(since, bytesPerToken);
}
