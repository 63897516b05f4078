// Calls without a result get one. No tools are offered yet, so every call is answered with a failure that
// the model can read; it never ends the turn.
import { setImmediate } from 'node:timers/promises';
import type { EngineToolCall } from '../../contract/engine.ts';
import type { ExecutedToolCall } from '../../contract/tool.ts';
import type { TurnEvent } from '../../contract/turn-event.ts';
import { appendToPath } from '../../store/active-path.ts';
import type { PathPlace } from '../../store/path-place.ts';
import { findSession } from '../../store/sessions.ts';
import { answerToolCall, listOpenToolCalls } from '../../store/tool-calls.ts';
import type { TurnDeps } from '../turn-deps.ts';
import { shownArguments } from '../watch/shown-arguments.ts';

export interface SettleToolCalls {
  readonly sessionId: string;
  readonly turnId: string;
  /** The assistant message that made the calls. */
  readonly asked: PathPlace;
  readonly calls: readonly EngineToolCall[];
}

export interface SettledToolCalls {
  readonly events: readonly TurnEvent[];
  readonly executed: readonly ExecutedToolCall[];
  /** The last result: the next model call goes on from there. */
  readonly tip: PathPlace;
}

/** Answered before others have a turn. */
const CALLS_AT_ONCE = 64;

/** One transaction for the round: either every call has its result, or none has. */
export async function settleToolCalls(deps: TurnDeps, round: SettleToolCalls): Promise<SettledToolCalls> {
  const { sessionId, turnId, asked, calls } = round;
  const results = calls.map((call) => ({
    call,
    messageId: deps.newId(10),
    text: `Tool '${call.name}' is not available.`,
  }));
  const tip = await deps.db.transaction().execute(async (transaction) => {
    let place = asked;
    for (const [callIndex, { call, messageId, text }] of results.entries()) {
      place = await appendToPath(transaction, place, {
        sessionId,
        id: messageId,
        role: 'tool',
        content: `Error: ${text}`,
        timestamp: deps.now(),
        status: 'complete',
        toolName: call.name,
        toolCallId: call.id,
        turnId,
      });
      await answerToolCall(
        transaction,
        { sessionId, messageId: asked.id, callIndex },
        { messageId, success: false },
      );
      // The driver is synchronous: many calls must not hold everybody else.
      if (callIndex % CALLS_AT_ONCE === CALLS_AT_ONCE - 1) await setImmediate();
    }
    return place;
  });
  const events = results.flatMap(({ call, text }, callIndex): TurnEvent[] => {
    const named = { tool_name: call.name, tool_call_id: call.id, call_index: callIndex };
    return [
      { event: 'tool_call', data: { ...named, arguments: shownArguments(call) } },
      {
        event: 'tool_result',
        data: { ...named, success: false, result: '', error: text, error_message: text },
      },
    ];
  });
  events.push({
    event: 'tool_continuation_start',
    data: { tool_count: results.length, message: 'Processing tool results...' },
  });
  const executed = calls.map((call) => ({
    name: call.name,
    arguments: shownArguments(call),
    success: false,
  }));
  return { events, executed, tip };
}

/**
 * Calls that a turn leaves behind when it ends: strict engines refuse a history in which a call has no answer.
 * Inside the caller's transaction.
 * @returns the head of the path then
 */
export async function answerOpenCalls(
  { db, newId, now }: Pick<TurnDeps, 'db' | 'newId' | 'now'>,
  sessionId: string,
): Promise<PathPlace | null> {
  const session = await findSession(db, sessionId);
  let head: PathPlace | null =
    session === null || session.headId === null ? null : { id: session.headId, depth: session.headDepth };
  for (const { messageId, callIndex, call } of await listOpenToolCalls(db, sessionId)) {
    const id = newId(10);
    head = await appendToPath(db, head, {
      sessionId,
      id,
      role: 'tool',
      content: 'Error: the turn ended before the tool had answered.',
      timestamp: now(),
      status: 'complete',
      toolName: call.name,
      toolCallId: call.id,
    });
    await answerToolCall(db, { sessionId, messageId, callIndex }, { messageId: id, success: false });
  }
  return head;
}
