// A turn that memory has forgotten, told from its rows: a snapshot and the events that closed it.
import type { AnswerMessage } from '../../contract/chat.ts';
import type { ContextWindowInfo } from '../../contract/context-window.ts';
import type { AnswerToolCall } from '../../contract/tool.ts';
import type { Turn } from '../../contract/turn.ts';
import type { TurnEvent } from '../../contract/turn-event.ts';
import type { SnapshotMessage, SnapshotToolCall, TurnSnapshot } from '../../contract/turn-snapshot.ts';
import { parseModelJson } from '../../kit/model-json.ts';
import { listAnswerCalls } from '../../store/client-calls.ts';
import type { Db } from '../../store/database.ts';
import { findMessage, type PathMessage } from '../../store/messages.ts';
import { listCallsOfTurn, type SettledToolCall } from '../../store/settled-calls.ts';
import { isStructuredTurn } from '../../store/turns.ts';
import type { WatchableTurn } from './live-turn.ts';
import type { NumberedEvent } from './turn-log.ts';

interface StoredTurn {
  readonly turn: Turn;
  readonly message: PathMessage | null;
  /** The answer was asked for as JSON, and was found to fit. */
  readonly isStructured: boolean;
  readonly toolCalls: readonly SnapshotToolCall[];
  /** Of an answer that leaves calls to the client; null for any other. */
  readonly answerCalls: readonly AnswerToolCall[] | null;
}

export interface StoredTurns {
  /** A turn from its rows, watched like a live one. */
  open(turn: Turn): Promise<WatchableTurn>;
}

/** Those who watch an ended turn at the same time share what was read, and so the bytes that are made of it. */
export function createStoredTurns(db: Db): StoredTurns {
  const watched = new Map<string, WeakRef<WatchableTurn>>();
  const forgotten = new FinalizationRegistry<string>((turnId) => {
    if (watched.get(turnId)?.deref() === undefined) watched.delete(turnId);
  });
  const find = (turnId: string) => watched.get(turnId)?.deref();
  return {
    async open(turn) {
      const { turn_id: turnId } = turn;
      const known = find(turnId);
      if (known !== undefined) return known;
      const read = toWatchable(turn, replayTurn(await readStoredTurn(db, turn)));
      if (turn.finished_at === null) return read;
      // Another watcher may have read it in between.
      const first = find(turnId) ?? read;
      if (first === read) {
        watched.set(turnId, new WeakRef(read));
        forgotten.register(read, turnId);
      }
      return first;
    },
  };
}

function toWatchable(turn: Turn, events: readonly NumberedEvent[]): WatchableTurn {
  return {
    turnId: turn.turn_id,
    sessionId: turn.session_id,
    lastEventId: turn.last_event_id,
    isFinished: true,
    watcherCount: 1,
    loss: null,
    hold: () => ({ release: () => undefined, end: () => undefined }),
    async *watch(after) {
      const unseen = events.filter(({ id }) => id > after || after === 0);
      if (unseen.length > 0) yield unseen;
    },
  };
}

async function readStoredTurn(db: Db, turn: Turn): Promise<StoredTurn> {
  const { session_id: sessionId, turn_id: turnId, message_id: messageId } = turn;
  const calls = await listCallsOfTurn(db, sessionId, turnId);
  const message = messageId === null ? null : await findMessage(db, sessionId, messageId);
  const isHanded = turn.state === 'completed' && message?.finish_reason === 'tool_calls';
  return {
    turn,
    message,
    answerCalls: isHanded ? await listAnswerCalls(db, sessionId, message.message_id) : null,
    isStructured: turn.state === 'completed' && (await isStructuredTurn(db, turnId)),
    toolCalls: toSnapshotCalls(calls),
  };
}

export function toSnapshotCalls(calls: readonly SettledToolCall[]): SnapshotToolCall[] {
  return calls.map(({ callIndex, callId, name, arguments: given, success, result, runsAt }) => ({
    tool_name: name,
    tool_call_id: callId,
    call_index: callIndex,
    arguments: { ...given },
    success,
    // As it was told live: the prefix is for the model.
    result: success === false ? (result?.replace(/^Error: /, '') ?? null) : result,
    ...(runsAt === 'client' && { runs_at: runsAt }),
  }));
}

export function toSnapshotMessage(message: PathMessage): SnapshotMessage {
  return { ...toAnswer(message), status: message.status };
}

/** The state of a turn without an end, as its rows have it. */
export async function readSnapshot(
  db: Db,
  turn: Turn,
  approvals: TurnSnapshot['approvals'],
): Promise<NumberedEvent> {
  const { message, toolCalls } = await readStoredTurn(db, turn);
  const shown = message && toSnapshotMessage(message);
  return {
    id: turn.last_event_id,
    event: { event: 'snapshot', data: { turn, message: shown, tool_calls: [...toolCalls], approvals } },
  };
}

/** The snapshot and the closing events. */
function replayTurn(stored: StoredTurn): NumberedEvent[] {
  const { turn, message, toolCalls } = stored;
  const closing = closingEvents(stored);
  const before = Math.max(turn.last_event_id - closing.length, 0);
  const shown = message && toSnapshotMessage(message);
  const state = turn.state === 'queued' ? 'queued' : 'running';
  const snapshot: NumberedEvent = {
    id: before,
    event: {
      event: 'snapshot',
      data: {
        turn: { ...turn, state, finished_at: null, error: null, last_event_id: before },
        message: shown,
        tool_calls: [...toolCalls],
        approvals: [],
      },
    },
  };
  const numbered = closing.map((event, index) => ({ id: before + 1 + index, event }));
  return [snapshot, ...numbered];
}

function closingEvents({ turn, message, isStructured, answerCalls }: StoredTurn): TurnEvent[] {
  const { session_id, turn_id, state } = turn;
  const done: TurnEvent = { event: 'done', data: { session_id, turn_id, state } };
  if (turn.error !== null) {
    const details = { ...turn.error.details, session_id, turn_id };
    return [{ event: 'error', data: { ...turn.error, details } }, done];
  }
  if (message === null || turn.context === null) return [done];
  return [
    {
      event: 'message_complete',
      data: {
        message_id: message.message_id,
        model: message.model,
        eval_count: message.eval_count,
        prompt_eval_count: message.prompt_eval_count,
        finish_reason: message.finish_reason,
        context_window: windowOf(turn, message),
        message: {
          ...toAnswer(message),
          ...(answerCalls !== null && { tool_calls: [...answerCalls] }),
          ...(isStructured && { parsed: parseModelJson(message.content) }),
        },
        context: turn.context,
        usage: turn.usage,
      },
    },
    done,
  ];
}

function windowOf(turn: Turn, message: PathMessage): ContextWindowInfo {
  return {
    current_window: turn.context?.window ?? 0,
    usage_tokens: (message.prompt_eval_count ?? 0) + (message.eval_count ?? 0),
    reason: turn.context?.window_reason ?? 'no_adjustment',
  };
}

/** An answer as it is told. */
export function toAnswer(message: PathMessage): AnswerMessage {
  return {
    role: 'assistant',
    content: message.content,
    model: message.model,
    message_id: message.message_id,
    timestamp: message.timestamp,
    eval_count: message.eval_count,
    prompt_eval_count: message.prompt_eval_count,
    finish_reason: message.finish_reason,
    tool_calls: message.tool_calls,
    thinking: message.thinking,
  };
}
