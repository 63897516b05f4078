// The end of a turn that has an answer.
import type { AnswerMessage } from '../../contract/chat.ts';
import type { EngineUsage } from '../../contract/engine.ts';
import type { TurnEvent } from '../../contract/turn-event.ts';
import type { TurnDeps } from '../turn-deps.ts';
import { finishAnswer } from './finish-step.ts';
import { parseStructured } from './structured-output.ts';
import { NO_ENDING, type TurnEnding } from './turn-ending.ts';
import type { RunningTurn, TurnProgress } from './turn-progress.ts';

/** Stores the answer, then says so: what a client heard of is on disk. */
export async function completeAnswer(
  deps: TurnDeps,
  turn: RunningTurn,
  progress: TurnProgress,
  { usage, ending = NO_ENDING }: { readonly usage: EngineUsage; readonly ending?: TurnEnding },
): Promise<TurnEvent[]> {
  const { draft } = progress;
  if (draft === null) throw new Error('A turn cannot be complete without an answer.');
  const { request } = turn;
  const parsed =
    request.format === null ? undefined : parseStructured(request.format, draft.content, draft.finishReason);
  const finished = await finishAnswer(deps, turn, progress, {
    usage,
    failure: parsed?.failure ?? null,
    ending,
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
  const complete: TurnEvent = {
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
      usage: progress.usage,
    },
  };
  return [...ending.events, complete];
}
