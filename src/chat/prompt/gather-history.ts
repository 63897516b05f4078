// Which messages of a path go into a prompt: all of them while they fit, else the newest whole exchanges.

import type { Db } from '../../store/database.ts';
import type { PromptMessage } from '../../store/messages.ts';
import type { PathPlace } from '../../store/path-place.ts';
import type { PromptMark } from '../../store/prompt-mark.ts';
import {
  addSizes,
  type BytesPerToken,
  estimateTokens,
  NO_SIZE,
  type PromptSize,
} from '../../window/estimate.ts';
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
  readonly bytesPerToken: BytesPerToken;
  /** The prompt before, where this one may go on from it. */
  readonly previous: PromptMark | null;
}

export interface GatheredHistory {
  /** In order. */
  readonly messages: readonly PromptMessage[];
  readonly size: PromptSize;
  /** Of the whole prompt, by the engine's own count where there is one. */
  readonly plannedTokens: number;
  /** What the engine has counted of it; null: nothing. */
  readonly counted: CountedPart | null;
  /** Whether the first message is another one than before, because something had to stay out. */
  readonly isCutAnew: boolean;
}

/** The beginning of a prompt, up to the answer before, as the engine has counted it. */
interface CountedPart {
  readonly tokens: number;
  /** What came since. */
  readonly since: PromptSize;
}

/** The newest exchange always goes in: that it fits was seen before. */
export async function gatherHistory(question: HistoryQuestion): Promise<GatheredHistory> {
  const { budget, fixedTokens, bytesPerToken, previous } = question;
  const taken: { readonly exchange: Exchange; readonly tokens: number }[] = [];
  let estimated = fixedTokens;
  let newer = NO_SIZE;
  let counted: CountedPart | null = null;
  let isCutAnew = false;
  const limit = Math.floor(budget * FILLED_PART) - question.summaryTokens;
  const exchanges = readExchanges(question.db, question.sessionId, question.tip.depth);
  for await (const exchange of exchanges) {
    const tokens = estimateTokens(exchange.size, bytesPerToken);
    counted ??= countFrom(exchange, newer, question);
    const whole = counted === null ? estimated + tokens : plannedFrom(counted, bytesPerToken);
    if (taken.length > 0 && whole > budget) isCutAnew = true;
    if (isCutAnew && estimated + tokens > limit) break;
    taken.push({ exchange, tokens });
    estimated += tokens;
    newer = addSizes(newer, exchange.size);
    if (!isCutAnew && exchange.messages[0]?.message_id === previous?.startId) break;
  }
  if (isCutAnew) {
    while (taken.length > 1 && estimated > limit) estimated -= taken.pop()?.tokens ?? 0;
  }
  const kept = taken.map(({ exchange }) => exchange).toReversed();
  const part = isCutAnew ? null : counted;
  return {
    messages: kept.flatMap((exchange) => exchange.messages),
    size: kept.reduce((sum, exchange) => addSizes(sum, exchange.size), NO_SIZE),
    plannedTokens:
      part === null ? estimated + (isCutAnew ? question.summaryTokens : 0) : plannedFrom(part, bytesPerToken),
    counted: part,
    isCutAnew,
  };
}

function plannedFrom({ tokens, since }: CountedPart, bytesPerToken: BytesPerToken): number {
  return tokens + estimateTokens(since, bytesPerToken);
}

/** @returns null where the answer before is not in this exchange, or was not counted */
function countFrom(
  { messages }: Exchange,
  newer: PromptSize,
  { previous }: HistoryQuestion,
): CountedPart | null {
  if (previous === null || previous.usedTokens === null) return null;
  const answer = messages.findIndex((message) => message.message_id === previous.answerId);
  if (answer === -1) return null;
  return { tokens: previous.usedTokens, since: addSizes(totalSize(messages.slice(answer + 1)), newer) };
}
