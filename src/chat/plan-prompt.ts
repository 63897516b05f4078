// The plan of one model call: which window, which messages, and the receipt that says so.
import type { ContextReceipt, WindowReason } from '../contract/context-window.ts';
import type { EngineMessage, EngineModel } from '../contract/engine.ts';
import { type PathPlace } from '../store/active-path.ts';
import { listPath, type PromptMessage, SYSTEM_DEPTH } from '../store/messages.ts';
import type { StoredSession } from '../store/sessions.ts';
import { listToolCalls } from '../store/tool-calls.ts';
import { type ChosenWindow, chooseWindow } from '../window/choose-window.ts';
import { estimateMessage } from '../window/estimate.ts';
import { buildPrompt } from './build-prompt.ts';
import { type Exchange, readExchanges } from './read-history.ts';
import type { TurnDeps } from './turn-deps.ts';
import type { TurnRequest } from './turn-request.ts';

export interface PromptPlan {
  readonly messages: readonly EngineMessage[];
  readonly chosen: ChosenWindow;
  readonly receipt: ContextReceipt;
}

export interface PromptQuestion {
  readonly session: StoredSession;
  readonly model: EngineModel | null;
  readonly request: TurnRequest;
  /** The message to answer, or the last tool result. */
  readonly tip: PathPlace;
  /** Why the first call of this turn got its window; null for the first call. */
  readonly reason: WindowReason | null;
}

/**
 * The system prompt and the newest exchange always go in; older exchanges while they fit, newest first.
 * @throws MochiError context_overflow
 */
export async function planPrompt(deps: TurnDeps, question: PromptQuestion): Promise<PromptPlan> {
  const { session, tip } = question;
  const sessionId = session.session_id;
  const system = session.systemId === null ? null : await readSystem(deps, sessionId);
  const exchanges = readExchanges(deps.db, sessionId, tip.depth);
  const newest = await nextExchange(exchanges);
  let older = await nextExchange(exchanges);

  const requiredTokens = (system === null ? 0 : estimateMessage(system)) + (newest?.tokens ?? 0);
  const chosen = choose(deps, question, requiredTokens, [newest, older]);

  const history: (readonly PromptMessage[])[] = newest === null ? [] : [newest.messages];
  let plannedTokens = requiredTokens;
  while (older !== null && plannedTokens + older.tokens <= chosen.promptBudget) {
    history.unshift(older.messages);
    plannedTokens += older.tokens;
    older = await nextExchange(exchanges);
  }
  await exchanges.return();

  const sent = history.flat();
  const callers = sent.filter((message) => message.tool_calls !== null).map(({ message_id: id }) => id);
  return {
    messages: buildPrompt(system, sent, await listToolCalls(deps.db, sessionId, callers)),
    chosen,
    receipt: {
      window: chosen.window,
      window_reason: chosen.reason,
      planned_tokens: plannedTokens,
      prompt_tokens: null,
      output_tokens: null,
      messages_sent: sent.length + (system === null ? 0 : 1),
      messages_left_out: tip.depth + 1 - sent.length,
    },
  };
}

/**
 * Whether the request could be answered at all, before anything of it is stored.
 * @param tip the stored message to answer; null: the new one of the request
 * @throws MochiError context_overflow
 */
export async function checkFits(
  deps: TurnDeps,
  question: Omit<PromptQuestion, 'tip' | 'reason'> & { readonly tip: PathPlace | null },
): Promise<void> {
  const { session, request } = question;
  const system = session.systemId === null ? null : await readSystem(deps, session.session_id);
  const { tip } = question;
  const newest = tip && (await nextExchange(readExchanges(deps.db, session.session_id, tip.depth)));
  const message = { content: request.message ?? '', images: request.images };
  const messageTokens = newest === null ? estimateMessage(message) : newest.tokens;
  const requiredTokens = (system === null ? 0 : estimateMessage(system)) + messageTokens;
  choose(deps, { ...question, reason: null }, requiredTokens, []);
}

function choose(
  deps: TurnDeps,
  question: Omit<PromptQuestion, 'tip'>,
  requiredTokens: number,
  exchanges: readonly (Exchange | null)[],
): ChosenWindow {
  const { session, model, request, reason } = question;
  const before = exchanges.flatMap((exchange) => exchange?.messages.toReversed() ?? []);
  const lastAnswer = before.find((message) => message.role === 'assistant');
  const chosen = chooseWindow({
    config: session.context_window,
    dynamicEnabled: deps.dynamicWindow,
    trainedLength: model?.trainedLength ?? null,
    isModelKnown: model !== null,
    turnWindow: request.options.num_ctx ?? null,
    modelWindow: deps.modelWindows.current(session.model),
    requiredTokens,
    numPredict: request.options.num_predict ?? null,
    isFirstTurn: lastAnswer === undefined,
    hasModelChanged: lastAnswer !== undefined && lastAnswer.model !== session.model,
  });
  return reason === null ? chosen : { ...chosen, reason };
}

async function readSystem(deps: TurnDeps, sessionId: string): Promise<PromptMessage | null> {
  const [system] = await listPath(deps.db, sessionId, { from: SYSTEM_DEPTH, to: SYSTEM_DEPTH });
  return system ?? null;
}

async function nextExchange(exchanges: AsyncGenerator<Exchange, void>): Promise<Exchange | null> {
  const next = await exchanges.next();
  return next.done ? null : next.value;
}
