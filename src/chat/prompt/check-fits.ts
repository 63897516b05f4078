// Whether a message can be answered at all, whatever else stays out.
import { MochiError } from '../../contract/errors.ts';
import type { PathPlace } from '../../store/path-place.ts';
import { windowLimits } from '../../window/choose-window.ts';
import { addSizes, estimateTokens, type PromptSize, sizeOf } from '../../window/estimate.ts';
import {
  askWindow,
  findSystem,
  formatTokens,
  ownSize,
  type PlanDeps,
  type PlannedRequest,
} from './ask-window.ts';
import { readExchanges } from './read-history.ts';

/**
 * The system prompt and the newest exchange must fit the largest window, before anything of it is stored.
 * @param tip the stored message to answer; null: the new one of the request
 * @throws MochiError context_overflow
 */
export async function checkFits(
  deps: PlanDeps,
  question: PlannedRequest & { readonly tip: PathPlace | null },
): Promise<void> {
  const { session, request, model, tip } = question;
  // Whatever is wrong with a model that nobody could ask about, it is not the message.
  if (model === null) return;
  const system = await findSystem(deps, session);
  const newest = tip === null ? null : await readNewest(deps, session.session_id, tip);
  const message = newest ?? sizeOf({ content: request.message ?? '', images: request.images });
  const ratio = deps.tokenRatios.current(session.model);
  const own = ownSize(model, system !== null);
  const systemTokens = estimateTokens(system === null ? own : addSizes(own, sizeOf(system)), ratio);
  const messageTokens = estimateTokens(message, ratio) + formatTokens(deps, question);
  const required = systemTokens + messageTokens;
  const asked = askWindow(deps, question);
  const { largest, most } = windowLimits(asked);
  if (required <= most) return;
  const beside = systemTokens === 0 ? '' : `, beside the system prompt of about ${systemTokens},`;
  const shorten = systemTokens > messageTokens ? 'the system prompt' : 'it';
  const why =
    asked.loadableWindow === largest
      ? ' A larger window could not be loaded for want of memory (MOCHI_MAX_CONTEXT_WINDOW).'
      : '';
  throw new MochiError(
    'context_overflow',
    `The message does not fit: it needs about ${messageTokens} tokens${beside} and a window of ${largest} tokens leaves ${most} for the prompt. Shorten ${shorten}, or use a model or a window that holds more.${why}`,
    {
      required_tokens: required,
      message_tokens: messageTokens,
      system_tokens: systemTokens,
      prompt_budget: most,
      window: largest,
    },
  );
}

/** The size of the newest exchange; null when there is none. */
async function readNewest(deps: PlanDeps, sessionId: string, tip: PathPlace): Promise<PromptSize | null> {
  for await (const exchange of readExchanges(deps.db, sessionId, tip.depth)) return exchange.size;
  return null;
}
