// Tool calls with what came of them.
import type { Db } from './database.ts';
import { shownArguments } from './tool-calls.ts';

/** A call with what came of it. */
export interface SettledToolCall {
  readonly messageId: string;
  /** Null while there is no result. */
  readonly resultMessageId: string | null;
  readonly callIndex: number;
  readonly callId: string;
  /** Of the tool that was meant. */
  readonly name: string;
  /** With which it ran, or would have. */
  readonly arguments: Readonly<Record<string, unknown>>;
  /** Null while there is no result. */
  readonly success: boolean | null;
  readonly result: string | null;
  readonly runsAt: 'server' | 'client';
}

/** The calls of a turn in the order in which the model made them. */
export async function listCallsOfTurn(db: Db, sessionId: string, turnId: string): Promise<SettledToolCall[]> {
  return (await settledCalls(db, sessionId).where('messages.turn_id', '=', turnId).execute()).map(
    toSettledCall,
  );
}

/** The calls of some messages, and those whose results they are, with what came of them; in call order. */
export async function listSettledCalls(
  db: Db,
  sessionId: string,
  messageIds: readonly string[],
): Promise<SettledToolCall[]> {
  if (messageIds.length === 0) return [];
  const calls = settledCalls(db, sessionId).where(({ or, eb }) =>
    or([eb('messages.id', 'in', messageIds), eb('tool_calls.result_message_id', 'in', messageIds)]),
  );
  return (await calls.execute()).map(toSettledCall);
}

function settledCalls(db: Db, sessionId: string) {
  return db
    .selectFrom('tool_calls')
    .innerJoin('messages', (join) =>
      join
        .onRef('messages.session_id', '=', 'tool_calls.session_id')
        .onRef('messages.id', '=', 'tool_calls.message_id'),
    )
    .leftJoin('messages as results', (join) =>
      join
        .onRef('results.session_id', '=', 'tool_calls.session_id')
        .onRef('results.id', '=', 'tool_calls.result_message_id'),
    )
    .select([
      'tool_calls.message_id',
      'tool_calls.result_message_id',
      'tool_calls.call_index',
      'tool_calls.call_id',
      'tool_calls.name',
      'tool_calls.tool',
      'tool_calls.arguments',
      'tool_calls.ran_arguments',
      'tool_calls.success',
      'tool_calls.verdict',
      'results.content as result',
    ])
    .where('tool_calls.session_id', '=', sessionId)
    .orderBy('messages.seq')
    .orderBy('tool_calls.call_index');
}

type SettledRow = Awaited<ReturnType<ReturnType<typeof settledCalls>['execute']>>[number];

function toSettledCall(row: SettledRow): SettledToolCall {
  return {
    messageId: row.message_id,
    resultMessageId: row.result_message_id,
    callIndex: row.call_index,
    callId: row.call_id,
    name: row.tool ?? row.name,
    arguments: shownArguments(row.ran_arguments ?? row.arguments),
    success: row.success === null ? null : row.success === 1,
    result: row.result,
    runsAt: row.verdict === 'client' ? 'client' : 'server',
  };
}
