// Whether a message can be answered at all, whatever else stays out.
import { MochiError } from '../../contract/errors.ts';
import type { PathPlace } from '../../store/path-place.ts';
import { windowLimits } from '../../window/choose-window.ts';
import { addSizes, estimateTokens, NO_SIZE, type PromptSize, sizeOf } from '../../window/estimate.ts';
import {
  type AskedRequest,
  askWindow,
  findSystem,
  formatTokens,
  ownSize,
  type PlanDeps,
} from './ask-window.ts';
import { toolsSize } from './offered-tools.ts';
import { readExchanges } from './read-history.ts';

/**
 * The system prompt and the newest exchange must fit the largest window, before anything of it is stored.
 * @param question `tip`: the stored message to answer; null: the new one of the request. `results` of calls, which come
 *   with the request. `system`: what will be the system prompt; left out: the session's
 * @throws MochiError context_overflow
 */
export async function checkFits(
  deps: PlanDeps,
  question: AskedRequest & {
    readonly tip: PathPlace | null;
    readonly results?: PromptSize;
    readonly system?: string;
  },
): Promise<void> {
  const { session, request, model, tip, results = NO_SIZE } = question;
  // Whatever is wrong with a model that nobody could ask about, it is not the message.
  if (model === null) return;
  const { system: content } = question;
  const system = content === undefined ? await findSystem(deps, session, request) : { content };
  const newest = tip === null ? null : await readNewest(deps, session.session_id, tip);
  const asks = newest ?? sizeOf({ content: request.message ?? '', images: request.images });
  const message = addSizes(asks, results);
  const ratio = deps.tokenRatios.current(session.model);
  const own = ownSize(model, system !== null);
  const toolTokens = estimateTokens(toolsSize(question), ratio);
  const systemTokens = estimateTokens(system === null ? own : addSizes(own, sizeOf(system)), ratio);
  const messageTokens = estimateTokens(message, ratio) + formatTokens(deps, question);
  const required = systemTokens + toolTokens + messageTokens;
  const asked = askWindow(deps, question);
  const { largest, most } = windowLimits(asked);
  if (required <= most) return;
  const isLoadable = asked.loadableWindow !== largest;
  throw overflow({ systemTokens, toolTokens, messageTokens }, { largest, most, isLoadable });
}

/** @param window the largest there may be, and what a prompt may take of it; whether a larger one could not be loaded */
export function overflow(
  tokens: { readonly systemTokens: number; readonly toolTokens: number; readonly messageTokens: number },
  window: { readonly largest: number; readonly most: number; readonly isLoadable: boolean },
): MochiError {
  const { systemTokens, toolTokens, messageTokens } = tokens;
  const { largest, most, isLoadable } = window;
  const others = besideText(systemTokens, toolTokens);
  const why = isLoadable
    ? ''
    : ' A larger window could not be loaded for want of memory (MOCHI_MAX_CONTEXT_WINDOW).';
  return new MochiError(
    'context_overflow',
    `The message does not fit: it needs about ${messageTokens} tokens${others} and a window of ${largest} tokens leaves ${most} for the prompt. ${advice(tokens)}, or use a model or a window that holds more.${why}`,
    {
      required_tokens: systemTokens + toolTokens + messageTokens,
      message_tokens: messageTokens,
      system_tokens: systemTokens,
      ...(toolTokens > 0 && { tools_tokens: toolTokens }),
      prompt_budget: most,
      window: largest,
    },
  );
}

function besideText(systemTokens: number, toolTokens: number): string {
  const tokens = systemTokens + toolTokens;
  if (tokens === 0) return '';
  const names = [systemTokens > 0 && 'the system prompt', toolTokens > 0 && 'the tools'];
  return `, beside ${names.filter(Boolean).join(' and ')} of about ${tokens},`;
}

/** What to do about the largest part. */
function advice(tokens: { systemTokens: number; toolTokens: number; messageTokens: number }): string {
  const { systemTokens, toolTokens, messageTokens } = tokens;
  if (toolTokens > Math.max(systemTokens, messageTokens)) return 'Offer fewer tools';
  return systemTokens > messageTokens ? 'Shorten the system prompt' : 'Shorten it';
}

/** The size of the newest exchange; null when there is none. */
async function readNewest(deps: PlanDeps, sessionId: string, tip: PathPlace): Promise<PromptSize | null> {
  for await (const exchange of readExchanges(deps.db, sessionId, tip.depth)) return exchange.size;
  return null;
}
