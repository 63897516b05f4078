// The events of a turn folded into the plain answer.
import type { WatchableTurn } from '../chat/watch/live-turn.ts';
import type { ChatAnswer } from '../contract/chat.ts';
import { type ErrorBody, kindOf, MochiError } from '../contract/errors.ts';
import type { ExecutedToolCall } from '../contract/tool.ts';
import type { SnapshotToolCall } from '../contract/turn-snapshot.ts';

/** @throws MochiError what the turn failed with */
export async function foldAnswer(turn: WatchableTurn): Promise<ChatAnswer> {
  const executed: ExecutedToolCall[] = [];
  let asked: Record<string, unknown> = {};
  let answer: ChatAnswer | null = null;
  let failure: ErrorBody | null = null;
  for await (const batch of turn.watch(0, new AbortController().signal)) {
    for (const { event } of batch) {
      switch (event.event) {
        case 'tool_call':
          asked = event.data.arguments;
          break;
        case 'tool_result':
          executed.push({ name: event.data.tool_name, arguments: asked, success: event.data.success });
          break;
        case 'snapshot':
          executed.push(...event.data.tool_calls.map(toExecuted));
          break;
        case 'message_complete':
          answer = {
            session_id: turn.sessionId,
            message: event.data.message,
            tool_calls_executed: executed,
            context_window: event.data.context_window,
            turn_id: turn.turnId,
            context: event.data.context,
          };
          break;
        case 'error':
          failure = event.data;
          break;
        default:
      }
    }
  }
  if (answer !== null) return answer;
  throw toMochiError(failure);
}

function toMochiError(failure: ErrorBody | null): MochiError {
  const kind = kindOf(failure?.code ?? '');
  if (failure === null || kind === null)
    return new MochiError(
      'internal_error',
      'The turn ended without an answer. Send message: null to try again.',
    );
  return new MochiError(kind, failure.message, failure.details);
}

function toExecuted(call: SnapshotToolCall): ExecutedToolCall {
  return { name: call.tool_name, arguments: call.arguments, success: call.success === true };
}
