// Calls of messages that a client has brought along: it has run them, and most have their results.
import type { EngineToolCall } from '../contract/engine.ts';
import type { Db } from './database.ts';

export interface BroughtCall {
  readonly messageId: string;
  readonly callIndex: number;
  readonly call: EngineToolCall;
  /** The message with its result. */
  readonly resultId: string;
}

/** Rows per statement: far below SQLite's limit on parameters. */
const BATCH = 100;

export async function insertBroughtCalls(
  db: Db,
  sessionId: string,
  calls: readonly BroughtCall[],
): Promise<void> {
  for (let start = 0; start < calls.length; start += BATCH) {
    const rows = calls.slice(start, start + BATCH).map(({ messageId, callIndex, call, resultId }) => ({
      session_id: sessionId,
      message_id: messageId,
      call_index: callIndex,
      call_id: call.id,
      name: call.name,
      arguments: JSON.stringify(call.arguments),
      state: 'done' as const,
      result_message_id: resultId,
      success: 1,
      verdict: 'client' as const,
    }));
    await db.insertInto('tool_calls').values(rows).execute();
  }
}
