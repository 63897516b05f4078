// What a person is shown of a turn, and of the agents in it.
import type {
  AnswerMessage,
  Approval,
  ContextReceipt,
  ErrorObject,
  SnapshotToolCall,
  Turn,
  TurnUsage,
} from './wire.ts';

export interface ToolView {
  readonly toolCallId: string;
  /** Position inside of its message, from 0. */
  readonly callIndex: number;
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  /** Null while there is no result. */
  readonly success: boolean | null;
  /** What it answered, or why it could not. */
  readonly result: string | null;
  /** While it runs; a watcher who comes later does not learn it. */
  readonly progress: ToolProgress | null;
  /** Of a call of `agent` that has begun: what the agent does. A snapshot does not tell it. */
  readonly agent?: AgentView;
}

export interface ToolProgress {
  readonly message: string | null;
  readonly progress: number | null;
  readonly total: number | null;
}

export interface TurnView {
  readonly turnId: string | null;
  readonly sessionId: string | null;
  readonly state: Turn['state'];
  /** What the turn is at, unknown ones included; null: not told, or ended. */
  readonly phase: string | null;
  /** Turns ahead, in phase `queued`. */
  readonly position: number | null;
  /** How long the phase will take, where that is known. */
  readonly estimateMs: number | null;
  readonly model: string | null;
  /** The message that is being written, or was written last. */
  readonly messageId: string | null;
  /** Of that message. */
  readonly content: string;
  /** Of that message; empty: none. */
  readonly thinking: string;
  /** Of the whole turn, in their order. */
  readonly toolCalls: readonly ToolView[];
  /** What a person has to decide before it goes on. */
  readonly approvals: readonly Approval[];
  readonly context: ContextReceipt | null;
  /** Null while the turn goes on; `turns.get` has it afterwards. */
  readonly usage: TurnUsage | null;
  readonly error: ErrorObject | null;
  /** The whole final message: there is one when the turn succeeded. */
  readonly message: AnswerMessage | null;
  /** −1: nothing was seen. */
  readonly lastEventId: number;
}

export const EMPTY_TURN: TurnView = {
  turnId: null,
  sessionId: null,
  state: 'running',
  phase: null,
  position: null,
  estimateMs: null,
  model: null,
  messageId: null,
  content: '',
  thinking: '',
  toolCalls: [],
  approvals: [],
  context: null,
  usage: null,
  error: null,
  message: null,
  lastEventId: -1,
};

export interface AgentView {
  readonly name: string;
  /** Its chat, a session of its own kind. */
  readonly sessionId: string;
  /** Its run, a turn of that chat. */
  readonly turnId: string;
  /** Null: not told. */
  readonly model: string | null;
  /** `planning`, `executing`, `reporting`, `waiting_for_approval`; null: not told, or ended. */
  readonly phase: string | null;
  /** Of the execution, from 1; 0 before it. */
  readonly round: number;
  readonly maxRounds: number | null;
  /** What the engine does for it; null: nothing, or not told. */
  readonly engine: string | null;
  readonly steps: readonly AgentStep[];
  /** How it ended; null: it works. */
  readonly reason: string | null;
}

export type AgentStep =
  | { readonly kind: 'plan' | 'text'; readonly messageId: string; readonly content: string }
  | { readonly kind: 'call'; readonly call: ToolView };

/** One that has just been asked for. */
export function toToolView(
  call: Pick<SnapshotToolCall, 'tool_name' | 'tool_call_id' | 'call_index' | 'arguments'>,
): ToolView {
  return {
    toolCallId: call.tool_call_id,
    callIndex: call.call_index,
    name: call.tool_name,
    arguments: call.arguments,
    success: null,
    result: null,
    progress: null,
  };
}
