// The events of a turn folded into the plain answer.
import { agentArguments } from '../chat/watch/agent-arguments.ts';
import type { WatchableTurn } from '../chat/watch/live-turn.ts';
import type { ChatAnswer } from '../contract/chat.ts';
import { type ErrorBody, kindOf, MochiError } from '../contract/errors.ts';
import type { ExecutedToolCall } from '../contract/tool.ts';
import type { TurnEvent } from '../contract/turn-event.ts';
import type { SnapshotToolCall } from '../contract/turn-snapshot.ts';

/** The answer; that the turn waits for a person; or that the client has left. */
type PlainAnswer = ChatAnswer | 'waiting' | 'left';

interface Folding {
  readonly turn: WatchableTurn;
  readonly executed: ExecutedToolCall[];
  /** Of calls of agents, by their runs. */
  readonly agents: Map<string, Record<string, unknown>>;
  /** With which the last call was told. */
  asked: Record<string, unknown>;
  isWaiting: boolean;
  answer: ChatAnswer | null;
  failure: ErrorBody | null;
}

/**
 * @param returns whether a turn that waits for a person is an answer
 * @throws MochiError what the turn failed with
 */
export async function foldAnswer(
  turn: WatchableTurn,
  { returns, signal }: { readonly returns: boolean; readonly signal: AbortSignal },
): Promise<PlainAnswer> {
  const folding: Folding = {
    turn,
    executed: [],
    agents: new Map(),
    asked: {},
    isWaiting: false,
    answer: null,
    failure: null,
  };
  for await (const batch of turn.watch(0, signal)) {
    for (const { event } of batch) fold(folding, event);
    // What it waited for once may be decided since: the end of what there is counts.
    if (returns && folding.isWaiting) return 'waiting';
  }
  const { answer, failure } = folding;
  if (answer !== null) return answer;
  if (signal.aborted) return 'left';
  if (turn.loss !== null) throw turn.loss;
  throw toMochiError(failure);
}

function fold(folding: Folding, event: TurnEvent): void {
  const { turn, executed } = folding;
  switch (event.event) {
    case 'status':
      folding.isWaiting = event.data.phase === 'waiting_for_approval';
      break;
    case 'tool_call':
      folding.asked = event.data.arguments;
      break;
    case 'tool_call_confirmation_required':
      // What an agent of this turn asks is no call of its own.
      if ([null, turn.sessionId].includes(event.data.agent_session_id)) folding.asked = event.data.arguments;
      break;
    case 'tool_result': {
      const { tool_name: name, arguments: args = folding.asked, success } = event.data;
      executed.push({ name, arguments: args, success });
      break;
    }
    case 'agent_start':
      folding.agents.set(event.data.turn_id, agentArguments(event.data));
      break;
    case 'agent_complete': {
      const { agent_call_id: call, turn_id: run, success } = event.data;
      // A run of its own is no call.
      if (call !== null) executed.push({ name: 'agent', arguments: folding.agents.get(run) ?? {}, success });
      break;
    }
    case 'snapshot':
      folding.isWaiting = event.data.turn.state === 'waiting';
      // What is open is told again with its result.
      executed.push(...event.data.tool_calls.filter(({ success }) => success !== null).map(toExecuted));
      folding.asked = event.data.tool_calls.at(-1)?.arguments ?? {};
      break;
    case 'message_complete':
      folding.answer = {
        session_id: turn.sessionId,
        message: event.data.message,
        tool_calls_executed: executed,
        context_window: event.data.context_window,
        turn_id: turn.turnId,
        context: event.data.context,
      };
      break;
    case 'error':
      folding.failure = event.data;
      break;
    default:
  }
}

/** What a turn failed with. @param failure null: it has told nothing */
export function toMochiError(failure: ErrorBody | null): MochiError {
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
