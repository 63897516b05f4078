// The script of a chat: rounds of tools until the model rests; what it says then is the answer.
import type { AnswerMessage } from '../contract/chat.ts';
import type { EngineUsage } from '../contract/engine.ts';
import { MochiError } from '../contract/errors.ts';
import type { TurnEvent } from '../contract/turn-event.ts';
import { offerTools } from './offer-tools.ts';
import { askAgain } from './step/ask-again.ts';
import { finishAnswer } from './step/finish-step.ts';
import { parseStructured } from './step/structured-output.ts';
import type { RunningTurn, TurnProgress } from './step/turn-progress.ts';
import type { TurnDeps } from './turn-deps.ts';
import { toolSettingsOf } from './turn-request.ts';
import type { TurnScript } from './turn-script.ts';

export function createChatScript(deps: TurnDeps, turn: RunningTurn, progress: TurnProgress): TurnScript {
  const { session, request, live } = turn;
  return {
    offer: () => offerTools(deps, { session, request, signal: live.signal }),
    policy: async () => toolSettingsOf(session, request),
    async prepare() {
      if (progress.rounds >= deps.maxSteps) throw loopLimit(deps.maxSteps);
    },
    async *rest(usage) {
      const isAfterRound = progress.rounds > 0 || request.toolResults.length > 0;
      if (await askAgain(deps, progress, { usage, isAfterRound })) return false;
      yield [await complete(deps, turn, progress, usage)];
      return true;
    },
  };
}

function loopLimit(limit: number): MochiError {
  return new MochiError(
    'tool_loop_limit',
    `The model asked for tools ${limit} times in a row (MOCHI_MAX_TOOL_ITERATIONS). What happened is kept.`,
    { limit },
  );
}

/** Stores the answer, then says so: what a client heard of is on disk. */
async function complete(
  deps: TurnDeps,
  turn: RunningTurn,
  progress: TurnProgress,
  usage: EngineUsage,
): Promise<TurnEvent> {
  const { draft } = progress;
  if (draft === null) throw new Error('A turn cannot be complete without an answer.');
  const { request } = turn;
  const parsed =
    request.format === null ? undefined : parseStructured(request.format, draft.content, draft.finishReason);
  const finished = await finishAnswer(deps, turn, progress, {
    usage,
    failure: parsed?.failure ?? null,
  });
  if (parsed?.failure) throw parsed.failure;
  const message: AnswerMessage = {
    role: 'assistant',
    content: draft.content,
    model: draft.options.model,
    message_id: draft.options.messageId,
    timestamp: draft.options.timestamp,
    eval_count: usage.outputTokens,
    prompt_eval_count: usage.promptTokens,
    finish_reason: draft.finishReason,
    tool_calls: null,
    thinking: draft.thinking || null,
    ...(parsed !== undefined && { parsed: parsed.value }),
  };
  return {
    event: 'message_complete',
    data: {
      message_id: message.message_id,
      model: message.model,
      eval_count: message.eval_count,
      prompt_eval_count: message.prompt_eval_count,
      finish_reason: message.finish_reason,
      context_window: finished.contextWindow,
      message,
      context: finished.receipt,
    },
  };
}
