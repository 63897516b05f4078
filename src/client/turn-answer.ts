// The events of a turn, read to the end for its answer.
import { MochiError } from './errors.ts';
import { foldTurn } from './fold-turn.ts';
import type { TurnEvent } from './turn-event.ts';
import { EMPTY_TURN } from './turn-view.ts';
import type { ChatAnswer, MessageCompleteEvent } from './wire.ts';

/**
 * @param again for a turn that succeeded before what was seen of it
 * @throws MochiError what the turn failed with
 */
export async function answerOf(
  events: AsyncIterable<TurnEvent>,
  again: (turnId: string) => Promise<ChatAnswer>,
): Promise<ChatAnswer> {
  let view = EMPTY_TURN;
  let complete: MessageCompleteEvent['data'] | null = null;
  for await (const event of events) {
    view = foldTurn(view, event);
    if (event.event === 'message_complete') complete = event.data;
  }
  const { error, state, sessionId, turnId, toolCalls } = view;
  if (complete !== null && sessionId !== null && turnId !== null) {
    return {
      session_id: sessionId,
      message: complete.message,
      tool_calls_executed: toolCalls
        .filter(({ success }) => success !== null)
        .map(({ name, arguments: given, success }) => ({
          name,
          arguments: given,
          success: success === true,
        })),
      context_window: complete.context_window,
      turn_id: turnId,
      context: complete.context,
    };
  }
  if (error !== null) throw new MochiError({ ...error, turnId });
  const hasSeenOnlyTheEnd = view.messageId === null && turnId !== null;
  if (hasSeenOnlyTheEnd && state === 'completed') return again(turnId);
  throw new MochiError({
    code: 'no_answer',
    message: `The turn ended without an answer (${state}). Send message: null to try again.`,
    turnId,
  });
}
