// A conversation for a question about it (summary, title). It begins with the messages that the chat sent, so that
// the engine answers from what it has read already, and the next turn finds its own prompt still read.

import type { EngineMessage } from '../../contract/engine.ts';
import type { PromptMessage } from '../../store/messages.ts';
import { listToolCalls } from '../../store/tool-calls.ts';
import type { Conversation, ConversationQuestion } from '../../summaries/summary-deps.ts';
import { limitAnswer } from '../../window/answer-limit.ts';
import {
  chooseWindow,
  type WindowLimits,
  type WindowQuestion,
  windowLimits,
} from '../../window/choose-window.ts';
import {
  addSizes,
  type BytesPerToken,
  estimateTokens,
  mostTokens,
  sizeOf,
  textTokens,
} from '../../window/estimate.ts';
import { measureText } from '../../window/text-size.ts';
import type { TurnDeps } from '../turn-deps.ts';
import { findSystem, type PlanDeps } from './ask-window.ts';
import { buildPrompt, type Prelude, readableBy } from './build-prompt.ts';
import { gatherHistory } from './gather-history.ts';
import { learnWindows } from './learn-windows.ts';
import { readExchanges } from './read-history.ts';

/** What Ollama gives a model where nobody says anything, at least. */
const LEAST_DEFAULT_WINDOW = 4096;

/** Whole exchanges, the newest first, as many as fit the window in use. Never climbs, never reloads. */
export async function readConversation(
  deps: PlanDeps & Pick<TurnDeps, 'engine'>,
  question: ConversationQuestion,
): Promise<Conversation> {
  const { session, model, instruction, share } = question;
  // Another program, or this one before its restart, may have loaded it.
  if (deps.modelWindows.loaded(model.weights) === null) await learnWindows(deps);
  const { window, limits } = windowInUse(deps, question);
  const instructionTokens = estimateTokens(
    sizeOf({ content: instruction }),
    deps.tokenRatios.current(model.name),
  );
  const room = Math.floor(limits.budget * share) - instructionTokens;
  const { prelude, history } = await readNewest(deps, question, room);
  const callers = history.filter((message) => message.tool_calls !== null);
  const calls = await listToolCalls(
    deps.db,
    session.session_id,
    callers.map(({ message_id: id }) => id),
  );
  const messages = readableBy(model, buildPrompt(prelude, history, calls));
  const answerTokens = roomForAnswer(deps, question, { messages, window: limits.largest });
  return { messages, window, answerTokens };
}

/** The window with which the model is loaded; where that is not known, the one that a short chat would ask for. */
function windowInUse(
  deps: PlanDeps,
  { session, model, replyTokens }: ConversationQuestion,
): { readonly window: number | null; readonly limits: WindowLimits } {
  const isOwn = model.name === session.model;
  const { context_window: config } = session;
  const loaded = deps.modelWindows.loaded(model.weights);
  const asked: WindowQuestion = {
    config: { ...config, manual_override: isOwn && config.manual_override },
    ...deps.windowPolicy,
    firstWindow: model.wishedWindow ?? deps.windowPolicy.firstWindow,
    trainedLength: model.trainedLength,
    turnWindow: null,
    atLeast: null,
    // After a restart the session remembers on which step its model stood.
    modelWindow: deps.modelWindows.current(model.weights) ?? (isOwn ? config.current_window : null),
    loadedWindow: loaded,
    loadableWindow: deps.loadFailures.loadable(model.weights),
    numPredict: replyTokens,
    usualReserve: replyTokens,
  };
  const chosen = chooseWindow(asked, {
    plannedTokens: 0,
    isCut: false,
    isFirstTurn: false,
    hasModelChanged: false,
  });
  // Left to the engine, it stays so: any number would make it load the model anew.
  const window = chosen.window === null ? null : (loaded ?? chosen.window);
  const limits = windowLimits({ ...asked, turnWindow: window ?? loaded ?? LEAST_DEFAULT_WINDOW });
  return { window, limits };
}

/** A small window may hold less than what was asked for. */
function roomForAnswer(
  deps: PlanDeps,
  { model, instruction, replyTokens }: ConversationQuestion,
  sent: { readonly messages: readonly EngineMessage[]; readonly window: number },
): number {
  const ratio = deps.tokenRatios.current(model.name);
  const size = sent.messages.reduce(
    (sum, { toolCalls = [], ...message }) =>
      addSizes(sum, sizeOf({ ...message, tool_calls: toolCalls.length > 0 ? toolCalls : null })),
    sizeOf({ content: instruction }),
  );
  const limit = limitAnswer({
    window: sent.window,
    plannedTokens: estimateTokens(size, ratio),
    mostTokens: mostTokens(size, ratio),
    reserve: replyTokens,
    numPredict: replyTokens,
  });
  return limit.tokens ?? replyTokens;
}

interface Readable {
  readonly prelude: Prelude;
  readonly history: readonly PromptMessage[];
}

async function readNewest(deps: PlanDeps, question: ConversationQuestion, room: number): Promise<Readable> {
  const { session, model } = question;
  const { session_id: sessionId, systemId, promptMark: mark } = session;
  const bytesPerToken = deps.tokenRatios.current(model.name);
  const tokensOf = (content: string) => estimateTokens(sizeOf({ content }), bytesPerToken);
  const system = (await findSystem(deps, session))?.content ?? null;
  const previous = mark?.model === model.name && mark.systemId === systemId ? mark : null;
  const gathered = await gatherHistory({
    db: deps.db,
    sessionId,
    tip: { id: session.headId ?? '', depth: session.headDepth },
    budget: room,
    fixedTokens:
      (system === null ? 0 : tokensOf(system)) + (previous?.summary == null ? 0 : tokensOf(previous.summary)),
    summaryTokens: 0,
    bytesPerToken,
    previous,
  });
  const { messages: history } = gathered;
  if (gathered.plannedTokens > room) {
    return { prelude: { system: null, summary: null }, history: await shortenNewest(deps, question, room) };
  }
  const isAsBefore = previous !== null && history[0]?.message_id === previous.startId;
  return { prelude: { system, summary: isAsBefore ? previous.summary : null }, history };
}

/** An exchange that is too long for itself: the beginnings of its question and its answer. */
async function shortenNewest(
  deps: PlanDeps,
  { session, model }: ConversationQuestion,
  room: number,
): Promise<PromptMessage[]> {
  for await (const { messages } of readExchanges(deps.db, session.session_id, session.headDepth)) {
    const question = messages.find(({ role }) => role === 'user');
    const answer = messages.findLast(({ role }) => role === 'assistant');
    const kept = [question, answer].filter((message) => message !== undefined);
    // Half of the room: one part of a text may cost more tokens than another.
    const tokens = Math.max(0, room) / kept.length / 2;
    return kept.map((message) => shorten(message, tokens, deps.tokenRatios.current(model.name)));
  }
  return [];
}

function shorten(message: PromptMessage, tokens: number, ratio: BytesPerToken): PromptMessage {
  const { images: _images, ...text } = message;
  const { content } = message;
  const part = Math.min(1, tokens / Math.max(1, textTokens(measureText(content), ratio)));
  const cut = part < 1 ? content.slice(0, Math.floor(content.length * part)).toWellFormed() : content;
  return { ...text, thinking: null, tool_calls: null, content: cut };
}
